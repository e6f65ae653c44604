"""Ops that select, reorder, split or repeat positions along an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator, Field
from netspec.ops.axes import Along, AxisName, resized, resolved_axis
from netspec.ops.base import Inputs, Meaning, Misfit, Moves, Op
from netspec.ops.fields import AuthorForm, PerAxis, refusal
from netspec.ops.reach import ANYWHERE, EACH, WHOLE, At, Listed, Reach, Rolled, Taps, Window
from netspec.ops.roles import FIRST, LENGTHS, Port, Role
from netspec.types import Type


def _place(op: Along, inputs: Inputs, field: str, value: int, size: int, end: bool = False) -> int:
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
        op = self.replace(axis=_present(inputs[0], self.axis))
        size = op.size(inputs)
        start = _place(op, inputs, "start", self.start or 0, size)
        stop = size if self.stop is None else _place(op, inputs, "stop", self.stop, size, end=True)
        if stop <= start:
            raise Misfit(
                shapes.SIZE,
                f"nothing is left: the part of {op.axis} from {start} up to {stop} is empty",
                "start" if self.stop is None else "stop",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help=f"use a `stop` from {start + 1} to {size}",
            )
        return op.replace(start=start, stop=stop)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"axis": "channels" if type_.channels is not None else type_.axes[0]}

    @property
    def bounds(self) -> tuple[int, int, int]:
        """Start, stop and step. The op must be resolved."""
        return self.start or 0, self.stop or 0, self.step

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (resized(inputs[0], self.dimension(inputs), len(range(*self.bounds))),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.along(inputs, Window(stride=self.step, before=-self.bounds[0]))


def _present(type_: Type, axis: AxisName | None) -> AxisName:
    """The name of the axis. A tensor of indices has no channels, so its only axis is the default."""
    if type_.channels is None and axis == "channels" and len(type_.spatial) == 1:
        axis = None
    return resolved_axis(type_, axis)


def _parts(value: object) -> object:
    """The parts as (name, size) pairs. A list of names means equal parts, with size 0 until the axis is known."""
    given = value
    if isinstance(value, list):
        given = dict.fromkeys(value, 0) if all(isinstance(each, str) for each in value) else None
        if given is not None and len(given) < len(value):
            raise refusal("parts", "two parts have one name", "give each part a name of its own")
    if isinstance(value, tuple):
        return value
    if not isinstance(given, Mapping) or len(given) < 2:
        raise refusal(
            "parts",
            "the parts are a list of at least two names, or at least two `name: size`",
            "write `[a, b]` for equal parts, or `parts: {a: 32, b: 64}`",
        )
    for name, size in given.items():
        if name == FIRST:
            raise refusal(
                "parts",
                f"`{FIRST}` cannot be the name of a part: every layer has it for its first output",
                f"give this part another name, such as `{FIRST}s`",
                (name,),
            )
        if not isinstance(name, str) or not name.isidentifier():
            raise refusal(
                "parts",
                f"`{name}` cannot be the name of a part",
                "use letters, digits and underscores",
                (str(name),),
            )
        if isinstance(size, bool) or not isinstance(size, int) or size < (0 if given is not value else 1):
            raise refusal(
                "parts",
                f"the size of the part `{name}` is a whole number from 1, not {size!r}",
                f"write `[{', '.join(map(str, given))}]` for equal parts",
                (name,),
            )
    return tuple(given.items())


def _parts_schema() -> dict[str, Any]:
    sizes = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}, "minProperties": 2}
    names = {"type": "array", "items": {"type": "string"}, "minItems": 2, "examples": [["a", "b"]]}
    return {
        "description": "a list of names, for equal parts, or a `name: size` for each",
        "anyOf": [names, sizes],
    }


Parts = Annotated[tuple[tuple[str, int], ...], BeforeValidator(_parts), AuthorForm(_parts_schema)]


class Split(Along):
    """Cuts one axis into parts, each an output with a name: `split: [gate, value]` gives `NAME.gate` and `NAME.value`.

    The first part is also the current tensor after the op. The parts must fill the axis; a part without a use of its
    own is what `slice` is for.
    """

    keyword = "split"
    main = "parts"

    parts: Parts
    """The names of the parts in their order: a list for equal parts, or each with its size."""
    axis: AxisName | None = "channels"
    """The axis; for a tensor of indices, state it."""

    def _resolve(self, inputs: Inputs) -> Self:
        op = self.replace(axis=_present(inputs[0], self.axis))
        size, given = op.size(inputs), sum(part for _, part in self.parts)
        names = ", ".join(name for name, _ in self.parts)
        if given == 0:
            if size % len(self.parts):
                raise Misfit(
                    shapes.SIZE,
                    f"{op.axis} has {size} positions, which cannot be cut into {len(self.parts)} equal parts ({names})",
                    "parts",
                    notes=(f"the input is {inputs[0]}{{source}}",),
                    help=f"give each part a size: `parts: {{{_sizes(self.parts, size)}}}`",
                )
            return op.replace(parts=tuple((name, size // len(self.parts)) for name, _ in self.parts))
        if given != size:
            last, part = self.parts[-1]
            left = size - given + part
            kept = ", ".join(f"{name}: {part}" for name, part in (*self.parts[:-1], (last, left)))
            raise Misfit(
                shapes.SIZE,
                f"the parts do not fill {op.axis}: "
                f"{' + '.join(str(part) for _, part in self.parts)} = {given}, and the axis has {size}",
                "parts",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help=f"write `parts: {{{kept if left > 0 else _sizes(self.parts, size)}}}`"
                if size >= len(self.parts)
                else f"use fewer parts: the axis has {size} positions",
            )
        return op

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"parts": ["a", "b"], "axis": "channels" if type_.channels is not None else type_.axes[0]}

    def first(self) -> str:
        return self.parts[0][0]

    def further(self) -> tuple[Port, ...]:
        return tuple(Port(name, "A part of the axis.") for name, _ in self.parts[1:])

    def settings(self) -> dict[str, object]:
        """The fields by name, the parts as in a spec."""
        return {**super().settings(), "parts": dict(self.parts)}

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the parts, in order. The op must be resolved."""
        return tuple(size for _, size in self.parts)

    def bounds(self, name: str | None = None) -> tuple[int, int]:
        """The start and the end of the part with this name on the axis; without a name, of the first part."""
        at = next((number for number, (each, _) in enumerate(self.parts) if each == name), 0)
        start = sum(self.sizes[:at])
        return start, start + self.sizes[at]

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return tuple(resized(inputs[0], self.dimension(inputs), size) for size in self.sizes)

    def moves(self, inputs: Inputs) -> Moves | None:
        return None

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.along(inputs, EACH)

    def port_reaches(self, port: str, inputs: Inputs) -> Sequence[Reach | None]:
        start, _ = self.bounds(port)
        return [self.along(inputs, Window(before=-start))]


