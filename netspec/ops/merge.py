"""Ops that join branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit, Op
from netspec.ops.nearest import did_you_mean
from netspec.ops.reach import EACH, Reach
from netspec.ops.window import indices
from netspec.types import Type


class Merge(Op):
    """Joins two branches or more."""

    merges: ClassVar[bool] = True

    def check_inputs(self, inputs: Inputs) -> None:
        """Refuse what no merge takes.

        Raises:
            Misfit: fewer than two branches, or a branch of indices.
        """
        if len(inputs) < 2:
            raise Misfit(
                shapes.BRANCHES,
                f"`{self.keyword}` joins two branches or more; it has {len(inputs)}",
                help="give it a list of branches, or `from: [a, b]`",
            )
        for type_ in inputs:
            if type_.channels is None:
                raise indices(self, type_)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(self.outputs(inputs)[0].spatial))


class Elementwise(Merge):
    """A merge value by value; a vector is spread over a map's positions, one channel over a map's channels."""

    def resolve(self, inputs: Inputs) -> Self:
        self.check_inputs(inputs)
        self.outputs(inputs)
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        joined = inputs[0]
        for type_ in inputs[1:]:
            both = _spread(joined, type_) or _spread(type_, joined)
            if both is None:
                raise self._misfit(inputs)
            joined = both
        return (joined,)

    def _misfit(self, inputs: Inputs) -> Misfit:
        shown = " and ".join(str(type_) for type_ in inputs)
        return Misfit(
            shapes.MERGE,
            f"`{self.keyword}` cannot join {shown}",
            notes=(
                "it takes equal types, a vector beside a map of as many channels, or a one-channel map beside "
                "a map of the same sizes",
            ),
            help=_advice(inputs),
        )


def _spread(large: Type, small: Type) -> Type | None:
    """`large`, if `small` equals it or can be spread over it."""
    vector = not small.spatial and small.channels == large.channels
    one_channel = small.channels == 1 and small.spatial == large.spatial
    return large if small == large or vector or (one_channel and bool(small.spatial)) else None


def _advice(inputs: Sequence[Type]) -> str:
    first, second = next((inputs[0], other) for other in inputs if other != inputs[0])
    if first.channels == second.channels:
        return "make their sizes equal: the strides and paddings of the branches decide them"
    if first.spatial == second.spatial:
        return (
            f"make their channels equal: a 1×1 `conv` with `filters: {first.channels}` brings "
            f"{second.channels} to {first.channels}"
        )
    return "make both channels and sizes equal: a strided 1×1 `conv` on the shorter branch does both"


class Add(Elementwise):
    """The sum of the branches."""

    keyword: ClassVar[str] = "add"


class Multiply(Elementwise):
    """The product of the branches."""

    keyword: ClassVar[str] = "multiply"

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # Scores times probabilities are scores: probabilities are what gates are made of.
        gated = Meaning.SCORES in inputs and Meaning.DISTANCES not in inputs
        return Meaning.SCORES if gated else super().means(inputs)


class Subtract(Elementwise):
    """The first branch less the second."""

    keyword: ClassVar[str] = "subtract"

    def check_inputs(self, inputs: Inputs) -> None:
        super().check_inputs(inputs)
        if len(inputs) > 2:
            raise Misfit(
                shapes.BRANCHES,
                f"`subtract` joins two branches; it has {len(inputs)}",
                help="`add` two first",
            )


class Maximum(Elementwise):
    """The largest of the branches, value by value. Where they are equal the gradient is shared equally."""

    keyword: ClassVar[str] = "maximum"


class Average(Elementwise):
    """The mean of the branches."""

    keyword: ClassVar[str] = "average"


class Concat(Merge):
    """The branches one after the other, along the channels or a named spatial axis."""

    keyword: ClassVar[str] = "concat"

    axis: Literal["channels", "time", "depth", "height", "width"] = "channels"
    """Along which axis the branches are put one after the other."""

    def resolve(self, inputs: Inputs) -> Self:
        self.check_inputs(inputs)
        axes = ("channels", *inputs[0].axes)
        # `time` names the first axis of video, too.
        name = "depth" if self.axis == "time" and len(inputs[0].spatial) == 3 else self.axis
        if name not in axes:
            raise Misfit(
                shapes.RANK,
                f"{inputs[0]} has no axis `{self.axis}`{did_you_mean(self.axis, axes)}",
                "axis",
                help=f"its axes are {', '.join(axes)}",
            )
        op = self.replace(axis=name)
        op.outputs(inputs)
        return op

    def dimension(self, inputs: Inputs) -> int:
        """Which axis it is, counted channels first without the batch: 0 is the channels."""
        return ("channels", *inputs[0].axes).index(self.axis)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        where = self.dimension(inputs)
        rows = [type_.shape for type_ in inputs]
        others = {row[:where] + row[where + 1 :] for row in rows}
        if len({len(row) for row in rows}) > 1 or len(others) > 1:
            raise Misfit(
                shapes.MERGE,
                f"`concat` along {self.axis} cannot join {' and '.join(map(str, inputs))}",
                notes=(f"all but {self.axis} must be equal",),
                help="pad, stride or crop the branches to the same sizes",
            )
        shape = list(rows[0])
        shape[where] = sum(row[where] for row in rows)
        return (Type(shape[0], tuple(shape[1:])),)

    def reach(self, inputs: Inputs) -> Reach | None:
        # Along a spatial axis a position sees one branch or another, and which depends on where it is.
        rank = len(inputs[0].spatial)
        return Reach((EACH,) * rank, stacks=True) if self.axis == "channels" else None
