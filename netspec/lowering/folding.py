"""Texts with holes as trees: their shape, many laid into one, and runs of alike repetitions in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netspec.lowering.derive import Hole, equal
from netspec.lowering.parts import Argument, Call, Index, Line, Loop, Quoted, Seq, Series, Slot

LEAST_EQUAL, LEAST_STEPS = 3, 4
"""So many alike calls in a list become a generator; so many that count up."""
LEAST_ROUNDS = 2
"""So many alike bodies become a loop."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A hole that counts up from repetition to repetition: start + step · i."""

    start: Hole
    step: Hole
    variable: str = "i"


@dataclass(frozen=True, slots=True)
class Run:
    """Repetitions `first` … that are one text."""

    first: int
    count: int
    item: Any
    counts: bool
    variable: str = "i"

    def range(self, numbered: bool) -> str:
        """What it runs over: the numbers of the repetitions, or just as many."""
        end = self.first + self.count
        return (
            f"range({self.first}, {end})"
            if numbered and self.first
            else f"range({end if numbered else self.count})"
        )


def shape(part: object) -> object:
    """All of a text but its literals, to compare."""
    match part:
        case tuple():
            return tuple(map(shape, part))
        case Slot(_, hint, default, channels) | Hole(_, hint, default, channels):
            return ("slot", hint, default, channels)
        case Index():
            return "index"
        case Quoted(parts):
            return ("quoted", shape(parts))
        case Call(function, arguments, tail):
            return ("call", function, tuple((each.keyword, shape(each.value)) for each in arguments), tail)
        case Series(items):
            return ("series", shape(items))
        case Seq(parts):
            return ("seq", shape(parts))
        case Line(inner, indent, tap, _):
            return ("line", shape(inner), indent, tap)
        case Loop(bodies, indent, variable):
            return ("loop", shape(bodies), indent, variable)
    return part


def holes(part: object) -> Iterator[Hole]:
    """The holes of a merged text, in order."""
    match part:
        case Hole():
            yield part
        case tuple():
            for each in part:
                yield from holes(each)
        case Call(_, arguments, _):
            for argument in arguments:
                yield from holes(argument.value)
        case Series(items):
            yield from holes(items)
        case Seq(parts):
            yield from holes(parts)
        case Line(inner, _, _, _):
            yield from holes(inner)
        case Loop(bodies, _, _):
            yield from holes(bodies)


def transform(part: Any, change: Callable[[Any], Any]) -> Any:
    """The same text, each `Slot`, hole, series or loop changed where `change` gives something else than None."""
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
            return Series(transform(items, change))
        case Seq(parts):
            return Seq(transform(parts, change))
        case Line():
            return replace(part, part=transform(part.part, change))
        case Loop():
            return replace(part, bodies=transform(part.bodies, change))
    return part


def merge(bodies: Sequence[Any]) -> Any:
    """One text with holes for all uses, whose shapes are equal."""
    columns = [list(_slots(body)) for body in bodies]
    position = iter(range(len(columns[0])))

    def change(part: Any) -> Any:
        if not isinstance(part, Slot):
            return None
        at = next(position)
        return Hole(tuple(column[at].value for column in columns), part.hint, part.default, part.channels)

    comments = iter(list(zip(*(_comments(body) for body in bodies), strict=True)))

    def hush(part: Any) -> Any:
        if not isinstance(part, Line):
            return None
        told = set(next(comments))
        return part if len(told) == 1 else replace(part, comment="")

    return transform(transform(bodies[0], hush), change)


def _slots(part: object) -> Iterator[Slot]:
    found: list[Slot] = []
    transform(part, lambda each: found.append(each) if isinstance(each, Slot) else None)
    return iter(found)


def _comments(part: object) -> Iterator[str]:
    found: list[str] = []

    def note(each: Any) -> None:
        if isinstance(each, Line):
            found.append(each.comment)

    transform(part, note)
    return iter(found)


def fold(body: Any) -> Any:
    """The same text, alike repetitions gathered into runs."""

    def change(part: Any) -> Any:
        if isinstance(part, Series):
            items = tuple(map(fold, part.items))
            return Series(_runs(items, LEAST_EQUAL, LEAST_STEPS, "i"))
        if isinstance(part, Loop):
            bodies = tuple(map(fold, part.bodies))
            return replace(part, bodies=_runs(bodies, LEAST_ROUNDS, LEAST_ROUNDS + 1, part.variable))
        return None

    return transform(body, change)


def _runs(items: tuple[Any, ...], least_equal: int, least_steps: int, variable: str) -> tuple[Any, ...]:
    runs: list[Any] = []
    at = 0
    while at < len(items):
        alike = _alike(items, at)
        steps = _steps(items, at)
        if alike >= least_equal:
            runs.append(Run(at, alike, items[at], False, variable))
            at += alike
        elif steps >= least_steps:
            runs.append(Run(at, steps, _counting(items, at, variable), True, variable))
            at += steps
        else:
            runs.append(Run(at, 1, items[at], False, variable))
            at += 1
    return tuple(runs)


def _alike(items: tuple[Any, ...], at: int) -> int:
    end = at + 1
    while end < len(items) and _alike_shapes(items, at, end):
        pairs = zip(holes(items[at]), holes(items[end]), strict=True)
        if not all(equal(a.values, b.values) for a, b in pairs):
            break
        end += 1
    return end - at


def _alike_shapes(items: tuple[Any, ...], at: int, end: int) -> bool:
    # What was folded within is compared as it is: two inner runs are alike only if they are one object's text.
    return shape(items[at]) == shape(items[end]) and not _has_runs(items[at]) and not _has_runs(items[end])


def _has_runs(part: Any) -> bool:
    found: list[bool] = []
    transform(part, lambda each: found.append(True) if isinstance(each, Run) else None)
    return bool(found)


def _steps(items: tuple[Any, ...], at: int) -> int:
    end = at + 1
    while end < len(items) and _alike_shapes(items, at, end):
        rows = zip(*(holes(items[index]) for index in (at, min(at + 1, end), end)), strict=True)
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
    seconds = iter(list(holes(items[at + 1])))

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