def _sizes(parts: tuple[tuple[str, int], ...], size: int) -> str:
    """`name: size` of each part, for sizes that fill the axis and differ by at most 1."""
    least, more = divmod(size, len(parts))
    return ", ".join(f"{name}: {least + (number < more)}" for number, (name, _) in enumerate(parts))


def removed(op: Along, inputs: Inputs, place: At) -> Reach:
    """The reach of an op that keeps one place of its axis, which the output does not have."""
    rank, own = len(inputs[0].spatial), op.dimension(inputs) - (inputs[0].channels is not None)
    axes = tuple(place if axis == own else EACH for axis in range(rank))
    return Reach(axes, along=tuple(axis - (axis > own) for axis in range(rank)))


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
        _place(op, inputs, "position", self.position, op.size(inputs))
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
        op = self.replace(axis=resolved_axis(inputs[0], self.axis))
        return op.replace(shift=self.shift % op.size(inputs))

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
        size = self.size(inputs)
        before = self.shift if 2 * self.shift <= size else self.shift - size
        return self.along(inputs, Rolled(before) if self.shift else EACH)


def _listed(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        raise refusal(
            "positions",
            "`gather` takes a list of positions",
            f"write `[{value}]` for a list of one; `- take: {value}` is the op that also removes the axis",
        )
    if value == []:
        raise refusal("positions", "the list has no position", "write at least one, such as `[0]`")
    return tuple(value) if isinstance(value, list) else value


PositionList = Annotated[
    tuple[int, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    AuthorForm(
        lambda: {
            "description": "a list of whole numbers",
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 1,
        }
    ),
]


INDICES = Role(
    "indices",
    "The positions of each sample, in place of `positions`: an input with a `vocabulary`, of one axis or none.",
    takes=("indices",),
    least=0,
)


class Gather(Along):
    """These positions of an axis, in this order, any of them several times: `gather: [0, 2, 2, -1]`.

    With `indices` (`gather: , from: [x, indices]`), the positions are other ones for each sample: a list of indices
    takes the place of the axis; one index for a sample removes it.
    """

    keyword = "gather"
    main = "positions"
    inputs = (*Along.inputs, INDICES)

    positions: PositionList | None = None
    """The positions, from 0; negative ones count from the end."""

    def _resolve(self, inputs: Inputs) -> Self:
        op = self.replace(axis=resolved_axis(inputs[0], self.axis))
        size = op.size(inputs)
        if len(inputs) > 1:
            op._check_indices(size, inputs[1])
            return op
        if self.positions is None:
            raise Misfit(
                shapes.SIZE,
                "`gather` needs the positions to take",
                help="write `gather: [0, 2]`, or `from: [NAME, INDICES]` beside it, where INDICES is an input with a "
                "`vocabulary`",
            )
        return op.replace(
            positions=tuple(_place(op, inputs, "positions", each, size) for each in self.positions)
        )

    def _check_indices(self, size: int, indices: Type) -> None:
        if self.positions is not None:
            raise Misfit(
                shapes.SIZE,
                "the positions come from the second input, and `positions` states others",
                "positions",
                help="leave one of them out",
            )
        if len(indices.spatial) > 1 or (self.axis == "channels" and not indices.spatial):
            least = "an axis" if self.axis == "channels" else "at most one axis"
            raise Misfit(
                shapes.RANK,
                f"`gather` along {self.axis} takes indices with {least}; it gets {indices}",
                help="give that input one size: `shape: [5]`",
            )
        if (indices.vocabulary or 0) > size:
            raise Misfit(
                shapes.SIZE,
                f"the indices go up to {(indices.vocabulary or 0) - 1}, and {self.axis} has {size} positions, "
                f"from 0 to {size - 1}",
                help=f"give that input `vocabulary: {size}`",
            )

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"positions": [0, 0], "axis": (*type_.axes, "channels")[0]}

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        count: int | None = len(self.positions or ())
        if len(inputs) > 1:
            count = next(iter(inputs[1].sizes), None)
        return (resized(inputs[0], self.dimension(inputs), count),)

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return super().means(inputs[:1])

    def moves(self, inputs: Inputs) -> Moves | None:
        return None if len(inputs) > 1 else super().moves(inputs)

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        if len(inputs) == 1:
            return [self.along(inputs, _taps(self.positions or ()))]
        if inputs[1].spatial:
            at = self.dimension(inputs) - (inputs[0].channels is not None)
            # Channels are not positions: each position depends on all indices of channels.
            indices = Reach((WHOLE,)) if at < 0 else Reach((EACH,), along=(at,))
            return [self.along(inputs, ANYWHERE), indices]
        return [removed(self, inputs, At(None)), Reach(())]


def _taps(positions: Sequence[int]) -> Taps:
    """A window, where the positions are evenly spaced."""
    first, *others = positions
    step = others[0] - first if others else 1
    even = tuple(range(first, first + step * len(positions), step)) if step else ()
    return Window(stride=step, before=-first) if even == tuple(positions) else Listed(tuple(positions))


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
