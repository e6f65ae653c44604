"""The statements of a text: what a backend writes of one use of a block, line by line.

Each kind is one class, as among the parts of an expression: what it holds, and the form of the tree that it becomes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from netspec.backend import LocalName
from netspec.lowering.parts import Names, Part, Piece, Words, singles, tree
from netspec.lowering.tree import Branch, Run, Tree, TreeWriter, Value


@dataclass(frozen=True, slots=True)
class Text:
    """A finished statement, not yet broken into lines."""

    text: str
    indent: int = 0
    tap: tuple[str, LocalName] | None = None
    comment: str = ""


class LineWriter(TreeWriter, Protocol):
    """What statements ask of the pen that writes them, besides what trees ask."""

    def node(self, name: LocalName) -> LocalName:
        """The name of a node."""

    def rounds(self, run: Run, indent: int, more: int) -> Iterator[Text]:
        """The statements of a run."""


@dataclass(frozen=True, slots=True)
class Line(Piece):
    """A statement: `to` is what it binds, `x` of `x = f(y)`, or `RETURN`.

    `tap` is (variable, node): after it the variable holds what the node gives; without a variable, the statement gives
    that back. An empty one with a tap is nothing to be written: the statement before it makes the node's value, too.
    Within the bodies of a `Loop` the node has None where the number of the repetition goes.
    """

    part: Part
    indent: int = 0
    tap: tuple[str, LocalName] | None = None
    comment: str = ""
    to: str = ""

    def tree(self, names: Names) -> Tree:
        form = Statement(self.indent, self.tap, self.to)
        return Branch(form, (tree(self.part, names), Remark(self.comment)))


RETURN = "return"
"""The target of a statement whose value the function returns."""


class Remark(Tree):
    """What is said beside a statement, if it is one thing in every use."""

    __slots__ = ("said",)

    def __init__(self, said: str) -> None:
        super().__init__(Remark)
        self.said = said

    def merged(self, trees: Sequence[Remark]) -> Remark:
        return self if all(each.said == self.said for each in trees) else Remark("")

    def text(self, pen: TreeWriter) -> str:
        return self.said

    def inner(self) -> Sequence[Tree]:
        return ()

    def around(self, inner: Sequence[Tree]) -> Tree:
        return self


class Statement(NamedTuple):
    """A statement of one line."""

    indent: int
    tap: tuple[str, LocalName] | None
    to: str

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        value = branches[0].text(pen)
        if self.to == RETURN:
            return f"return {value}"
        return f"{self.to} = {value}" if self.to else value

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        tap = self.tap and (self.tap[0], pen.node(self.tap[1]))
        yield Text(self.text(branches, pen), self.indent + more, tap, branches[1].text(pen))


@dataclass(frozen=True, slots=True)
class Loop(Piece):
    """Statements for each repetition, numbered from 0; runs of alike ones become a `for` over a range.

    A `variable` other than `i` must be among the taken names that `unify` gets.
    """

    bodies: tuple[Body, ...]
    indent: int = 0
    variable: str = "i"

    def tree(self, names: Names) -> Tree:
        bodies = [body_tree(each) for each in self.bodies]
        return Branch(Rounds(self.indent), singles(bodies, self.variable))


class Rounds(NamedTuple):
    """Runs of statements."""

    indent: int

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        for run in branches:
            assert isinstance(run, Run)
            yield from pen.rounds(run, self.indent, more)


Body = tuple[Line | Loop, ...]


class Block(NamedTuple):
    """Statements one after the other."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        for each in branches:
            yield from lines(each, pen, more)


def giving(body: Body, value: str, indent: int = 0) -> Body:
    """Statements that give a value back: the last one does it itself, where it makes just that value."""
    *before, last = body or (Line(""),)
    if isinstance(last, Line) and last.part and (last.to, last.indent) == (value, indent):
        tap = last.tap and ("", last.tap[1])
        if last.tap is None or last.tap[0] == value:
            return (*before, replace(last, to=RETURN, tap=tap))
    return (*body, Line(value, indent, to=RETURN))


class If(NamedTuple):
    """Statements behind a condition."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        flag, body = branches
        first, *others = lines(body, pen, more + 1)
        yield Text(f"if {flag.text(pen)}:", first.indent - 1)
        yield from (first, *others)


def block(statements: Sequence[Tree]) -> Branch:
    """Statements one after the other."""
    return Branch(Block(), tuple(statements))


def statements(body: Tree) -> tuple[Tree, ...]:
    """The statements of a body."""
    assert isinstance(body, Branch)
    return body.branches


def is_code(statement: Tree) -> bool:
    """Whether a statement is more than an empty line or a comment: a condition cannot contain only those."""
    value = statements(statement)[0]
    words = value.form.words if isinstance(value, Branch) and isinstance(value.form, Words) else "code"
    return bool(words) and not words.startswith("#")


def body_tree(body: Body) -> Branch:
    """The tree of statements."""
    return block([tree(each) for each in body])


def lines(statement: Tree, pen: LineWriter, more: int = 0) -> Iterator[Text]:
    """The lines of a statement, or of several."""
    assert isinstance(statement, Branch)
    assert isinstance(statement.form, Statement | Rounds | Block | If)
    yield from statement.form.lines(statement.branches, pen, more)


@dataclass(frozen=True)
class Use:
    """One use of a definition.

    `place` is its path. `known` are names that may be parameters, the best first, with their values here:
    the block's own arguments, then `in_channels`. `given` are expressions that need no parameter
    (`x.shape[-1]`). `members` are the names of its layers, to distinguish variants; `roles` say of some what a person
    would call them. Statements from number `later` on run when the parameters are out of sight.
    """

    place: str
    body: Body
    known: Mapping[str, Value] = field(default_factory=dict)
    given: Mapping[str, Value] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    later: int = sys.maxsize
