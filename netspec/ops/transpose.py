"""Transposed convolutions."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Annotated, ClassVar, Self

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Weight
from netspec.ops.conv import Convolution, check_groups
from netspec.ops.fields import Counts
from netspec.ops.reach import Reach, TransposedWindow
from netspec.ops.window import broadcast, spatial
from netspec.types import Type


class ConvTranspose(Convolution):
    """The transpose of the convolution with this kernel, stride, padding and dilation.

    Output size along an axis: o' = s(i' − 1) + a + k − 2p, k being the dilated kernel, 2p = lo + hi and a the
    `output_padding` (relationship 14 of Dumoulin and Visin 2016). `same` gives o' = s·i'.
    """

    keyword = "conv_transpose"
    width = "filters"
    rounds: ClassVar[bool] = False

    filters: Annotated[int, Field(ge=1)]
    """The number of output channels."""
    groups: Annotated[int, Field(ge=1)] = 1
    """The number of blocks of channels; it divides the input channels and `filters`."""
    output_padding: Counts = (0,)
    """Zeros added at the end. A value below the stride selects one of the input sizes with the same output size.

    It must be below the larger of stride and dilation, as in the frameworks.
    """

    def maps(self, channels: int) -> int:
        return self.filters

    def check_channels(self, type_: Type) -> None:
        check_groups(self.groups, type_, self.filters)

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self.check_channels(inputs[0])
        if self.padding == "causal":
            raise Misfit(
                shapes.RANK,
                "`causal` has no meaning for a transposed convolution",
                "padding",
                help="give a pair for each axis, such as `[[1, 0], [1, 0]]`",
            )
        axes = self.spread(len(sizes), default_stride=(1,))
        more = broadcast("output_padding", self.output_padding, len(sizes))
        if self.padding == "same":
            op = self._same(axes, more)
        else:
            op = self.replace(**axes, padding=self.resolve_pads(sizes, **axes), output_padding=more)
        op = op.replace(activation=self.resolve_activation(inputs[0].spatial))
        op._check_sizes(inputs[0])
        return op

    def _same(self, axes: dict[str, tuple[int, ...]], more: tuple[int, ...]) -> Self:
        if any(more):
            raise Misfit(
                shapes.OUTPUT_PADDING,
                "`padding: same` chooses the output padding itself",
                "output_padding",
                help="remove `output_padding`, or give the padding in numbers",
            )
        kernels, strides, dilations = axes["kernel"], axes["stride"], axes["dilation"]
        rows = [
            arithmetic.same_transpose_pads(*axis) for axis in zip(kernels, strides, dilations, strict=True)
        ]
        return self.replace(
            **axes, padding=tuple(p for p, _ in rows), output_padding=tuple(a for _, a in rows)
        )

    def _check_sizes(self, type_: Type) -> None:
        rows = list(zip(type_.axes, self.output_padding, self.strides, self.dilation, strict=True))
        for name, a, s, d in rows:
            if a >= max(s, d):
                raise Misfit(
                    shapes.OUTPUT_PADDING,
                    f"`output_padding` must be below the stride or the dilation: {a} is not below {s} or {d}",
                    "output_padding",
                    notes=(
                        "below the stride it selects one of the s input sizes with the same output size   "
                        "[relationship 14]",
                    ),
                    help=f"use `output_padding: {most}` or less"
                    if (most := min(max(s, d) - 1 for *_, s, d in rows)) == max(s, d) - 1
                    else f"use at most {max(s, d) - 1} along {name}",
                )
        sizes = self._sizes(type_)
        if min(sizes) >= 1:
            return
        axis = sizes.index(min(sizes))
        story = arithmetic.explain_transpose(
            type_.sizes[axis], self.kernel[axis], self.strides[axis], self.pads[axis], self.dilation[axis],
            self.output_padding[axis],
        )  # fmt: skip
        raise Misfit(
            shapes.KERNEL,
            "the padding removes the whole output",
            "padding",
            notes=(
                f"the input is {type_}{{source}}, so {story.numbers}   [relationship {story.relationship}]",
            ),
            help="use less padding, or a larger kernel",
        )

    def _sizes(self, type_: Type) -> tuple[int, ...]:
        rows = zip(
            type_.sizes, self.kernel, self.strides, self.pads, self.dilation, self.output_padding, strict=True
        )
        return tuple(arithmetic.transpose_size(*row) for row in rows)

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        """The sizes of the output before the padding is removed, and the size of the window."""
        uncut = (o + lo + hi for o, (lo, hi) in zip(self._sizes(inputs[0]), self.pads, strict=True))
        yield from (("the output before its padding is removed,", size) for size in uncut)
        yield "the number of values of a window", prod(self.kernel)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.filters, self._sizes(inputs[0])),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (inputs[0].channels or 0, self.filters // self.groups, *self.kernel)
        weight = Weight("weight", shape, "IO" + self.axes, self.init, groups=self.groups)
        return self.with_bias((weight,), self.filters)

    def macs(self, inputs: Inputs) -> int | None:
        return inputs[0].elements * self.filters // self.groups * prod(self.kernel)

    def reach(self, inputs: Inputs) -> Reach | None:
        rows = zip(self.kernel, self.strides, self.pads, self.dilation, strict=True)
        axes = tuple(TransposedWindow(k, s, lo, d) for k, s, (lo, _), d in rows)
        return Reach(axes, mixes=self.groups == 1)
