"""Turns equal repetitions into runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from netspec.dataclass import dataclass
from netspec.lowering.parts import Items
from netspec.lowering.statements import StatementRuns
from netspec.lowering.tree import (
    Affine,
    Alternating,
    Branch,
    EqualRun,
    Hole,
    LiteralRow,
    Multiplying,
    Tree,
    equal,
)


@dataclass(frozen=True, slots=True)
class Least:
    """The number of equal repetitions that become a run, and the number if their literals count up.

    `alternates`: literals with two values in turn become a run, too.
    """

    equal: int
    steps: int
    alternates: bool = False


IN_A_LIST = Least(3, 4)
IN_STATEMENTS = Least(2, 3)
ELASTIC = Least(2, 3, alternates=True)
"""The number if the count of repetitions can differ between uses."""


def fold(tree: Tree, elastic: bool = False) -> Tree:
    """The same text with equal repetitions as runs. `elastic`: for any number of repetitions."""

    def change(part: Tree) -> Tree | None:
        if not part.runs:
            return part
        if not (isinstance(part, Branch) and isinstance(part.form, Items | StatementRuns)):
            return None
        least = ELASTIC if elastic else IN_A_LIST if isinstance(part.form, Items) else IN_STATEMENTS
        singles = [fold(each, elastic) for each in part.branches]
        return Branch(part.form, _runs([each for each in singles if isinstance(each, EqualRun)], least))

    return tree.changed(change)


def stretched(short: Tree, long: Tree) -> Tree | None:
    """The same text in the shape of another one, with empty runs for the repetitions that only that one has.

    None if they differ in more than that.
    """
    if short.shape == long.shape:
        return short
    if not (isinstance(short, Branch) and isinstance(long, Branch) and short.form == long.form):
        return None
    if isinstance(short.form, Items | StatementRuns) and (len(short.branches), len(long.branches)) == (1, 2):
        return _with_an_empty_run(short, long)
    if len(short.branches) != len(long.branches):
        return None
    parts = [stretched(mine, theirs) for mine, theirs in zip(short.branches, long.branches, strict=True)]
    found = [each for each in parts if each is not None]
    return short.around(found) if len(found) == len(parts) else None


def _with_an_empty_run(short: Branch, long: Branch) -> Tree | None:
    (run,) = short.branches
    first, second = long.branches
    assert isinstance(run, EqualRun)
    assert isinstance(first, EqualRun)
    assert isinstance(second, EqualRun)
    if not (run.single and run.shape == first.shape == second.shape and first.single != second.single):
        return None
    # The run that is one repetition in the longer text is this one; there are none of the other.
    at = 0 if second.single else 1
    empty = EqualRun.of(run.item, at, 0, 1, variable=run.variable)
    return short.around([empty, run] if second.single else [run, empty])


def settled(tree: Tree) -> Tree:
    """The same text, where what stands in a run belongs only to the uses in which that run is not empty."""

    def change(part: Tree) -> Tree | None:
        if not isinstance(part, EqualRun) or all(part.count.row):
            return None
        uses = tuple(use for use, count in enumerate(part.count.row) if count)
        return part.around([part.item.changed(lambda inner: _of(inner, uses))])

    return tree.changed(change)


def _of(part: Tree, uses: tuple[int, ...]) -> Tree | None:
    if not isinstance(part, Hole):
        return None
    return part.holding(tuple(part.row[use] for use in uses), default=part.default).of(uses)


def _runs(singles: Sequence[EqualRun], least: Least) -> tuple[EqualRun, ...]:
    """Repetitions, with equal ones as one run."""
    items = [_Item(each.item) for each in singles]
    runs: list[EqualRun] = []
    at = 0
    while at < len(items):
        alike, steps = _alike(items, at), _steps(items, at, least.alternates)
        count, item, counts = 1, items[at].tree, False
        if alike >= least.equal:
            count = alike
        elif steps >= least.steps:
            count, item, counts = steps, _counting(items, at, singles[at].variable, least.alternates), True
        uses = len(singles[at].count.row)
        runs.append(EqualRun.of(item, at, count, uses, counts, singles[at].variable))
        at += count
    return tuple(runs)


class _Item:
    """A repetition with the values of its holes."""

    __slots__ = ("holes", "rows", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree, self.holes = tree, list(tree.holes())
        self.rows: list[LiteralRow] = [each.row for each in self.holes]


def _comparable(first: _Item, other: _Item) -> bool:
    # Runs inside repetitions are not compared: such repetitions are written one by one.
    return first.tree.shape == other.tree.shape and not first.tree.runs


def _alike(items: Sequence[_Item], at: int) -> int:
    first, end = items[at], at + 1
    while end < len(items) and _comparable(first, items[end]):
        if not all(map(equal, first.rows, items[end].rows)):
            break
        end += 1
    return end - at


def _steps(items: Sequence[_Item], at: int, alternates: bool) -> int:
    kinds = _kinds(items, at, alternates)
    if not all(kinds):
        return 1
    first, second, end = items[at].rows, items[at + 1].rows, at + LEAST
    while end < len(items) and _comparable(items[at], items[end]):
        rows = zip(kinds, first, second, items[end].rows, strict=True)
        if not all(kind is not None and kind.continues(a, b, c, end - at) for kind, a, b, c in rows):
            break
        end += 1
    return end - at


LEAST = 3
"""The number of values that show how a literal continues."""


class _Kind(ABC):
    """How a literal continues from repetition to repetition."""

    @abstractmethod
    def continues(self, first: LiteralRow, second: LiteralRow, now: LiteralRow, distance: int) -> bool:
        """Whether these are the values after this number of repetitions."""

    def tree(self, part: Hole, second: LiteralRow, at: int, variable: str) -> Tree:
        """The tree for the hole in every repetition from this one on."""
        return part


class _Equal(_Kind):
    """It does not change."""

    def continues(self, first: LiteralRow, second: LiteralRow, now: LiteralRow, distance: int) -> bool:
        return equal(first, now) and equal(first, second)


class _Sum(_Kind):
    """It counts up."""

    def continues(self, first: LiteralRow, second: LiteralRow, now: LiteralRow, distance: int) -> bool:
        rows = _columns(first, second, now)
        return bool(rows) and all(c - a == (b - a) * distance for a, b, c in rows)

    def tree(self, part: Hole, second: LiteralRow, at: int, variable: str) -> Tree:
        pairs = _columns(part.row, second)
        start = part.holding(tuple(a - (b - a) * at for a, b in pairs))
        return Affine(start, part.holding(tuple(b - a for a, b in pairs), "step"), variable)


class _Product(_Kind):
    """It is multiplied."""

    def continues(self, first: LiteralRow, second: LiteralRow, now: LiteralRow, distance: int) -> bool:
        rows = _columns(first, second, now)
        whole = all(0 < a < b and b % a == 0 for a, b, _ in rows)
        return bool(rows) and whole and all(c == a * (b // a) ** distance for a, b, c in rows)

    def tree(self, part: Hole, second: LiteralRow, at: int, variable: str) -> Tree:
        pairs = _columns(part.row, second)
        start = part.holding(tuple(a // (b // a) ** at for a, b in pairs))
        return Multiplying(start, part.holding(tuple(b // a for a, b in pairs), "ratio"), variable)


class _Turns(_Kind):
    """It has two values in turn."""

    def continues(self, first: LiteralRow, second: LiteralRow, now: LiteralRow, distance: int) -> bool:
        return bool(_columns(first, second)) and equal(second if distance % 2 else first, now)

    def tree(self, part: Hole, second: LiteralRow, at: int, variable: str) -> Tree:
        even, odd = (second, part.row) if at % 2 else (part.row, second)
        return Alternating(part.holding(even), part.holding(odd), variable)


def _kinds(items: Sequence[_Item], at: int, alternates: bool) -> list[_Kind | None]:
    """How each literal continues from a repetition, by the two that follow; None if there are too few."""
    found = items[at : at + LEAST]
    if len(found) < LEAST or not all(_comparable(found[0], each) for each in found):
        return [None]
    holes = zip(found[0].holes, *(each.rows for each in found), strict=True)
    return [_kind(hole, at, alternates, *rows) for hole, *rows in holes]


def _kind(
    hole: Hole, at: int, alternates: bool, first: LiteralRow, second: LiteralRow, third: LiteralRow
) -> _Kind | None:
    kinds: list[_Kind] = [_Equal(), _Sum()]
    # Channels that double are plain where they stand as numbers. The start is that of number 0.
    if not hole.channels and all(a % (b // a) ** at == 0 for a, b in _columns(first, second) if 0 < a <= b):
        kinds.append(_Product())
    if alternates:
        kinds.append(_Turns())
    return next((each for each in kinds if each.continues(first, second, third, 2)), None)


def _columns(*rows: LiteralRow) -> list[tuple[int, ...]]:
    """The values per use, if all are whole numbers; else an empty list."""
    numbers = [_whole(each) for each in rows]
    return list(zip(*numbers, strict=True)) if all(numbers) else []


def _whole(values: LiteralRow) -> list[int]:
    """The values, if all are whole numbers; else an empty list."""
    numbers = [value for value in values if type(value) is int]
    return numbers if len(numbers) == len(values) else []


def _counting(items: Sequence[_Item], at: int, variable: str, alternates: bool) -> Tree:
    """A repetition and those after it, as one that counts up."""
    seconds = iter(zip(_kinds(items, at, alternates), items[at + 1].rows, strict=True))

    def change(part: Tree) -> Tree | None:
        if not isinstance(part, Hole):
            return None
        kind, second = next(seconds)
        assert kind is not None
        return kind.tree(part, second, at, variable)

    return items[at].tree.changed(change)
