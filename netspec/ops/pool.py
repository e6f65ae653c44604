"""Pooling over windows and over all positions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated, Literal, Self

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.model import Field, PrivateAttr
from netspec.ops.base import Inputs, Meaning, Misfit, Moves, Op
from netspec.ops.reach import Reach, TransposedWindow
from netspec.ops.roles import Port, Role
from netspec.ops.window import Windowed, check_fit, spatial
from netspec.types import Type, Windows


class Pool(Windowed):
    """A pool over windows. Its default stride is the kernel (relationship 7)."""

    main = "kernel"
    resolved_only = frozenset({"overhang"})

    rounding: Literal["floor", "ceil"] = "floor"
    """Whether an incomplete last window counts: `ceil` keeps it, with padding; `floor` drops it."""
    overhang: tuple[int, ...] = ()
    """The part of the end padding that rounding up added; set by resolution."""
    _rounds_up: bool = PrivateAttr(default=False)

    @property
    def rounds_up(self) -> bool:
        """Whether an incomplete last window counts at every size of the input: the author wrote `rounding: ceil`."""
        return self._rounds_up

    def with_numbers(self) -> Self:
        op = super().with_numbers()
        op._rounds_up = False
        return op

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
        op = self.padded(padded, **axes, overhang=overhang, rounding="floor")
        op._rounds_up = self.rounding == "ceil" and self.padding != "same"  # which rounds up already
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
    """The largest value of each window, of equal ones the first. Padding counts as −∞."""

    keyword = "max_pool"
    ports = (Port("indices", "Where in the input each of the values stands, for `max_unpool`."),)
    keeps_order = True

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        (pooled,) = super().outputs(inputs)
        windows = Windows(inputs[0].sizes, self.kernel, self.strides, self.pads, self.dilation)
        return pooled, Type(pooled.channels, pooled.spatial, "int", windows)


class MaxUnpool(Op):
    """Each value back at the position from which a max pool took its own; 0 everywhere else (Zeiler et al. 2011).

    Its output has the sizes of the map that the pool received. No windows of the pool may overlap: two values would
    go to one position.
    """

    keyword = "max_unpool"
    inputs = (
        Role("values", "The values that are put back."),
        Role("indices", "Where each of them goes: the `indices` of a `max_pool`.", takes=("positions",)),
    )

    def _resolve(self, inputs: Inputs) -> Self:
        values, positions = inputs
        sizes = spatial(self, values)
        if (values.channels, sizes) != (positions.channels, positions.sizes):
            raise Misfit(
                shapes.UNPOOL,
                f"`max_unpool` takes one value for each index; it gets {values} and {positions}",
                help=f"bring the values to {positions.channels}@{'×'.join(map(str, positions.sizes))}, which that pool "
                "gives, or take the `indices` of the pool whose output has the sizes of the values",
            )
        windows = _windows(positions)
        for name, count, kernel, stride, dilation in zip(
            values.axes, sizes, windows.kernel, windows.stride, windows.dilation, strict=True
        ):
            if (shift := arithmetic.overlap(count, kernel, stride, dilation)) is not None:
                raise Misfit(
                    shapes.UNPOOL,
                    f"the windows of the pool overlap along {name}: {_neighbours(shift)} share a position, and two "
                    "values may go there",
                    notes=(f"along {name} it has kernel {kernel}, stride {stride}, dilation {dilation}",),
                    help="let the pool stride by its kernel, as `max_pool: 2` does",
                )
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, _windows(inputs[1]).sizes),)

    def reach(self, inputs: Inputs) -> Reach | None:
        # A position lies in one window at most: it sees that window's value and that window's index.
        windows = _windows(inputs[1])
        rows = zip(windows.kernel, windows.stride, windows.pads, windows.dilation, strict=True)
        return Reach(tuple(TransposedWindow(k, s, lo, d) for k, s, (lo, _), d in rows))

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return super().means(inputs[:1])


def _neighbours(apart: int) -> str:
    return "neighbours" if apart == 1 else f"two that are {apart} apart"


def _windows(positions: Type) -> Windows:
    assert positions.windows is not None
    return positions.windows


class AvgPool(Pool):
    """The mean of each window. Padding does not count unless `count_padding` is true."""

    keyword = "avg_pool"
    keeps_order = True

    count_padding: bool = False
    """Whether padding counts as zeros in the mean."""


class GlobalPool(Op):
    """A pool over all spatial axes; it turns a map into a vector, or into a map of one position."""

    unlisted = frozenset({"keep"})

    keep: bool = False
    """Whether the spatial axes stay, each with size 1."""

    def _resolve(self, inputs: Inputs) -> Self:
        spatial(self, inputs[0])
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, (1,) * len(inputs[0].spatial) if self.keep else ()),)

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
