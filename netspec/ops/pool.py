"""Pooling over windows and over all positions."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal, Self

from pydantic import Field

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.reach import Reach
from netspec.ops.window import Windowed, check_fit, spatial
from netspec.types import Type


class Pool(Windowed):
    """A pool over windows. Its default stride is the kernel (relationship 7)."""

    main = "kernel"
    resolved_only = frozenset({"overhang"})

    rounding: Literal["floor", "ceil"] = "floor"
    """Whether an incomplete last window counts: `ceil` keeps it, with padding; `floor` drops it."""
    overhang: tuple[int, ...] = ()
    """The part of the end padding that rounding up added; set by resolution."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        if self.overhang:
            return self
        axes = self.spread(len(sizes), default_stride=self.kernel)
        pads = self.resolve_pads(sizes, **axes)
        overhang = (0,) * len(sizes)
        if self.rounding == "ceil":
            overhang = tuple(
                arithmetic.ceil_overhang(i, k, s, p, d)
                for i, k, s, p, d in zip(
                    sizes, axes["kernel"], axes["stride"], pads, axes["dilation"], strict=True
                )
            )
        padded = tuple((lo, hi + more) for (lo, hi), more in zip(pads, overhang, strict=True))
        op = self.replace(**axes, padding=padded, overhang=overhang, rounding="floor")
        check_fit(op, inputs[0])
        op._check_windows(sizes)
        return op

    def _check_windows(self, sizes: tuple[int, ...]) -> None:
        """Refuse a window that covers only padding: its maximum would be −∞, its mean 0/0."""
        for axis, (size, k, s, (lo, _), d) in enumerate(
            zip(sizes, self.kernel, self.strides, self.pads, self.dilation, strict=True)
        ):
            position = arithmetic.empty_window(size, k, s, self.pads[axis], d)
            if position is not None:
                raise Misfit(
                    shapes.EMPTY_WINDOW,
                    f"window {position} along {Type(1, sizes).axes[axis]} covers only padding: it starts at "
                    f"{position * s - lo}, and the input is {size} long",
                    "padding" if isinstance(self.padding, tuple) else None,
                    help=f"use `padding: {k - 1}` or less: the padding must be smaller than the kernel"
                    if d == 1
                    and len({*self.pads, *((each, each) for each in self.pads[0])}) == 1
                    and k == min(self.kernel)
                    else f"use less padding than the kernel ({self.span[axis]})",
                )

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        axes = zip(inputs[0].sizes, self.kernel, self.strides, self.pads, self.dilation, strict=True)
        return (Type(inputs[0].channels, tuple(arithmetic.conv_size(*axis) for axis in axes)),)


class MaxPool(Pool):
    """The largest value of each window. Padding counts as −∞."""

    keyword = "max_pool"
    keeps_order = True


class AvgPool(Pool):
    """The mean of each window. Padding does not count unless `count_padding` is true."""

    keyword = "avg_pool"
    keeps_order = True

    count_padding: bool = False
    """Whether padding counts as zeros in the mean."""


class GlobalPool(Op):
    """A pool over all spatial axes; it turns a map into a vector."""

    def _resolve(self, inputs: Inputs) -> Self:
        spatial(self, inputs[0])
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels),)

    def moves(self, inputs: Inputs) -> Moves | None:
        # The mean and the maximum of one position are the position itself.
        return "positions" if prod(inputs[0].sizes) == 1 else None

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.whole(len(inputs[0].spatial))


class GlobalAvgPool(GlobalPool):
    """The mean of each channel over all positions (Lin et al. 2013)."""

    keyword = "global_avg_pool"
    keeps_order = True


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel over all positions."""

    keyword = "global_max_pool"
    keeps_order = True


class ChannelPool(Op):
    """The maximum or the mean of each `size` consecutive channels (maxout: Goodfellow et al. 2013)."""

    keyword = "channel_pool"
    keeps_order = True
    main = "size"

    size: Annotated[int, Field(ge=1)]
    """The number of consecutive channels that give one output channel."""
    kind: Literal["max", "average"] = "max"
    """Whether the output is the maximum or the mean."""

    def _resolve(self, inputs: Inputs) -> Self:
        channels = inputs[0].channels or 0
        if channels % self.size:
            raise Misfit(
                shapes.GROUPS, f"{channels} channels cannot be divided into runs of {self.size}", "size",
                help=f"the input is {inputs[0]}: use a divisor of {channels}",
            )  # fmt: skip
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type((inputs[0].channels or 0) // self.size, inputs[0].spatial),)
