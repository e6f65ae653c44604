"""Pools to a given size, whose windows follow from the size of the input."""

from __future__ import annotations

from typing import Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import PerAxis
from netspec.ops.reach import EqualPortion, Reach
from netspec.ops.window import broadcast, spatial
from netspec.types import Type


class AdaptivePool(Op):
    """A pool to a size. Of i positions, output p of o has those from ⌊p · i / o⌋ to before ⌈(p + 1) · i / o⌉."""

    main = "size"

    size: PerAxis
    """The output size."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        size = broadcast("size", self.size, len(sizes))
        for axis, i, o in zip(inputs[0].axes, sizes, size, strict=True):
            if o > i:
                least = [min(pair) for pair in zip(sizes, size, strict=True)]
                raise Misfit(
                    shapes.SIZE,
                    f"a pool to {'×'.join(map(str, size))} needs {o} positions along {axis} or more; the input has {i}",
                    "size",
                    notes=(f"the input is {inputs[0]}{{source}}: more windows than positions would repeat values",),
                    help=f"use `size: {least[0] if len(set(least)) == 1 else least}`, or make the map larger with "
                    "`upsample`",
                )  # fmt: skip
        return self.replace(size=size)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, self.size),)

    def moves(self, inputs: Inputs) -> Moves | None:
        # The mean and the maximum of one position are the position itself.
        return "positions" if self.size == inputs[0].sizes else None

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(map(EqualPortion, inputs[0].sizes, self.size)))


class AdaptiveAvgPool(AdaptivePool):
    """The mean of each window, of as many windows as the output has positions.

    Of i positions, output p of o has those from ⌊p · i / o⌋ to before ⌈(p + 1) · i / o⌉: neighbouring windows share a
    position where o does not divide i.
    """

    keyword = "adaptive_avg_pool"
    keeps_order = True


class AdaptiveMaxPool(AdaptivePool):
    """The largest value of each window, of equal ones the first; the windows are those of `adaptive_avg_pool`."""

    keyword = "adaptive_max_pool"
    keeps_order = True
