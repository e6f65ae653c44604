"""Text with holes: what a backend writes of one use of a block, before all uses become one definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | float | bool | str | tuple["Value", ...]
"""What may stand in a hole: a literal."""


def literal(value: Value) -> str:
    """The literal as a formatter leaves it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    # `1e-05` is 1e-5 to a person.
    return repr(value).replace("e-0", "e-")


def quoted(text: str) -> str:
    """A string literal in double quotes; whatever is in it stays in it."""
    escaped = "".join(_escape(character) for character in text)
    return f'"{escaped}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Slot:
    """A literal that may differ between uses of a block.

    `hint` is what it is called, as a parameter of the layer. With a `default`, the argument in which it
    stands is left out where it is that in every use. `channels` marks a count of channels: such counts may be derived
    from each other (`2 * filters`), others not. `kept` marks one in a method that runs later, when the parameters
    are out of sight: the definition keeps what differs in an attribute.
    """

    value: Value
    hint: str
    default: Value | None = None
    channels: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """The number of a repetition: within a `Loop` that was folded its variable, elsewhere the number."""

    number: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A string literal of plain text, `Index`es and `Raw` expressions: an f-string when it has to be."""

    parts: tuple[str | Index | Raw, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """An expression within a `Quoted`: `Raw("name")` is `{name}`."""

    text: str


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call. It is left out when it is a `Slot` that has its default in every use."""

    value: Part
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, whose arguments may fall away. `tail` is text after the closing bracket (`(x)`, `.eval()`)."""

    function: str
    arguments: tuple[Argument, ...] = ()
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Calls one after the other in a list of arguments; runs of alike ones become a generator, starred.

    `*(Unit(128) for _ in range(3))`, or `*(Layer(64 + 32 * i) for i in range(24))`. `listed` is for a call that takes
    one list: in square brackets, or the generator alone.
    """

    items: tuple[Part, ...]
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice without so many positions at its start and its end: `4:-4`; nothing stands for 0."""

    start: Part = ""
    end: Part = ""


@dataclass(frozen=True, slots=True)
class Seq:
    """Parts one after the other."""

    parts: tuple[Part, ...]


Part = str | Slot | Index | Quoted | Call | Series | Seq | Cut


@dataclass(frozen=True, slots=True)
class Line:
    """A statement. `tap` is (variable, node): after it the variable holds what the node gives.

    An empty one with a tap is nothing to be written: the statement before it makes the node's value, too.
    Within the bodies of a `Loop` the node has `{}` where the number of the repetition goes.
    """

    part: Part
    indent: int = 0
    tap: tuple[str, str] | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """Statements for each repetition, numbered from 0; runs of alike ones become a `for` over a range.

    A `variable` other than `i` must be among the names that `unify` is told are taken.
    """

    bodies: tuple[tuple[Line | Loop, ...], ...]
    indent: int = 0
    variable: str = "i"


Body = tuple[Line | Loop, ...]


@dataclass(frozen=True)
class Use:
    """One use of a definition.

    `place` is its path. `known` are names that may be parameters, the best first, with their values here:
    the block's own arguments, then `in_channels`. `given` are expressions that need no parameter
    (`x.shape[-1]`). `members` are the names of what is in it, to tell variants apart.
    """

    place: str
    body: Body
    known: Mapping[str, Value] = field(default_factory=dict)
    given: Mapping[str, Value] = field(default_factory=dict)
    members: tuple[str, ...] = ()


def call(function: str, *arguments: Part, tail: str = "", **keywords: Part) -> Call:
    """A call of a function by its name, with positional and keyword arguments."""
    positional = tuple(Argument(each) for each in arguments)
    named = tuple(Argument(each, name) for name, each in keywords.items())
    return Call(function, positional + named, tail)


def seq(*parts: Part) -> Seq:
    """Parts one after the other."""
    return Seq(parts)
