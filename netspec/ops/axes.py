"""Names of axes, and the common part of ops that work along one axis."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.reach import EACH, At, Reach, Taps
from netspec.ops.roles import Role
from netspec.types import Type

AxisName = Literal["channels", "time", "depth", "height", "width"]


def names_of(type_: Type) -> tuple[str, ...]:
    """The names of the axes in the order of the shape; indices have no channels."""
    return type_.axes if type_.channels is None else ("channels", *type_.axes)


def resolved_axis(type_: Type, axis: AxisName | None) -> AxisName:
    """The name of an axis that the type has; without a name, its only spatial axis.

    Raises:
        Misfit: there is no such axis, or there are several that it could be.
    """
    names = names_of(type_)
    listed = ", ".join(f"`{each}`" for each in names)
    if axis is None:
        if len(type_.spatial) == 1:
            return "time"
        if not names:
            raise Misfit(
                shapes.RANK,
                f"{type_} has no axes: it is one index for each sample",
                help="take a tensor with an axis: an input with `shape: [5]` has five indices for each sample",
            )
        why = f"has {len(type_.spatial)} spatial axes" if type_.spatial else "has no spatial axes"
        raise Misfit(
            shapes.RANK,
            f"{type_} {why}, so `axis` must say which one is meant",
            help=f"its axes are {listed}: write `axis: {names[1 if type_.spatial else 0]}`",
        )
    # `time` is also a name of the first axis of a video.
    name: AxisName = "depth" if axis == "time" and len(type_.spatial) == 3 else axis
    if name not in names:
        one = "it is one index for each sample; an input with `shape: [5]` has five"
        has = f"its axes are {listed}" if names else one
        raise Misfit(shapes.RANK, f"{type_} has no axis `{axis}`", "axis", help=has)
    return name


def present_axis(type_: Type, axis: AxisName | None) -> AxisName:
    """The name of the axis. A tensor of indices has no channels, so its only axis is the default."""
    if type_.channels is None and axis == "channels" and len(type_.spatial) == 1:
        axis = None
    return resolved_axis(type_, axis)


def resized(type_: Type, dimension: int, size: int | None) -> Type:
    """The type with another size of one axis, counted in its shape; None removes the axis."""
    shape = [*type_.shape]
    shape[dimension : dimension + 1] = [] if size is None else [size]
    if type_.channels is None:
        return Type(None, tuple(shape), type_.dtype, vocabulary=type_.vocabulary)
    return Type(shape[0], tuple(shape[1:]), type_.dtype)


class Along(Op):
    """The common part of ops that select, reorder or repeat positions along one axis. Indices stay indices."""

    inputs: ClassVar[tuple[Role, ...]] = (Role("input", takes=("numbers", "indices")),)
    keeps_order = True

    axis: AxisName | None = None
    """The axis. The default is the only spatial axis of a sequence."""

    def _resolve(self, inputs: Inputs) -> Self:
        return self.replace(axis=resolved_axis(inputs[0], self.axis))

    def dimension(self, inputs: Inputs) -> int:
        """The index of the axis in the shape of the input, without the batch. The op must be resolved."""
        return names_of(inputs[0]).index(str(self.axis))

    def size(self, inputs: Inputs) -> int:
        """The size of the axis."""
        return inputs[0].shape[self.dimension(inputs)]

    def moves(self, inputs: Inputs) -> Moves | None:
        return "values" if self.axis == "channels" else "positions"

    def along(self, inputs: Inputs, taps: Taps) -> Reach:
        """The reach: `taps` along the axis, and the same position along the other axes."""
        axes: list[Taps] = [EACH] * len(inputs[0].spatial)
        if self.axis != "channels":
            axes[inputs[0].axes.index(str(self.axis))] = taps
        return Reach(tuple(axes), splits=self.axis == "channels")


def place_on(op: Along, inputs: Inputs, field: str, value: int, size: int, end: bool = False) -> int:
    """A position as an index from 0; a negative one counts from the end. With `end`, the size itself is allowed.

    Raises:
        Misfit: the axis has no such position.
    """
    place = value + size if value < 0 else value
    if 0 <= place < size + end:
        return place
    last = size if end else size - 1
    raise Misfit(
        shapes.SIZE,
        f"`{field}: {value}` is outside of {op.axis}, which has {size} positions, from 0 to {size - 1}",
        field,
        notes=(f"the input is {inputs[0]}{{source}}",),
        help=f"use a number from {-size} to {last}; a negative one counts from the end",
    )


def removed(op: Along, inputs: Inputs, place: At) -> Reach:
    """The reach of an op that keeps one place of its axis, which the output does not have."""
    rank, own = len(inputs[0].spatial), op.dimension(inputs) - (inputs[0].channels is not None)
    axes = tuple(place if axis == own else EACH for axis in range(rank))
    return Reach(axes, along=tuple(axis - (axis > own) for axis in range(rank)))
