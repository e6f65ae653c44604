"""Ops that select, reorder or repeat positions along an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.axes import Along, AxisName, place_on, present_axis, removed, resized, resolved_axis
from netspec.ops.base import Inputs, Meaning, Misfit, Moves, Op
from netspec.ops.fields import PerAxis
from netspec.ops.reach import EACH, At, Reach, Rolled, Window
from netspec.ops.roles import LENGTHS
from netspec.types import Type


class Slice(Along):
    """A part of one axis: from `start` up to, not including, `stop`, every `step`-th.

    As in Python, negative numbers count from the end; a number outside of the axis is an error. Several axes of a map
    are cut by `crop`.
    """

    keyword = "slice"

    axis: AxisName | None = "channels"
    """The axis; for a tensor of indices, state it."""
    start: int | None = None
    """The first position. The default is the first of the axis."""
    stop: int | None = None
    """The position after the last one. The default is the end of the axis."""
    step: Annotated[int, Field(ge=1)] = 1
    """The distance between the kept positions."""

    def _resolve(self, inputs: Inputs) -> Self:
        op = self.replace(axis=present_axis(inputs[0], self.axis))
        size = op.size(inputs)
        start = place_on(op, inputs, "start", self.start or 0, size)
        stop = size if self.stop is None else place_on(op, inputs, "stop", self.stop, size, end=True)
        if stop <= start:
            raise Misfit(
                shapes.SIZE,
                f"nothing is left: the part of {op.axis} from {start} up to {stop} is empty",
                "start" if self.stop is None else "stop",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help=f"use a `stop` from {start + 1} to {size}",
            )
        # The numbers stay as they are: so they say the same for another size of the axis.
        return op.replace(start=self.start or 0)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"axis": "channels" if type_.channels is not None else type_.axes[0]}

    @property
    def open_bounds(self) -> tuple[int, int | None, int]:
        """Start, stop and step; negative numbers count from the end, and no stop is the end."""
        return self.start or 0, self.stop, self.step

    def bounds(self, inputs: Inputs) -> tuple[int, int, int]:
        """Start, stop and step, counted from 0. The op must be resolved."""
        return slice(*self.open_bounds).indices(self.size(inputs))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (resized(inputs[0], self.dimension(inputs), len(range(*self.bounds(inputs)))),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.along(inputs, Window(stride=self.step, before=-self.bounds(inputs)[0]))


class Take(Along):
    """One position of an axis, which the output does not have any more: `take: -1` is the last step of a sequence.

    With `lengths` (`from: [x, lengths]`), `take: -1` is the last step of each sample that counts; a sample of length 0
    gives zeros.
    """

    keyword = "take"
    main = "position"
    inputs = (*Along.inputs, LENGTHS)

    position: int
    """The position, from 0; a negative one counts from the end."""

    def _resolve(self, inputs: Inputs) -> Self:
        is_vector = inputs[0].channels is not None and not inputs[0].spatial
        axis = "channels" if self.axis is None and is_vector else self.axis
        op = self.replace(axis=resolved_axis(inputs[0], axis))
        if op.axis == "channels":
            stop = "" if self.position == -1 else f", stop: {self.position + 1}"
            raise Misfit(
                shapes.RANK,
                f"{inputs[0]} has no spatial axes, and `take` removes one"
                if is_vector
                else "`take` removes an axis, and a tensor of numbers keeps its channels",
                "axis",
                help=f"use `slice` for a part of the channels: `slice: {{start: {self.position}{stop}}}`",
            )
        if len(inputs) > 1:
            self._check_lengths(*inputs)
            return op
        place_on(op, inputs, "position", self.position, op.size(inputs))
        return op

    def _check_lengths(self, sequence: Type, lengths: Type) -> None:
        if sequence.channels is None:
            raise Misfit(
                shapes.KIND,
                f"with `lengths`, `take` gives zeros for a sample of length 0, and no index says that; the input is "
                f"{sequence}",
                help="put `embedding: …` or `one_hot` before it",
            )
        if len(sequence.spatial) > 1:
            raise Misfit(
                shapes.RANK,
                f"`lengths` says how long each sequence of numbers is; the input is {sequence}",
                help="leave the lengths out, or give it sequences, with one axis",
            )
        if lengths.spatial:
            raise Misfit(
                shapes.RANK,
                f"`lengths` is one whole number for each sample; it gets {lengths}",
                help="give that input `shape: []`",
            )
        steps = sequence.sizes[0]
        if (lengths.vocabulary or 0) > steps + 1:
            raise Misfit(
                shapes.SIZE,
                f"`lengths` goes up to {(lengths.vocabulary or 0) - 1}, and the sequence has {steps} steps",
                help=f"give that input `vocabulary: {steps + 1}`: its numbers are then 0 to {steps}",
            )
        if self.position != -1:
            raise Misfit(
                shapes.SIZE,
                f"with `lengths`, only the last step can be taken; `position` is {self.position}",
                "position",
                help="use `position: -1`, or leave the lengths out",
            )

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"position": 0, "axis": type_.axes[0] if type_.spatial else "time"}

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (resized(inputs[0], self.dimension(inputs), None),)

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return super().means(inputs[:1])

    def moves(self, inputs: Inputs) -> Moves | None:
        # A sample without a step that counts gives zeros, which a function would change.
        return None if len(inputs) > 1 else super().moves(inputs)

    def reach(self, inputs: Inputs) -> Reach | None:
        # With lengths, the position is another one for each sample.
        return removed(self, inputs, At(None if len(inputs) > 1 else self.position % self.size(inputs)))


class Reverse(Along):
    """The positions of an axis in reverse order."""

    keyword = "reverse"
    main = "axis"

    def moves(self, inputs: Inputs) -> Moves | None:
        # Channels in another order, all of them, have the same softmax.
        return "positions"

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"axis": (*type_.axes, "channels")[0]}

    def reach(self, inputs: Inputs) -> Reach | None:
        size = self.size(inputs)
        return self.along(inputs, EACH if size == 1 else Window(stride=-1, before=1 - size))


class Roll(Along):
    """The positions of an axis moved on by `shift`; those that leave it at the end come in at the start."""

    keyword = "roll"
    main = "shift"

    shift: int
    """By how many positions; a negative number moves towards the start."""

    def _resolve(self, inputs: Inputs) -> Self:
        return self.replace(axis=resolved_axis(inputs[0], self.axis))

    def steps(self, inputs: Inputs) -> int:
        """By how many positions towards the end, fewer than the axis has. The op must be resolved."""
        return self.shift % self.size(inputs)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"shift": 1, "axis": (*type_.axes, "channels")[0]}

    def moves(self, inputs: Inputs) -> Moves | None:
        # Channels in another order, all of them, have the same softmax.
        return "positions"

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)

    def reach(self, inputs: Inputs) -> Reach | None:
        # More than half of the positions lie on one side of the seam.
        size, steps = self.size(inputs), self.steps(inputs)
        before = steps if 2 * steps <= size else steps - size
        return self.along(inputs, Rolled(before) if steps else EACH)


class RepeatVector(Op):
    """A vector at each position of a new map: `repeat_vector: 10` gives a sequence of 10 equal steps.

    Two or three sizes give an image or a volume; `like: name` takes the sizes of another layer.
    """

    keyword = "repeat_vector"
    main = "size"
    keeps_order = True
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    size: PerAxis | None = None
    """The sizes of the map: one for a sequence, two for an image, three for a volume."""

    def _resolve(self, inputs: Inputs) -> Self:
        if self.size is None:
            raise Misfit(
                shapes.SIZE,
                "`repeat_vector` needs the sizes of the map",
                help="write `repeat_vector: …`, or `repeat_vector: {like: NAME}`",
            )
        if inputs[0].spatial:
            raise Misfit(
                shapes.RANK,
                f"`repeat_vector` takes a vector; the input is a map, {inputs[0]}",
                help="`upsample` repeats the positions of a map; `take` and the global pools make a vector of it",
            )
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, self.size or ()),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(())
