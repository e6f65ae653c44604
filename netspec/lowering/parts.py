"""The parts of an expression, from which a backend builds the text of one use of a block.

Each part is one class: its data, and the form of the tree that it becomes; the form decides how it is written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from netspec.dataclass import dataclass
from netspec.lowering.tree import Branch, EqualRun, Hole, LiteralValue, RepetitionNumber, Tree, TreeWriter


def literal(value: LiteralValue) -> str:
    """The text of a literal as a formatter writes it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    # `1e-05` is 1e-5 to a person.
    return repr(value).replace("e-0", "e-")


def quoted(text: str) -> str:
    """A string literal in double quotes, with its content escaped."""
    escaped = "".join(_escape(character) for character in text)
    return f'"{escaped}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


class Piece(ABC):
    """A part of a text that is more than plain text."""

    @abstractmethod
    def tree(self, names: Names) -> Tree:
        """Its tree, with `names` substituted."""


Part = str | Piece
"""A part of a text; a string is plain text."""

Names = Mapping["Name", Part]
"""The part to substitute for each name at one place."""


def tree(part: Part, names: Names | None = None) -> Tree:
    """The tree of a part."""
    return _words(part) if isinstance(part, str) else part.tree(names or {})


@lru_cache(maxsize=4096)
def _words(text: str) -> Branch:
    return Branch(Words(text))


class Words(NamedTuple):
    """Plain text."""

    words: str

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        return self.words


@dataclass(frozen=True, slots=True, eq=False)
class Name(Piece):
    """A name to substitute where the part is used: the variable of an input, or the attribute that holds the layer.

    Each name is one object.
    """

    key: str

    def tree(self, names: Names) -> Tree:
        return tree(names[self], names)

    def __format__(self, spec: str) -> str:
        raise TypeError(f"{self} is a part of a text, and has no text of its own: use `seq` or `call`")


@dataclass(frozen=True, slots=True)
class NamedPart(Piece):
    """A part together with its names."""

    part: Part
    names: Names

    def tree(self, names: Names) -> Tree:
        return tree(self.part, self.names)


@dataclass(frozen=True, slots=True)
class Slot(Piece):
    """A literal that may differ between uses of a block.

    `hint` is its name as a parameter of the layer. With a `default`, the argument is left out if every use has the
    default. `channels` marks a count of channels: such counts may be derived from each other (`2 * filters`), others
    may not. `kept` marks a literal in a method in which the parameters are not visible: if it differs, the definition
    keeps it in an attribute.
    """

    value: LiteralValue
    hint: str
    default: LiteralValue | None = None
    channels: bool = False
    kept: bool = False

    def tree(self, names: Names) -> Tree:
        return Hole((self.value,), self.hint, self.default, self.channels, kept=self.kept)


@dataclass(frozen=True, slots=True)
class Index(Piece):
    """The number of a repetition: the loop variable in a folded `Loop`, otherwise the number itself."""

    number: int

    def tree(self, names: Names) -> Tree:
        return RepetitionNumber(self.number)


@dataclass(frozen=True, slots=True)
class Raw(Piece):
    """An expression in a `Quoted`: `Raw("name")` is `{name}`."""

    text: str

    def tree(self, names: Names) -> Tree:
        return Branch(Braces(self.text))


class Braces(NamedTuple):
    """An expression in a string."""

    expression: str

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        return f"{{{self.expression}}}"


@dataclass(frozen=True, slots=True)
class Quoted(Piece):
    """A string literal of plain text, `Index`es and `Raw` expressions; it becomes an f-string if necessary."""

    parts: tuple[str | Index | Raw, ...]

    def tree(self, names: Names) -> Tree:
        return Branch(STRING, tuple(tree(each, names) for each in self.parts))


class String:
    """A string literal: plain text, numbers of repetitions, expressions."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        live = any(_is_live(each, pen) for each in branches)
        return f'{"f" if live else ""}"{"".join(_in_string(each, pen, live) for each in branches)}"'


STRING = String()


def _is_live(piece: Tree, pen: TreeWriter) -> bool:
    """Whether a piece of a string is computed when the text runs."""
    expression = isinstance(piece, Branch) and isinstance(piece.form, Braces)
    return expression or (isinstance(piece, RepetitionNumber) and bool(pen.number))


def _in_string(piece: Tree, pen: TreeWriter, live: bool) -> str:
    text = piece.text(pen)
    if _is_live(piece, pen):
        return f"{{{text}}}" if isinstance(piece, RepetitionNumber) else text
    escaped = quoted(text)[1:-1]
    return escaped.replace("{", "{{").replace("}", "}}") if live else escaped


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call. It is left out if it is a `Slot` that has its default in every use."""

    value: Part
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Call(Piece):
    """A call; arguments can be left out. `tail` is text after the closing bracket (`(x)`, `.eval()`)."""

    function: str
    arguments: tuple[Argument, ...] = ()
    tail: str = ""

    def tree(self, names: Names) -> Tree:
        keywords = tuple(each.keyword for each in self.arguments)
        values = tuple(tree(each.value, names) for each in self.arguments)
        return Branch(Called(self.function, keywords, self.tail), values)


