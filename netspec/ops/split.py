"""The op that cuts an axis into parts with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator
from netspec.ops.axes import Along, AxisName, present_axis, resized
from netspec.ops.base import Inputs, Misfit, Moves
from netspec.ops.fields import AuthorForm, refusal
from netspec.ops.reach import EACH, Reach, Window
from netspec.ops.roles import FIRST, Port
from netspec.types import Type


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
        op = self.replace(axis=present_axis(inputs[0], self.axis))
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
