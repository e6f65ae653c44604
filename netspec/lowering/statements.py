"""The statements of a text, from which a backend builds the text of one use of a block.

Each kind is one class, like the parts of an expression: its data, and the form of the tree that it becomes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import NamedTuple, Protocol

from netspec.backend import LocalName
from netspec.dataclass import dataclass, replace
from netspec.lowering.parts import Names, Part, Piece, Words, singles, tree
from netspec.lowering.tree import Branch, EqualRun, LiteralValue, Tree, TreeWriter

_STRING_OR_NAME = r'"(?:[^"\\]|\\.)*"|(?<![.\w])[^\W\d]\w*'


@dataclass(frozen=True, slots=True)
class Text:
    """A finished statement, not broken into lines yet."""

    text: str
    indent: int = 0
    tap: tuple[str, LocalName] | None = None
    comment: str = ""


class LineWriter(TreeWriter, Protocol):
    """The pen that writes statements."""

    def node(self, name: LocalName) -> LocalName:
        """The name of a node."""

    def rounds(self, run: EqualRun, indent: int, more: int) -> Iterator[Text]:
        """The statements of a run."""


@dataclass(frozen=True, slots=True)
class Line(Piece):
    """A statement. `to` is its target: `x` in `x = f(y)`, or `RETURN`.

    `tap` is (variable, node): after the statement, the variable has the output of the node; without a variable, the
    statement returns this output. An empty statement with a tap is not written: the statement before it also makes the
    value of this node. In the bodies of a `Loop`, the node has None in place of the number of the repetition.
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
    """The comment of a statement, if it is the same in every use."""

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
    """Statements for each repetition, numbered from 0; runs of equal repetitions become a `for` over a range.

    A `variable` other than `i` must be among the taken names that `unify` gets.
    """

    bodies: tuple[Body, ...]
    indent: int = 0
    variable: str = "i"

    def tree(self, names: Names) -> Tree:
        bodies = [body_tree(each) for each in self.bodies]
        return Branch(StatementRuns(self.indent), singles(bodies, self.variable))


class StatementRuns(NamedTuple):
    """Runs of statements."""

    indent: int

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        for run in branches:
            assert isinstance(run, EqualRun)
            yield from pen.rounds(run, self.indent, more)


Body = tuple[Line | Loop, ...]