class Called(NamedTuple):
    """A call."""

    function: str
    keywords: tuple[str, ...]
    tail: str

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        given = ", ".join(
            f"{keyword}={value.text(pen)}" if keyword else value.text(pen)
            for keyword, value in zip(self.keywords, branches, strict=True)
            if not (isinstance(value, Hole) and value.omitted)
        )
        return f"{self.function}({given}){self.tail}"


@dataclass(frozen=True, slots=True)
class Series(Piece):
    """Several calls in a list of arguments; runs of equal calls become a starred generator.

    `*(Unit(128) for _ in range(3))`, or `*(Layer(64 + 32 * i) for i in range(24))`. `listed` is for a call that takes
    one list: it is written in square brackets, or as the generator only.
    """

    items: tuple[Part, ...]
    listed: bool = False

    def tree(self, names: Names) -> Tree:
        return Branch(Items(self.listed), singles([tree(each, names) for each in self.items], "i"))


class Items(NamedTuple):
    """Runs in a list of arguments."""

    listed: bool

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        runs = [each for each in branches if isinstance(each, EqualRun)]
        if self.listed and len(runs) == 1 and not runs[0].single:
            return runs[0].text(pen)
        text = ", ".join(each.text(pen) if each.single else f"*({each.text(pen)})" for each in runs)
        return f"[{text}]" if self.listed else text


def singles(items: Sequence[Tree], variable: str) -> tuple[EqualRun, ...]:
    """Repetitions before they are folded, each a run of its own."""
    return tuple(EqualRun.of(item, at, 1, 1, variable=variable) for at, item in enumerate(items))


@dataclass(frozen=True, slots=True)
class Cut(Piece):
    """A slice without so many positions at its start and its end: `4:-4`; nothing stands for 0."""

    start: Part = ""
    end: Part = ""

    def tree(self, names: Names) -> Tree:
        return Branch(SLICE, (tree(self.start, names), tree(self.end, names)))


class SliceForm:
    """A slice as a formatter leaves it: with spaces where a side is more than a number."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        left, end = (each.text(pen) for each in branches)
        right = f"-{end}" if end else ""
        if left.isdigit() + right[1:].isdigit() == bool(left) + bool(right):
            return f"{left}:{right}"
        return f"{left} : {right}".strip()


SLICE = SliceForm()


@dataclass(frozen=True, slots=True)
class Range(Piece):
    """A slice from a position up to another: `4:8`, `4:8:2`; nothing stands for the ends and for a step of 1."""

    start: Part = ""
    stop: Part = ""
    step: Part = ""

    def tree(self, names: Names) -> Tree:
        return Branch(STRETCH, tuple(tree(each, names) for each in (self.start, self.stop, self.step)))


class Stretch:
    """A slice from a position to another, with spaces where a side is more than a number."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        start, stop, step = (each.text(pen) for each in branches)
        plain = all(each.lstrip("-").isdigit() for each in (start, stop, step) if each)
        colon = ":" if plain else " : "
        return f"{start}{colon}{stop}{colon + step if step else ''}".strip()


STRETCH = Stretch()


@dataclass(frozen=True, slots=True)
class Seq(Piece):
    """Parts one after the other."""

    parts: tuple[Part, ...]

    def tree(self, names: Names) -> Tree:
        return Branch(JOINED, tuple([tree(each, names) for each in self.parts]))


class JoinedTexts:
    """Texts one after the other."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        return "".join([each.text(pen) for each in branches])


JOINED = JoinedTexts()


def call(function: str, *arguments: Part, tail: str = "", **keywords: Part) -> Call:
    """A call of a function by its name, with positional and keyword arguments."""
    positional = tuple(Argument(each) for each in arguments)
    named = tuple(Argument(each, name) for name, each in keywords.items())
    return Call(function, positional + named, tail)


def seq(*parts: Part) -> Seq:
    """Parts one after the other."""
    return Seq(parts)


def joined(between: str, parts: Sequence[Part]) -> Seq:
    """Parts with text between them."""
    return Seq(tuple(piece for each in parts for piece in (between, each))[1:])
