"""The tree of a text. Backends write statements, which become trees; the trees of all uses of a block are merged.

A `Hole` is a literal with its value in each use, a `Branch` a form with trees in it, a `RepetitionNumber` the number of
a repetition, an `Affine` a literal that counts up, a `Multiplying` one that is multiplied, an `Alternating` one that
has two values in turn, and an `EqualRun` one or more equal repetitions. The forms in `parts` and `statements` decide
how a branch is written; a new kind of text is a new form, and nothing here changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from math import copysign
from typing import Protocol, Self

LiteralValue = int | float | bool | str | None | tuple["LiteralValue", ...]
"""The value of a hole: a literal."""

LiteralRow = tuple[LiteralValue, ...]
"""The values of a hole, one per use."""


def same(a: LiteralValue, b: LiteralValue) -> bool:
    """Whether two values are equal and have the same text: True is not 1, and −0.0 is not 0.0, also inside tuples."""
    kind = type(a)
    if kind is not type(b) or a != b:
        return False
    if kind is float:
        return a != 0 or copysign(1, a) == copysign(1, b)  # type: ignore[arg-type]
    return kind is not tuple or repr(a) == repr(b)


def equal(a: Sequence[LiteralValue], b: Sequence[LiteralValue]) -> bool:
    """Whether two rows have the same values."""
    if len(a) != len(b) or (type(a) is type(b) and a != b):  # most are not, and this is quick
        return False
    return all(map(same, a, b))


class TreeWriter(Protocol):
    """The pen that writes a tree. `number` is the text of the number of a repetition, if there is one."""

    number: str

    def hole(self, hole: Hole) -> str:
        """The text of a literal."""

    def affine(self, part: Affine) -> str:
        """The text of a literal that counts up."""

    def power(self, part: Multiplying) -> str:
        """The text of a literal that is multiplied."""

    def alternating(self, part: Alternating) -> str:
        """The text of a literal that has two values in turn."""

    def repeated(self, run: EqualRun) -> str:
        """The text of repetitions in an expression."""


class Form(Protocol):
    """The text of a branch around its trees. Two branches are equal if their forms are equal."""

    def __hash__(self) -> int: ...

    def text(self, branches: Sequence[Tree], pen: TreeWriter) -> str:
        """The text of a branch of this form."""


Change = Callable[["Tree"], "Tree | None"]

ValueOf = Callable[["Hole"], LiteralValue]
"""The value of a literal in one use."""


class Tree(ABC):
    """A text, or a part of one. `shape` is everything except its literals: trees of one shape can be merged."""

    __slots__ = ("numbers", "runs", "shape", "varies")
    shape: Hashable
    numbers: bool
    """Whether it contains the number of a repetition."""
    runs: bool
    """Whether it contains repetitions."""
    varies: bool
    """Whether it can differ from trees of its shape: it contains more than plain text."""

    def __init__(self, shape: Hashable, numbers: bool = False, runs: bool = False) -> None:
        self.shape, self.numbers, self.runs, self.varies = shape, numbers, runs, True

    @abstractmethod
    def merged(self, trees: Sequence[Self]) -> Tree:
        """One tree for several trees of its shape, of which it is the first; each hole has the values of all."""

    @abstractmethod
    def text(self, pen: TreeWriter) -> str:
        """Its text."""

    @abstractmethod
    def inner(self) -> Sequence[Tree]:
        """The trees in it, in the order of the text."""

    @abstractmethod
    def around(self, inner: Sequence[Tree]) -> Tree:
        """The same tree with other trees in it."""

    def changed(self, change: Change) -> Tree:
        """The same tree, in which each tree is replaced if `change` returns one. Plain text stays."""
        found = change(self)
        if found is not None:
            return found
        inner = self.inner()
        if not inner:
            return self
        return self.around([each.changed(change) if each.varies else each for each in inner])

    def only(self, use: int) -> Tree:
        """The tree of one use."""
        inner = self.inner()
        return self.around([each.only(use) if each.varies else each for each in inner]) if inner else self

    def every(self) -> Iterator[Tree]:
        """It and every tree in it, in the order of the text."""
        yield self
        for each in self.inner():
            yield from each.every()

    def holes(self) -> Iterator[Hole]:
        """The holes in it, in the order of the text."""
        for each in self.inner():
            if each.varies:
                yield from each.holes()

    def values(self, value: ValueOf, number: int | None = None) -> list[LiteralValue]:
        """The literals of one use, in the order of the text written out in full."""
        # A list: generators in generators would resume once per level for every literal.
        found: list[LiteralValue] = []
        self.collect(value, found, number)
        return found

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        """Add these literals to those found."""
        for each in self.inner():
            if each.varies:
                each.collect(value, found, number)


class Hole(Tree):
    """A literal of the text, with its value in each use.

    `hint` is its name as a parameter of the layer. With a `default`, the argument is left out if every use has the
    default. `channels` marks a count of channels, `counts` a number of repetitions, for which `count - 1` and the like
    are also tried. `kept` marks a literal in a method in which the parameters are not visible. If only some uses have
    it, `uses` has their numbers, and the row has their values.
    """

    __slots__ = ("channels", "counts", "default", "hint", "kept", "row", "uses")

    def __init__(
        self,
        row: LiteralRow,
        hint: str,
        default: LiteralValue | None = None,
        channels: bool = False,
        counts: bool = False,
        kept: bool = False,
        uses: tuple[int, ...] | None = None,
    ) -> None:
        self.row, self.hint, self.default = row, hint, default
        self.channels, self.counts, self.kept, self.uses = channels, counts, kept, uses
        super().__init__((Hole, hint, default, channels, kept))

    @property
    def constant(self) -> bool:
        return len(self.row) < 2 or all(same(value, self.row[0]) for value in self.row)

    @property
    def omitted(self) -> bool:
        return self.default is not None and all(same(value, self.default) for value in self.row)

    def holding(self, row: LiteralRow, hint: str = "", default: LiteralValue | None = None) -> Hole:
        """The same hole with other values."""
        return Hole(row, hint or self.hint, default, self.channels, self.counts, self.kept)

    def only(self, use: int) -> Hole:
        return self.holding((self.row[use],), default=self.default)

    def of(self, uses: tuple[int, ...]) -> Hole:
        """The same hole, for these uses only."""
        return Hole(self.row, self.hint, self.default, self.channels, self.counts, self.kept, uses)

    def merged(self, trees: Sequence[Hole]) -> Hole:
        return self.holding(tuple(value for each in trees for value in each.row), default=self.default)

    def text(self, pen: TreeWriter) -> str:
        return pen.hole(self)

    def inner(self) -> Sequence[Tree]:
        return ()

    def around(self, inner: Sequence[Tree]) -> Tree:
        return self

    def holes(self) -> Iterator[Hole]:
        yield self

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        found.append(value(self))


class Flag(Hole):
    """The condition of what only some uses have; `within` are the literals of that."""

    __slots__ = ("within",)

    def __init__(self, row: LiteralRow, hint: str, kept: bool) -> None:
        super().__init__(row, hint, default=False, kept=kept)
        self.within: list[Hole] = []


class Branch(Tree):
    """A form with trees in it."""

    __slots__ = ("branches", "form")

    def __init__(self, form: Form, branches: tuple[Tree, ...] = ()) -> None:
        self.form, self.branches = form, branches
        self.numbers = self.runs = self.varies = False
        shape: list[Hashable] = [type(form), form]
        for each in branches:
            shape.append(each.shape)
            if each.varies:
                self.varies = True
                if each.numbers:
                    self.numbers = True
                if each.runs:
                    self.runs = True
        self.shape = tuple(shape)

    def merged(self, trees: Sequence[Branch]) -> Branch:
        return Branch(self.form, columns([each.branches for each in trees])) if self.varies else self

    def text(self, pen: TreeWriter) -> str:
        return self.form.text(self.branches, pen)

    def inner(self) -> Sequence[Tree]:
        return self.branches

    def around(self, inner: Sequence[Tree]) -> Tree:
        return Branch(self.form, tuple(inner))


class Option(Branch):
    """A tree that only the uses have in which a flag is true."""

    __slots__ = ()

    @property
    def flag(self) -> Tree:
        return self.branches[0]

    @property
    def body(self) -> Tree:
        return self.branches[1]

    def around(self, inner: Sequence[Tree]) -> Tree:
        return Option(self.form, tuple(inner))

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        if all(self.flag.values(value, number)):
            self.body.collect(value, found, number)


class RepetitionNumber(Tree):
    """The number of a repetition: the variable of the enclosing loop, otherwise the number itself."""

    __slots__ = ("own",)

    def __init__(self, own: int) -> None:
        super().__init__(RepetitionNumber, numbers=True)
        self.own = own

    def merged(self, trees: Sequence[RepetitionNumber]) -> RepetitionNumber:
        return self

    def text(self, pen: TreeWriter) -> str:
        return pen.number or str(self.own)

    def inner(self) -> Sequence[Tree]:
        return ()

    def around(self, inner: Sequence[Tree]) -> Tree:
        return self

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        found.append(self.own if number is None else number)


class Affine(Tree):
    """A literal that counts up from repetition to repetition: start + step · i."""

    __slots__ = ("start", "step", "variable")

    def __init__(self, start: Hole, step: Hole, variable: str = "i") -> None:
        super().__init__(type(self))
        self.start, self.step, self.variable = start, step, variable

    def merged(self, trees: Sequence[Affine]) -> Affine:
        start, step = self.start.merged([each.start for each in trees]), [each.step for each in trees]
        return type(self)(start, self.step.merged(step), self.variable)

    def only(self, use: int) -> Affine:
        return type(self)(self.start.only(use), self.step.only(use), self.variable)

    def text(self, pen: TreeWriter) -> str:
        return pen.affine(self)

    def inner(self) -> Sequence[Tree]:
        return (self.start, self.step)

    def around(self, inner: Sequence[Tree]) -> Tree:
        return self

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        first, step = value(self.start), value(self.step)
        assert isinstance(first, int)
        assert isinstance(step, int)
        assert number is not None
        found.append(self.at(first, step, number))

    @staticmethod
    def at(start: int, step: int, number: int) -> int:
        """Its value in one repetition."""
        return start + step * number


class Multiplying(Affine):
    """A literal that is multiplied from repetition to repetition: start · step ** i."""

    __slots__ = ()

    def text(self, pen: TreeWriter) -> str:
        return pen.power(self)

    @staticmethod
    def at(start: int, step: int, number: int) -> int:
        found: int = start * step**number
        return found


class Alternating(Affine):
    """A literal that has two values in turn: `step` in repetitions with an odd number, `start` in the others."""

    __slots__ = ()

    def text(self, pen: TreeWriter) -> str:
        return pen.alternating(self)

    @staticmethod
    def at(start: int, step: int, number: int) -> int:
        return step if number % 2 else start


class EqualRun(Tree):
    """Equal repetitions from number `first` to before `end`, `count` in total."""

    __slots__ = ("count", "counts", "end", "first", "item", "variable")

    def __init__(
        self, item: Tree, first: Hole, end: Hole, count: Hole, counts: bool = False, variable: str = "i"
    ) -> None:
        super().__init__((EqualRun, item.shape, counts, variable), item.numbers, runs=True)
        self.item, self.first, self.end, self.count = item, first, end, count
        self.counts, self.variable = counts, variable

    @classmethod
    def of(
        cls, item: Tree, at: int, count: int, uses: int, counts: bool = False, variable: str = "i"
    ) -> EqualRun:
        """`count` repetitions from number `at` on, in each use."""
        first, end, many = (
            Hole((n,) * uses, "count", channels=False, counts=True) for n in (at, at + count, count)
        )
        return cls(item, first, end, many, counts, variable)

    @property
    def numbered(self) -> bool:
        """Whether its text contains the numbers of its repetitions."""
        return self.counts or self.item.numbers

    @property
    def single(self) -> bool:
        """Whether it has one repetition in every use."""
        return all(count == 1 for count in self.count.row)

    @property
    def number(self) -> int | None:
        """The number of its first repetition, if it is the same in every use; else None."""
        first = self.first.row[0]
        assert isinstance(first, int)
        return first if self.first.constant else None

    def merged(self, trees: Sequence[EqualRun]) -> EqualRun:
        item = self.item.merged([each.item for each in trees])
        first = self.first.merged([each.first for each in trees])
        end = self.end.merged([each.end for each in trees])
        count = self.count.merged([each.count for each in trees])
        return EqualRun(item, first, end, count, self.counts, self.variable)

    def only(self, use: int) -> EqualRun:
        first, end, count = (each.only(use) for each in (self.first, self.end, self.count))
        return EqualRun(self.item.only(use), first, end, count, self.counts, self.variable)

    def text(self, pen: TreeWriter) -> str:
        return pen.repeated(self)

    def inner(self) -> Sequence[Tree]:
        return (self.item,)

    def around(self, inner: Sequence[Tree]) -> Tree:
        (item,) = inner
        return EqualRun(item, self.first, self.end, self.count, self.counts, self.variable)

    def collect(self, value: ValueOf, found: list[LiteralValue], number: int | None) -> None:
        first, end = 0, value(self.count)
        if self.numbered:
            first, end = value(self.first), value(self.end)  # type: ignore[assignment]
        assert isinstance(end, int)
        for at in range(first, end):
            self.item.collect(value, found, at)


def columns(rows: Sequence[Sequence[Tree]]) -> tuple[Tree, ...]:
    """The trees at each position of several rows, merged."""
    return tuple(column[0].merged(column) for column in zip(*rows, strict=True))
