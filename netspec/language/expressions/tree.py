"""The syntax tree of an expression; each part has its columns in the text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A number, a boolean, or a word in quotes."""

    start: int
    end: int
    value: int | float | str | bool

    def parts(self) -> tuple[ExpressionNode, ...]:
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class NamePath:
    """A name, or a path of names: `width`, `in.channels`. `owner_end` is where all but its last step ends."""

    start: int
    end: int
    steps: tuple[str, ...]
    owner_end: int

    @property
    def path(self) -> str:
        return ".".join(self.steps)

    def parts(self) -> tuple[ExpressionNode, ...]:
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Subscript:
    """`values[at]`."""

    start: int
    end: int
    values: ExpressionNode
    at: ExpressionNode

    def parts(self) -> tuple[ExpressionNode, ...]:
        return self.values, self.at


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """A call of a function: `max(a, b)`."""

    start: int
    end: int
    function: str
    arguments: tuple[ExpressionNode, ...]

    def parts(self) -> tuple[ExpressionNode, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """`-a`, `+a`, `not a`."""

    start: int
    end: int
    sign: str
    operand: ExpressionNode

    def parts(self) -> tuple[ExpressionNode, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """Arithmetic of two numbers."""

    start: int
    end: int
    sign: str
    left: ExpressionNode
    right: ExpressionNode

    def parts(self) -> tuple[ExpressionNode, ...]:
        return self.left, self.right


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A chain: `a < b <= c`, `a and b and c`. There is one operator fewer than operands."""

    start: int
    end: int
    signs: tuple[str, ...]
    operands: tuple[ExpressionNode, ...]

    def parts(self) -> tuple[ExpressionNode, ...]:
        return self.operands


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`value if condition else other`."""

    start: int
    end: int
    value: ExpressionNode
    condition: ExpressionNode
    other: ExpressionNode

    def parts(self) -> tuple[ExpressionNode, ...]:
        return self.value, self.condition, self.other


ExpressionNode = Literal | NamePath | Subscript | Application | Prefix | Binary | Chain | Choice


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A whole expression: its tree, and the text that its columns count in."""

    root: ExpressionNode
    text: str

    def source(self, node: ExpressionNode) -> str:
        """The text of a part, as written."""
        return self.text[node.start : node.end]

    def names(self) -> tuple[NamePath, ...]:
        """All names of values, in the order of the text."""
        return _names(self)


@lru_cache(maxsize=1024)
def _names(formula: Formula) -> tuple[NamePath, ...]:
    # A formula is evaluated for every item and repetition that has it.
    found = (each for each, _ in walk(formula.root) if isinstance(each, NamePath))
    return tuple(sorted(found, key=_start))


def _start(node: ExpressionNode) -> int:
    return node.start


def walk(root: ExpressionNode) -> Iterator[tuple[ExpressionNode, int]]:
    """All parts of a tree with their depths, from 1; outer parts come before inner ones."""
    todo = [(root, 1)]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        todo += [(each, depth + 1) for each in reversed(node.parts())]
