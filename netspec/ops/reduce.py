"""Reductions over whole axes."""

from __future__ import annotations

from typing import Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Op
from netspec.ops.reach import EACH, WHOLE, Reach
from netspec.ops.reshape import AxisNames
from netspec.types import Type


class Reduce(Op):
    """One number in place of all values along some axes: their sum, mean, maximum, minimum, deviation or norm.

    Spatial axes that are reduced vanish, unless `keep` is true; the channels become one channel. (`channel_pool`
    reduces runs of some channels, and the global pools are the mean and the maximum over all spatial axes.) Equal
    maxima or minima share the gradient. Where a deviation or a norm is 0, its derivative is 0.
    """

    keyword = "reduce"
    main = "by"

    by: Literal["sum", "mean", "max", "min", "std", "norm"]
    """`std` is √(Σ (x − mean)² / n), as batch norm has it (not n − 1); `norm` is √(Σ x²)."""
    axes: AxisNames | None = None
    """The names of the axes: `channels`, `time`, `depth`, `height`, `width`. The default is every spatial axis."""
    keep: bool = False
    """Whether the spatial axes stay, with size 1."""

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {} if type_.spatial else {"axes": "channels"}

    def _resolve(self, inputs: Inputs) -> Self:
        type_ = inputs[0]
        known = ("channels", *type_.axes)
        if self.axes is None and not type_.spatial:
            raise Misfit(
                shapes.RANK,
                f"{type_} has no spatial axis to reduce",
                help=f"write `reduce: {{by: {self.by}, axes: channels}}` for its channels",
            )
        axes = type_.axes if self.axes is None else self.axes
        # `time` is also a name of the first axis of a video.
        axes = tuple("depth" if axis == "time" and len(type_.spatial) == 3 else axis for axis in axes)
        for number, axis in enumerate(axes):
            if axis not in known:
                raise Misfit(
                    shapes.RANK,
                    f"{type_} has no axis `{axis}`",
                    "axes",
                    help=f"its axes are {', '.join(f'`{each}`' for each in known)}",
                )
            if axis in axes[:number]:
                raise Misfit(
                    shapes.RANK,
                    f"`reduce` has the axis `{axis}` twice",
                    "axes",
                    help=f"write `[{', '.join(dict.fromkeys(axes))}]`",
                )
        return self.replace(axes=tuple(axis for axis in known if axis in axes))

    def dimensions(self, inputs: Inputs) -> tuple[int, ...]:
        """The indices of the axes in the shape of the input, without the batch: 0 is the channels."""
        known = ("channels", *inputs[0].axes)
        return tuple(known.index(axis) for axis in self.axes or ())

    def gone(self, inputs: Inputs) -> tuple[int, ...]:
        """Those of them that the output does not have."""
        return () if self.keep else tuple(axis for axis in self.dimensions(inputs) if axis)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        reduced, gone = self.dimensions(inputs), self.gone(inputs)
        channels, *sizes = (
            1 if axis in reduced else size for axis, size in enumerate(inputs[0].shape) if axis not in gone
        )
        return (Type(channels, tuple(sizes)),)

    def reach(self, inputs: Inputs) -> Reach | None:
        reduced, gone = self.dimensions(inputs), self.gone(inputs)
        axes = range(1, inputs[0].rank)
        kept = [axis for axis in axes if axis not in gone]
        return Reach(
            tuple(WHOLE if axis in reduced else EACH for axis in axes),
            along=tuple(kept.index(axis) if axis in kept else 0 for axis in axes),
            mixes=0 in reduced,
        )
