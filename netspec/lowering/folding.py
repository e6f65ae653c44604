"""Repetitions that are alike become runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netspec.lowering.parts import Items, Rounds
from netspec.lowering.tree import Affine, Branch, Hole, Run, Tree, Values, equal


@dataclass(frozen=True, slots=True)
class Least:
    """So many alike repetitions become a run; so many that count up."""

    equal: int
    steps: int


IN_A_LIST = Least(3, 4)
IN_STATEMENTS = Least(2, 3)
ELASTIC = Least(2, 3)
"""Where the number of repetitions may differ from use to use."""


def fold(tree: Tree, elastic: bool = False) -> Tree:
    """The same text, alike repetitions gathered into runs. `elastic`: as many or as few as there are."""

    def change(part: Tree) -> Tree | None:
        if not part.runs:
            return part
        if not (isinstance(part, Branch) and isinstance(part.form, Items | Rounds)):
            return None
        least = ELASTIC if elastic else IN_A_LIST if isinstance(part.form, Items) else IN_STATEMENTS
        singles = [fold(each, elastic) for each in part.branches]
        return Branch(part.form, _runs([each for each in singles if isinstance(each, Run)], least))

    return tree.changed(change)


def _runs(singles: Sequence[Run], least: Least) -> tuple[Run, ...]:
    """Repetitions, the alike ones of them as one run."""
    items = [_Item(each.item) for each in singles]
    runs: list[Run] = []
    at = 0
    while at < len(items):
        alike, steps = _alike(items, at), _steps(items, at)
        count, item, counts = 1, items[at].tree, False
        if alike >= least.equal:
            count = alike
        elif steps >= least.steps:
            count, item, counts = steps, _counting(items, at, singles[at].variable), True
        uses = len(singles[at].count.row)
        runs.append(Run.of(item, at, count, uses, counts, singles[at].variable))
        at += count
    return tuple(runs)


class _Item:
    """A repetition with what stands in its holes."""

    __slots__ = ("rows", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.rows: list[Values] = [each.row for each in tree.holes()]


def _comparable(first: _Item, other: _Item) -> bool:
    # Runs within repetitions are not compared: such repetitions stand one by one.
    return first.tree.shape == other.tree.shape and not first.tree.runs


def _alike(items: Sequence[_Item], at: int) -> int:
    first, end = items[at], at + 1
    while end < len(items) and _comparable(first, items[end]):
        if not all(map(equal, first.rows, items[end].rows)):
            break
        end += 1
    return end - at


def _steps(items: Sequence[_Item], at: int) -> int:
    if at + 1 == len(items) or not _comparable(items[at], items[at + 1]):
        return 1
    first, second, end = items[at].rows, items[at + 1].rows, at + 1
    while end < len(items) and _comparable(items[at], items[end]):
        rows = zip(first, second, items[end].rows, strict=True)
        if not all(_continues(a, b, c, end - at) for a, b, c in rows):
            break
        end += 1
    return end - at


def _continues(first: Values, second: Values, now: Values, distance: int) -> bool:
    if equal(first, now) and equal(first, second):
        return True
    numbers = [_whole(each) for each in (first, second, now)]
    if not all(numbers):
        return False
    return all(c - a == (b - a) * distance for a, b, c in zip(*numbers, strict=True))


def _whole(values: Values) -> list[int]:
    """The values, if all are whole numbers; else none."""
    numbers = [value for value in values if type(value) is int]
    return numbers if len(numbers) == len(values) else []


def _counting(items: Sequence[_Item], at: int, variable: str) -> Tree:
    """The repetition at a number, and those after it, as one that counts up."""
    seconds = iter(items[at + 1].rows)

    def change(part: Tree) -> Tree | None:
        if not isinstance(part, Hole):
            return None
        second = next(seconds)
        if equal(part.row, second):
            return part
        pairs = list(zip(_whole(part.row), _whole(second), strict=True))
        start = part.holding(tuple(a - (b - a) * at for a, b in pairs))
        step = part.holding(tuple(b - a for a, b in pairs), "step")
        return Affine(start, step, variable)

    return items[at].tree.changed(change)
