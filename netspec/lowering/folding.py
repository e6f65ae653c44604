"""Texts with holes as trees: their shape, many laid into one, and runs of alike repetitions in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netspec.lowering.derive import Hole, equal
from netspec.lowering.parts import Argument, Call, Cut, Index, Line, Loop, Quoted, Seq, Series, Slot


@dataclass(frozen=True, slots=True)
class Least:
    """So many alike repetitions become a run; so many that count up."""

    equal: int
    steps: int


IN_A_LIST = Least(3, 4)
IN_STATEMENTS = Least(2, 3)
ELASTIC = Least(2, 3)
"""Where the number of repetitions may differ from use to use."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A hole that counts up from repetition to repetition: start + step · i."""

    start: Hole
    step: Hole
    variable: str = "i"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Repetitions from number `first` to before `end` that are one text; `count` of them."""

    first: Hole
    end: Hole
    count: Hole
    item: Any
    counts: bool
    variable: str = "i"

    @property
    def numbered(self) -> bool:
        """Whether the numbers of its repetitions stand in its text."""
        return self.counts or any(
            isinstance(each, Index)
            or (isinstance(each, Quoted) and any(isinstance(piece, Index) for piece in each.parts))
            for each in all_parts(self.item)
        )

    @property
    def single(self) -> bool:
        """Whether it is one repetition in every use."""
        return all(count == 1 for count in self.count.values)

    @property
    def number(self) -> int | None:
        """The number of its first repetition, where that is one in every use."""
        first = self.first.values[0]
        assert isinstance(first, int)
        return first if self.first.constant else None


def shape(part: object) -> object:
    """All of a text but its literals, to compare."""
    match part:
        case tuple():
            return tuple(map(shape, part))
        case Slot(_, hint, default, channels) | Hole(_, hint, default, channels):
            return ("slot", hint, default, channels, part.kept)
        case Index():
            return "index"
        case Affine():
            return "affine"
        case Run():
            return ("run", shape(part.item), part.counts, part.variable)
        case Quoted(parts):
            return ("quoted", shape(parts))
        case Call(function, arguments, tail):
            return ("call", function, tuple((each.keyword, shape(each.value)) for each in arguments), tail)
        case Series(items, listed):
            return ("series", shape(items), listed)
        case Seq(parts):
            return ("seq", shape(parts))
        case Cut(start, end):
            return ("cut", shape(start), shape(end))
        case Line(inner, indent, tap, _):
            return ("line", shape(inner), indent, tap)
        case Loop(bodies, indent, variable):
            return ("loop", shape(bodies), indent, variable)
    return part


def merge(trees: Sequence[Any]) -> Any:
    """One text for several of one shape; in each hole the values of all."""
    first = trees[0]
    match first:
        case Slot():
            row = tuple(each.value for each in trees)
            return Hole(row, first.hint, first.default, first.channels, kept=first.kept)
        case Hole():
            return replace(first, values=tuple(value for each in trees for value in each.values))
        case tuple():
            return tuple(merge(column) for column in zip(*trees, strict=True))
        case Affine():
            return Affine(_column(trees, "start"), _column(trees, "step"), first.variable)
        case Run():
            fields = {name: _column(trees, name) for name in ("first", "end", "count", "item")}
            return Run(**fields, counts=first.counts, variable=first.variable)
        case Call():
            values = [
                merge([each.arguments[at].value for each in trees]) for at in range(len(first.arguments))
            ]
            named = zip(values, first.arguments, strict=True)
            return replace(first, arguments=tuple(Argument(value, each.keyword) for value, each in named))
        case Series():
            return replace(first, items=_column(trees, "items"))
        case Seq():
            return Seq(_column(trees, "parts"))
        case Cut():
            return Cut(_column(trees, "start"), _column(trees, "end"))
        case Line():
            comment = first.comment if len({each.comment for each in trees}) == 1 else ""
            return replace(first, part=_column(trees, "part"), comment=comment)
        case Loop():
            return replace(first, bodies=_column(trees, "bodies"))
    return first


def _column(trees: Sequence[Any], name: str) -> Any:
    return merge([getattr(each, name) for each in trees])


def transform(part: Any, change: Callable[[Any], Any]) -> Any:
    """The same text, each part changed where `change` gives something else than None."""
    changed = change(part)
    if changed is not None:
        return changed
    match part:
        case tuple():
            return tuple(transform(each, change) for each in part)
        case Call(function, arguments, tail):
            return Call(
                function, tuple(Argument(transform(a.value, change), a.keyword) for a in arguments), tail
            )
        case Series(items):
            return replace(part, items=transform(items, change))
        case Seq(parts):
            return Seq(transform(parts, change))
        case Cut(start, end):
            return Cut(transform(start, change), transform(end, change))
        case Line():
            return replace(part, part=transform(part.part, change))
        case Loop():
            return replace(part, bodies=transform(part.bodies, change))
        case Run():
            return replace(part, item=transform(part.item, change))
    return part


def all_parts(part: Any) -> Iterator[Any]:
    """Every part of a text, in order."""
    found: list[Any] = []
    transform(part, found.append)
    return iter(found)


def _holes(part: Any) -> Iterator[Hole]:
    return (each for each in all_parts(part) if isinstance(each, Hole))


def fold(body: Any, elastic: bool = False) -> Any:
    """The same text, alike repetitions gathered into runs. `elastic`: as many or as few as there are."""

    def change(part: Any) -> Any:
        if isinstance(part, Series):
            items = tuple(fold(each, elastic) for each in part.items)
            return replace(part, items=_runs(items, ELASTIC if elastic else IN_A_LIST, "i"))
        if isinstance(part, Loop):
            bodies = tuple(fold(each, elastic) for each in part.bodies)
            return replace(part, bodies=_runs(bodies, ELASTIC if elastic else IN_STATEMENTS, part.variable))
        return None

    return transform(body, change)


def _runs(items: tuple[Any, ...], least: Least, variable: str) -> Any:
    runs: list[Run] = []
    at = 0
    while at < len(items):
        alike, steps = _alike(items, at), _steps(items, at)
        count, item, counts = 1, items[at], False
        if alike >= least.equal:
            count = alike
        elif steps >= least.steps:
            count, item, counts = steps, _counting(items, at, variable), True
        first, end, many = (Hole((n,), "count", counts=True) for n in (at, at + count, count))
        runs.append(Run(first, end, many, item, counts, variable))
        at += count
    return tuple(runs)


def _comparable(items: tuple[Any, ...], at: int, end: int) -> bool:
    # Runs within repetitions are not compared: such repetitions stand one by one.
    pair = (items[at], items[end])
    return shape(pair[0]) == shape(pair[1]) and not any(isinstance(each, Run) for each in all_parts(pair))


def _alike(items: tuple[Any, ...], at: int) -> int:
    end = at + 1
    while end < len(items) and _comparable(items, at, end):
        pairs = zip(_holes(items[at]), _holes(items[end]), strict=True)
        if not all(equal(a.values, b.values) for a, b in pairs):
            break
        end += 1
    return end - at


def _steps(items: tuple[Any, ...], at: int) -> int:
    end = at + 1
    while end < len(items) and _comparable(items, at, end):
        rows = zip(*(_holes(items[index]) for index in (at, at + 1, end)), strict=True)
        if not all(_continues(a, b, c, end - at) for a, b, c in rows):
            break
        end += 1
    return end - at


def _continues(first: Hole, second: Hole, now: Hole, distance: int) -> bool:
    if equal(first.values, now.values) and equal(first.values, second.values):
        return True
    values = [*first.values, *second.values, *now.values]
    if not all(type(value) is int for value in values):
        return False
    triples: Any = zip(first.values, second.values, now.values, strict=True)
    return all(c - a == (b - a) * distance for a, b, c in triples)


def _counting(items: tuple[Any, ...], at: int, variable: str) -> Any:
    seconds = iter(list(_holes(items[at + 1])))

    def change(part: Any) -> Any:
        if not isinstance(part, Hole):
            return None
        second = next(seconds)
        if equal(part.values, second.values):
            return part
        pairs: Any = list(zip(part.values, second.values, strict=True))
        start = replace(part, values=tuple(a - (b - a) * at for a, b in pairs), default=None)
        step = replace(part, values=tuple(b - a for a, b in pairs), hint="step", default=None)
        return Affine(start, step, variable)

    return transform(items[at], change)