class StatementList:
    """Statements one after the other."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        for each in branches:
            yield from lines(each, pen, more)


STATEMENTS = StatementList()


def giving(body: Body, value: str, indent: int = 0) -> Body:
    """Statements that return a value: the last statement returns it directly if it makes exactly this value.

    A last statement that only gives values other names is not needed. Unwritten statements can follow the last one.
    """
    unwritten: tuple[Line, ...] = ()
    while body and isinstance(end := body[-1], Line) and _is_unwritten(end, value, indent):
        body, unwritten = body[:-1], (end, *unwritten)
    *before, last = body or (Line(""),)
    if unwritten:
        if isinstance(last, Line) and (last.to, last.indent) == (value, indent):
            ends = [each and ("", each[1]) for each in (last.tap, *(each.tap for each in unwritten))]
            given = (replace(last, to=RETURN), *unwritten)
            return (*before, *(replace(each, tap=tap) for each, tap in zip(given, ends, strict=True)))
        return (*body, *unwritten, Line(value, indent, to=RETURN))
    if isinstance(last, Line) and last.indent == indent and (renamed := _renamed(last)):
        return giving(tuple(before), _with_other_names(value, renamed), indent)
    if isinstance(last, Line) and last.part and (last.to, last.indent) == (value, indent):
        tap = last.tap and ("", last.tap[1])
        if last.tap is None or last.tap[0] == value:
            return (*before, replace(last, to=RETURN, tap=tap))
    return (*body, Line(value, indent, to=RETURN))


def _with_other_names(value: str, renamed: Mapping[str, str]) -> str:
    """An expression with other variables; strings in it, such as the keys of a dictionary, stay."""
    return re.sub(_STRING_OR_NAME, lambda found: renamed.get(found[0], found[0]), value)


def _is_unwritten(line: Line, value: str, indent: int) -> bool:
    """Whether it only says that a variable also has the value of a node."""
    return not line.part and line.indent == indent and line.tap is not None and line.tap[0] == value


def _renamed(line: Line) -> dict[str, str]:
    """The names that a statement gives to variables, and these variables; none if it does more."""
    if not isinstance(line.part, str) or line.tap is not None:
        return {}
    names, variables = line.to.split(", "), line.part.split(", ")
    plain = len(names) == len(variables) and all(map(str.isidentifier, (*names, *variables)))
    return dict(zip(names, variables, strict=True)) if plain and line.to != RETURN else {}


def returning(body: Tree) -> Tree:
    """The same statements, where the last of several repetitions returns what it makes."""
    *before, last, back = statements(body) if len(statements(body)) > 1 else (body, body)
    if not (isinstance(last, Branch) and isinstance(back, Branch) and isinstance(last.form, StatementRuns)):
        return body
    *runs, run = last.branches
    assert isinstance(run, EqualRun)
    if not (isinstance(back.form, Statement) and back.form.to == RETURN and run.single):
        return body
    *first, made = statements(run.item)
    assert isinstance(made, Branch)
    value = _plain(back.branches[0])
    if not (value and isinstance(made.form, Statement) and made.form.to == value):
        return body
    tap = made.form.tap and ("", made.form.tap[1])
    given = Branch(Statement(back.form.indent, tap, RETURN), made.branches)
    return block([*before, Branch(last.form, (*runs, run.around([block([*first, given])])))])


def _plain(value: Tree) -> str:
    """A text that is only words."""
    return value.form.words if isinstance(value, Branch) and isinstance(value.form, Words) else ""


class If:
    """Statements behind a condition."""

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        raise TypeError("statements are not an expression")

    def lines(self, branches: Sequence[Tree], pen: LineWriter, more: int) -> Iterator[Text]:
        flag, body = branches
        # The body then prefers the argument of the condition to a number.
        condition = flag.text(pen)
        first, *others = lines(body, pen, more + 1)
        yield Text(f"if {condition}:", first.indent - 1)
        yield from (first, *others)


IF = If()


def block(statements: Sequence[Tree]) -> Branch:
    """Statements one after the other."""
    return Branch(STATEMENTS, tuple(statements))


def statements(body: Tree) -> tuple[Tree, ...]:
    """The statements of a body."""
    assert isinstance(body, Branch)
    return body.branches


def is_code(statement: Tree) -> bool:
    """Whether a statement is more than an empty line or a comment: an `if` needs at least one such statement."""
    value = statements(statement)[0]
    words = value.form.words if isinstance(value, Branch) and isinstance(value.form, Words) else "code"
    return bool(words) and not words.startswith("#")


def body_tree(body: Body) -> Branch:
    """The tree of statements."""
    return block([tree(each) for each in body])


def lines(statement: Tree, pen: LineWriter, more: int = 0) -> Iterator[Text]:
    """The lines of a statement, or of several."""
    assert isinstance(statement, Branch)
    assert isinstance(statement.form, Statement | StatementRuns | StatementList | If)
    yield from statement.form.lines(statement.branches, pen, more)


@dataclass(frozen=True)
class Use:
    """One use of a definition.

    `place` is its path. `known` are names that can be parameters, the best ones first, with their values in this use:
    the arguments of the block, then `in_channels`. `given` are expressions that need no parameter (`x.shape[-1]`).
    `members` are the names of its layers, which distinguish variants; `roles` are common names for some of them. `pads`
    are the layers that have another layer before them, which only pads. Statements from number `later` on run where the
    parameters are not visible. `traits` are words that also distinguish variants.
    """

    place: str
    body: Body
    known: Mapping[str, LiteralValue] = field(default_factory=dict)
    given: Mapping[str, LiteralValue] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    pads: tuple[str, ...] = ()
    later: int = sys.maxsize
    traits: Mapping[str, LiteralValue] = field(default_factory=dict)

    @cached_property
    def tree(self) -> Branch:
        """The tree of its body."""
        return body_tree(self.body)
