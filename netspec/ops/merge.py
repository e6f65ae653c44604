"""Ops that merge branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit, Op
from netspec.ops.reach import EACH, Reach
from netspec.ops.roles import Role
from netspec.types import Type


class Merge(Op):
    """Merges two or more branches."""

    inputs = (Role("branches", least=2, most=None),)

    @classmethod
    def miscount(cls, count: int) -> Misfit:
        return Misfit(
            shapes.BRANCHES,
            f"`{cls.keyword}` needs at least two branches; it has {count}",
            help="give it a list of branches, or `from: [a, b]`",
        )

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(self.outputs(inputs)[0].spatial))


class Elementwise(Merge):
    """An elementwise merge. A vector is broadcast over the positions of a map, one channel over its channels."""

    def _resolve(self, inputs: Inputs) -> Self:
        self.outputs(inputs)
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (joined(self.keyword, inputs),)


def joined(keyword: str, inputs: Inputs) -> Type:
    """The type of what an elementwise op makes of these types.

    Raises:
        Misfit: they cannot be joined.
    """
    found = inputs[0]
    for type_ in inputs[1:]:
        both = _spread(found, type_) or _spread(type_, found)
        if both is None:
            raise _misfit(keyword, inputs)
        found = both
    return found


def _misfit(keyword: str, inputs: Inputs) -> Misfit:
    shown = " and ".join(str(type_) for type_ in inputs)
    return Misfit(
        shapes.MERGE,
        f"`{keyword}` cannot join {shown}",
        notes=(
            "it takes equal types, a vector and a map with as many channels, or a one-channel map and a map "
            "of the same sizes",
        ),
        help=_advice(inputs),
    )


def _spread(large: Type, small: Type) -> Type | None:
    """`large`, if `small` is equal to it or can be broadcast to it."""
    vector = not small.spatial and small.channels == large.channels
    one_channel = small.channels == 1 and small.spatial == large.spatial
    return large if small == large or vector or (one_channel and bool(small.spatial)) else None


def _advice(inputs: Sequence[Type]) -> str:
    first, second = next((inputs[0], other) for other in inputs if other != inputs[0])
    if first.spatial == second.spatial:
        layer = (
            f"conv: {{filters: {first.channels}, kernel: 1}}" if first.spatial else f"dense: {first.channels}"
        )
        return f"`{layer}` on the branch of {second} gives it as many channels"
    large, small = sorted((first, second), key=lambda type_: sum(type_.sizes), reverse=True)
    if large.spatial and not small.spatial:
        return f"a vector with {large} needs {large.channels} channels: end its branch with `dense: {large.channels}`"
    if small.elements == small.channels == large.channels:
        return f"end the branch of {small} with `flatten`: a vector is spread over the positions"
    strides = _strides(large, small)
    if strides is not None:
        wanted = strides[0] if len(set(strides)) == 1 else list(strides)
        conv = f"`conv: {{filters: {small.channels}, kernel: 1, stride: {wanted}}}`"
        return f"{conv} on the branch of {large} gives it the type of the other"
    if first.channels == second.channels:
        return "make their sizes equal: change strides and paddings of the branches"
    return "make their sizes equal with strides and paddings, and their channels with a 1×1 `conv`"


def _strides(large: Type, small: Type) -> tuple[int, ...] | None:
    """The strides with which a window of size 1 turns one map into the sizes of the other; None if impossible."""
    if not small.spatial or len(large.spatial) != len(small.spatial):
        return None
    rows = list(zip(large.sizes, small.sizes, strict=True))
    strides = tuple(-(-i // o) for i, o in rows)
    return strides if all(-(-i // s) == o for (i, o), s in zip(rows, strides, strict=True)) else None


class Add(Elementwise):
    """The sum of the branches."""

    keyword = "add"
    by_number = 'add: [[], [constant: {{values: {0}, shape: "${{in.channels}}"}}]]'
    keeps_order = True


class Multiply(Elementwise):
    """The product of the branches."""

    keyword = "multiply"
    by_number = "scale_by: {0}"

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # Scores times probabilities are scores: the probabilities act as gates.
        scores = {Meaning.SCORES, Meaning.LOGARITHMS} & set(inputs)
        gated = scores and not {Meaning.NEARNESS, Meaning.DISTANCES} & set(inputs)
        return Meaning.SCORES if gated else super().means(inputs)


class Ordered(Elementwise):
    """A merge of two branches whose order matters."""

    inputs = (Role("branches", least=2, most=2),)
    instead: ClassVar[str]
    """The advice for more than two branches."""

    @classmethod
    def miscount(cls, count: int) -> Misfit:
        return Misfit(
            shapes.BRANCHES,
            f"`{cls.keyword}` needs two branches; it has {count}",
            help=cls.instead if count > 2 else "give it a list of branches, or `from: [a, b]`",
        )


class Subtract(Ordered):
    """The first branch minus the second."""

    keyword = "subtract"
    by_number = 'subtract: [[], [constant: {{values: {0}, shape: "${{in.channels}}"}}]]'
    instead = "`add` two first"


class Divide(Ordered):
    """The first branch divided by the second. A division by 0 gives ±∞, and 0 / 0 is not a number (NaN)."""

    keyword = "divide"
    by_number = 'scale_by: "${{1 / {0}}}"'
    instead = "`multiply` the divisors first"


class Maximum(Elementwise):
    """The elementwise maximum of the branches. Equal branches get equal parts of the gradient."""

    keyword = "maximum"
    by_number = "clip: {{min: {0}}}"
    keeps_order = True


class Minimum(Elementwise):
    """The elementwise minimum of the branches. Equal branches get equal parts of the gradient."""

    keyword = "minimum"
    by_number = "clip: {{max: {0}}}"
    keeps_order = True


class Where(Op):
    """The value of one tensor where a mask is not 0, and that of another tensor elsewhere.

    The three are spread as the branches of `add` are. Only the value that is taken gets a gradient; the mask has none.
    """

    keyword = "where"
    keeps_order = True
    inputs = (
        Role("mask", "Says where the first one is taken: wherever it is not 0, as after `step`"),
        Role("first", "What is taken there"),
        Role("second", "What is taken elsewhere"),
    )

    def _resolve(self, inputs: Inputs) -> Self:
        self.outputs(inputs)
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (joined(self.keyword, inputs),)

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return super().means(inputs[1:])

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(self.outputs(inputs)[0].spatial))


class Average(Elementwise):
    """The mean of the branches."""

    keyword = "average"
    keeps_order = True


class Concat(Merge):
    """Concatenates the branches along the channels or a named spatial axis."""

    keyword = "concat"
    keeps_order = True
    any_channels = True

    axis: Literal["channels", "time", "depth", "height", "width"] = "channels"
    """The axis along which the branches are concatenated."""

    def _resolve(self, inputs: Inputs) -> Self:
        axes = ("channels", *inputs[0].axes)
        # `time` is also a name of the first axis of a video.
        name = "depth" if self.axis == "time" and len(inputs[0].spatial) == 3 else self.axis
        if name not in axes:
            raise Misfit(
                shapes.RANK,
                f"{inputs[0]} has no axis `{self.axis}`",
                "axis",
                help=f"its axes are {', '.join(f'`{each}`' for each in axes)}",
            )
        op = self.replace(axis=name)
        op.outputs(inputs)
        return op

    def dimension(self, inputs: Inputs) -> int:
        """The index of the axis, channels first without the batch: 0 is the channels."""
        return ("channels", *inputs[0].axes).index(self.axis)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        where = self.dimension(inputs)
        rows = [type_.shape for type_ in inputs]
        others = {row[:where] + row[where + 1 :] for row in rows}
        if len({len(row) for row in rows}) > 1 or len(others) > 1:
            raise Misfit(
                shapes.MERGE,
                f"`concat` along {self.axis} cannot join {' and '.join(map(str, inputs))}",
                notes=(f"all axes except {self.axis} must be equal",),
                help=self._advice(inputs),
            )
        shape = list(rows[0])
        shape[where] = sum(row[where] for row in rows)
        return (Type(shape[0], tuple(shape[1:])),)

    def _advice(self, inputs: Inputs) -> str:
        map_ = next((each for each in inputs if each.spatial), inputs[0])
        vector = next((each for each in inputs if not each.spatial), None)
        if map_.spatial and vector is not None:
            ones = ", ".join("1" for _ in map_.spatial)
            size = map_.sizes[0] if len(set(map_.sizes)) == 1 else list(map_.sizes)
            return (
                f"repeat the vector over the positions first: `- reshape: [{vector.channels}, {ones}]`, then "
                f"`- upsample: {{size: {size}}}`"
            )
        other = next((each for each in inputs if each.spatial != map_.spatial), map_)
        large, small = sorted((map_, other), key=lambda type_: sum(type_.sizes), reverse=True)
        strides = _strides(large, small) if self.axis == "channels" else None
        if strides is not None:
            wanted = strides[0] if len(set(strides)) == 1 else list(strides)
            return f"a window with `stride: {wanted}` gives the branch of {large} the sizes of the other"
        return "pad, stride or crop the branches to the same sizes"

    def reach(self, inputs: Inputs) -> Reach | None:
        # Along a spatial axis, the branch of a position depends on the position.
        rank = len(inputs[0].spatial)
        return Reach((EACH,) * rank, stacks=True) if self.axis == "channels" else None
