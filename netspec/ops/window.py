"""The common part of convolutions and pools: a window that slides over the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import ClassVar, Self, cast

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.model import PrivateAttr
from netspec.ops.base import Inputs, Misfit, Op
from netspec.ops.fields import Padding, Pads, PerAxis
from netspec.ops.reach import Reach, Window
from netspec.types import Type

KERNEL_AXES = {1: "T", 2: "HW", 3: "DHW"}
"""The letters of the axes of a kernel."""


class Windowed(Op):
    """An op with a kernel, a stride, a padding and a dilation along each spatial axis."""

    rounds: ClassVar[bool] = True
    """Whether sizes that are not multiples of the stride are rounded."""

    kernel: PerAxis
    """The size of the window."""
    stride: PerAxis | None = None
    """The step of the window. The default is 1 for a convolution, and the kernel for a pool."""
    padding: Padding = "valid"
    """The padding around the input. `same` gives ⌈i/s⌉ outputs; an odd number of zeros has one more at the end."""
    dilation: PerAxis = (1,)
    """The distance between neighbouring elements of the window."""
    _by_size: bool = PrivateAttr(default=False)

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride along each axis. The op must be resolved."""
        return self.kernel if self.stride is None else self.stride

    @property
    def pads(self) -> Pads:
        """The padding before and after each axis. The op must be resolved."""
        return cast(Pads, self.padding)

    @property
    def span(self) -> tuple[int, ...]:
        """The size of the dilated kernel along each axis: k + (k − 1)(d − 1)."""
        return tuple(arithmetic.dilated(k, d) for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def pads_by_size(self) -> bool:
        """Whether another size of the input may have other pads: the padding was the word `same`."""
        return self._by_size

    def with_numbers(self) -> Self:
        """The resolved op, its pads being numbers, whatever word gave them."""
        op = self.replace()
        op._by_size = False
        return op

    def padded(self, pads: Pads, **fields: object) -> Self:
        """The resolved op, with these pads."""
        op = self.replace(padding=pads, **fields)
        if self.padding == "same":
            op._by_size = True
        return op

    def spread(self, rank: int, default_stride: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Kernel, stride and dilation with one number per axis."""
        fields = {"kernel": self.kernel, "stride": self.stride or default_stride, "dilation": self.dilation}
        return {name: broadcast(name, values, rank) for name, values in fields.items()}

    def resolve_pads(
        self, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
    ) -> Pads:
        """The padding as one pair per axis, also for padding words."""
        rank = len(sizes)
        if isinstance(self.padding, int):
            return ((self.padding, self.padding),) * rank
        if isinstance(self.padding, tuple):
            if len(self.padding) != rank:
                raise _count("padding", self.padding, rank)
            return self.padding
        if self.padding == "causal" and rank != 1:
            raise Misfit(
                shapes.RANK,
                f"`causal` padding is only for one axis, time; the input has {rank}",
                "padding",
                help="use `same`, or a pair per axis such as `[[2, 0], [1, 1]]`",
            )
        if self.padding == "same":
            return tuple(
                arithmetic.same_pads(i, k, s, d)
                for i, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
            )
        rule = _RULES[self.padding]
        return tuple(rule(k, d) for k, d in zip(kernel, dilation, strict=True))

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        yield from (
            ("the padded input", i + lo + hi) for i, (lo, hi) in zip(inputs[0].sizes, self.pads, strict=True)
        )
        yield "the number of values of a window", prod(self.kernel)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.windows()

    def windows(self, mixes: bool = False, splits: bool = False) -> Reach:
        """The input positions of an output position: a window along each axis."""
        rows = zip(self.kernel, self.strides, self.pads, self.dilation, strict=True)
        return Reach(tuple(Window(k, s, lo, d) for k, s, (lo, _), d in rows), mixes=mixes, splits=splits)


_RULES: dict[str, Callable[[int, int], arithmetic.Pair]] = {
    "valid": lambda kernel, dilation: (0, 0),
    "half": arithmetic.half_pads,
    "full": arithmetic.full_pads,
    "causal": arithmetic.causal_pads,
}
"""The padding words that do not depend on the input size; `same` does."""


def broadcast(field: str, values: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """One value per axis; a single value is repeated.

    Raises:
        Misfit: the number of values is neither 1 nor the number of axes.
    """
    if len(values) == 1:
        return values * rank
    if len(values) != rank:
        raise _count(field, values, rank)
    return values


def _count(field: str, values: Sequence[object], rank: int) -> Misfit:
    axes = "1 spatial axis" if rank == 1 else f"{rank} spatial axes"
    # Other libraries have one list with both ends of every axis, in different orders.
    both = field == "padding" and len(values) == 2 * rank
    pairs = ", ".join(_pair(values) for _ in range(rank))
    return Misfit(
        shapes.AXES,
        f"`{field}` has values for {'1 axis' if len(values) == 1 else f'{len(values)} axes'}, but the input has {axes}",
        field,
        help=f"give one number for all axes, or a list of {rank}"
        + (f"; before and after each axis: `[{pairs}]`" if both else ""),
    )


def _pair(values: Sequence[object]) -> str:
    """A pair of pads as written in a spec, if all are equal."""
    first = values[0] if len(set(values)) == 1 else None
    return str(list(first)) if isinstance(first, tuple) else "[…, …]"


def spatial(op: Op, type_: Type) -> tuple[int, ...]:
    """The spatial sizes of the input, for an op with a sliding window.

    Raises:
        Misfit: the input is a vector.
    """
    if not type_.spatial:
        raise Misfit(
            shapes.RANK,
            f"`{op.keyword}` needs a map with 1 to 3 spatial axes; the input is a vector, {type_}",
            help="move it before the layer that makes the vector (`flatten`, a global pool, `return: last`), use "
            "`dense`, or give the input spatial axes",
        )
    return type_.sizes


def check_fit(op: Windowed, type_: Type) -> None:
    """Refuse a kernel that does not fit.

    Raises:
        Misfit: the dilated kernel is larger than the padded input along an axis.
    """
    sizes = type_.sizes
    padded = [i + lo + hi for i, (lo, hi) in zip(sizes, op.pads, strict=True)]
    misfits = [axis for axis, (extent, size) in enumerate(zip(op.span, padded, strict=True)) if extent > size]
    if not misfits:
        return
    axis = misfits[0]
    written = "×".join(map(str, op.kernel))
    dilated = "" if op.span == op.kernel else f" ({'×'.join(map(str, op.span))} dilated)"
    story = arithmetic.explain_conv(
        sizes[axis], op.kernel[axis], op.strides[axis], op.pads[axis], op.dilation[axis]
    )
    room = min(sizes)
    fixes = [f"use `kernel: {room}`"] if op.span == op.kernel and room >= 1 else []
    raise Misfit(
        shapes.KERNEL,
        f"the kernel does not fit: {written}{dilated} on a padded input of {'×'.join(map(str, padded))}",
        "kernel",
        notes=(
            f"the input is {type_}{{source}}, padding {_pads(op.pads)}, "
            f"so {story.numbers}   [relationship {story.relationship}]",
        ),
        help=", or ".join([*fixes, "`padding: same`"])
        if fixes
        else "use `padding: same`, or a smaller `dilation`",
    )


def _pads(pads: Pads) -> str:
    values = {value for pair in pads for value in pair}
    if len(values) == 1:
        return str(values.pop())
    return ", ".join(f"{lo}+{hi}" for lo, hi in pads)
