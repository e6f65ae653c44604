"""The receptive field: the part of the network's input that one position of a layer's output depends on, in any DAG.

Along an axis, this part extends from a first to a last input position. Both move with the position, but not evenly
after a map is enlarged: after `upsample: 2`, two neighbours depend on the same input. So `AxisFields` has the ends for
each *phase* (position modulo a period); later positions have the same part, shifted. The computation enumerates only
phases, never windows or maps, so it works for all sizes and kernels. With more than `MOST_PHASES` phases a field is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Literal, TypeAlias

from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Once
from netspec.ops.reach import ANYWHERE, WHOLE, At, Listed, Reach, Rolled, Taps, Window

MOST_PHASES = 4096
"""The limit of phases of a field: the product of the upsampling factors that later strides do not undo."""

Ends: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class AxisFields:
    """The fields of the positions along output axis `axis` in one input axis.

    Position p < period depends on the input from `first[p]` to `last[p]`, inclusive, or on no input if they are None.
    The field of position p + period is the same, shifted by `advance`, which is negative where positions run against
    the input. `joins`: it can be joined with other fields, as no part of the map is shifted against the rest.
    `slides`: neighbours lie beside each other, so that a window over them has a field.
    """

    axis: int
    first: Ends = (0,)
    last: Ends = (0,)
    advance: int = 1
    joins: bool = True
    slides: bool = True

    @property
    def period(self) -> int:
        return len(self.first)

    @property
    def step(self) -> Fraction:
        """The average distance between the fields of two neighbours."""
        return Fraction(self.advance, self.period)

    @property
    def extents(self) -> list[int]:
        """The number of input positions between the ends, inclusive, for each phase."""
        return [
            0 if low is None or high is None else high - low + 1
            for low, high in zip(self.first, self.last, strict=True)
        ]

    def through(self, taps: Taps, axis: int) -> AxisFields | None:
        """The field through one more layer, whose positions are along `axis`. None: too many phases."""
        if isinstance(taps, Window) and taps.is_each:
            return self if self.axis == axis else replace(self, axis=axis)
        if taps == ANYWHERE:
            one = self.spot(None)
            return (
                None
                if one is None
                else AxisFields(axis, (one.first,), (one.last,), 0, joins=False, slides=False)
            )
        if not self.slides:
            return None
        joins, slides = self.joins and not isinstance(taps, Rolled | Listed), not isinstance(taps, Listed)
        turns = self.period // gcd(self.period, taps.advance)
        period = taps.period * turns
        if period > MOST_PHASES:
            return None
        first = _Sweep(self.first, self.advance, forwards=True).over(taps, period)
        last = _Sweep(self.last, self.advance, forwards=False).over(taps, period)
        if not slides:
            return AxisFields(axis, first, last, 0, joins, slides)
        ends = _shortest(first, last, self.advance * taps.advance * turns // self.period)
        return AxisFields(axis, *ends, joins=joins)

    def spot(self, position: int | None) -> Spot | None:
        """The field of one position; of any, if they are equally large. None: unknown."""
        if position is None:
            return Spot(self.first[0], self.last[0], joins=False) if len({*self.extents}) == 1 else None
        first, last = (_at(each, self.advance, position) for each in (self.first, self.last))
        return Spot(first, last, self.joins)

    def joined(self, other: AxisFields) -> AxisFields | None:
        """The union of two fields. None: they drift apart, are along different axes, or have too many phases."""
        if self == other:
            return self
        period = lcm(self.period, other.period)
        if (
            not (self.joins and other.joins)
            or self.axis != other.axis
            or self.step != other.step
            or period > MOST_PHASES
        ):
            return None
        first = tuple(map(_least, self._repeated(self.first, period), other._repeated(other.first, period)))
        last = tuple(map(_most, self._repeated(self.last, period), other._repeated(other.last, period)))
        return AxisFields(self.axis, *_shortest(first, last, self.advance * period // self.period))

    def _repeated(self, ends: Ends, period: int) -> list[int | None]:
        return [_at(ends, self.advance, position) for position in range(period)]


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of one input axis that every position depends on: from `first` to `last`, or nothing if they are None."""

    first: int | None
    last: int | None
    joins: bool = True

    @property
    def extent(self) -> int:
        """The number of input positions in it."""
        return 0 if self.first is None or self.last is None else self.last - self.first + 1

    def joined(self, other: Spot) -> Spot | None:
        """The union. None: unknown."""
        if self == other:
            return self
        if not (self.joins and other.joins):
            return None
        return Spot(_least(self.first, other.first), _most(self.last, other.last))


def _at(ends: Sequence[int | None], advance: int, position: int) -> int | None:
    turn, phase = divmod(position, len(ends))
    end = ends[phase]
    return None if end is None else end + turn * advance


def _least(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else min(a, b)


def _most(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else max(a, b)


class _Sweep:
    """The smallest first end (`forwards`), or the largest last end, over windows with any number of positions.

    Usually the ends rise with the position, and the result is that of the first or last position of the window. If
    some positions have no field, or the ends do not rise: positions one period apart differ only by the advance, so the
    first position of each phase in a window has the smallest end, and the last the largest. They are found by doubling
    the window. Where positions run against the input, all are counted backwards.
    """

    def __init__(self, ends: Ends, advance: int, forwards: bool) -> None:
        self.mirrored = advance < 0
        if self.mirrored:
            ends, advance = tuple(_at(ends, advance, -position) for position in range(len(ends))), -advance
        self.ends, self.advance, self.forwards = ends, advance, forwards
        self.choose = _least if forwards else _most
        self.tables: dict[tuple[int, int], Sequence[int | None]] = {}

    def over(self, taps: Taps, count: int) -> Ends:
        """For each of the first output positions, the end of the fields of its inputs; None if they have no field."""
        rising = self._rising()
        if rising is not None and isinstance(taps, Window) and not self.mirrored:
            place = -taps.before if self.forwards else (taps.kernel - 1) * taps.dilation - taps.before
            return self._along(rising, range(place, place + count * taps.stride, taps.stride))
        windows: Sequence[range] = [taps.at(position) for position in range(count)]
        if self.mirrored:
            windows = [range(-each[-1], 1 - each[0], each.step) if each else each for each in windows]
        if rising is None or not all(windows):
            return tuple(map(self._end, windows))
        place = 0 if self.forwards else -1
        return self._along(rising, [window[place] for window in windows])

    def _along(self, rising: Sequence[int], places: Iterable[int]) -> Ends:
        """The ends at these positions."""
        period, advance = len(rising), self.advance
        return tuple([rising[each % period] + each // period * advance for each in places])

    def _rising(self) -> list[int] | None:
        """The ends, if every position has a field and the ends never fall."""
        ends = [end for end in self.ends if end is not None]
        whole = len(ends) == len(self.ends) and ends[-1] <= ends[0] + self.advance
        return ends if whole and ends == sorted(ends) else None

    def _end(self, window: range) -> int | None:
        if not window:
            return None
        step = window.step if self.forwards else -window.step
        start = window[0] if self.forwards else window[-1]
        count = (window[-1] - window[0]) // window.step + 1
        phases = len(self.ends) // gcd(len(self.ends), step)
        return _at(self._table(step, min(count, phases)), self.advance, start)

    def _table(self, step: int, count: int) -> Sequence[int | None]:
        """For each phase, the choice among `count` positions from this one on, `step` apart."""
        if (step, count) not in self.tables:
            table: Sequence[int | None] = self.ends
            width = 1
            while width < count:
                further = min(width, count - width)
                table = [
                    self.choose(table[phase], _at(table, self.advance, phase + further * step))
                    for phase in range(len(table))
                ]
                width += further
            self.tables[step, count] = table
        return self.tables[step, count]


def _shortest(first: Ends, last: Ends, advance: int) -> tuple[Ends, Ends, int]:
    """The same with the shortest period."""
    for prime in _primes(len(first)):
        while len(first) % prime == 0 and advance % prime == 0:
            period, step = len(first) // prime, advance // prime
            if any(
                _at(ends[:period], step, phase) != ends[phase]
                for ends in (first, last)
                for phase in range(period, len(first))
            ):
                break
            first, last, advance = first[:period], last[:period], step
    return first, last, advance


def _primes(number: int) -> list[int]:
    """The primes that divide a number, which is at most MOST_PHASES."""
    found, divisor = [], 2
    while number > 1:
        if number % divisor == 0:
            found.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return found


# One axis of an input: a field, a part that all positions depend on, the whole axis, or unknown.
Seen: TypeAlias = AxisFields | Spot | Literal["whole"] | None


@dataclass(frozen=True, slots=True)
class ValueFields:
    """The fields of a value in every input that it depends on, one `Seen` per axis of the input.

    `uniform`: each of its channels has the field of the position.
    """

    inputs: dict[str, tuple[Seen, ...]]
    uniform: bool = True


@dataclass(frozen=True, slots=True)
class Receptive:
    """The receptive field of a layer, one number per axis of the input; it is not cut off at the edges of the input.

    `size` is the largest over positions, `smallest` the smallest; they differ only if positions differ. `stride` is the
    average distance between the fields of two neighbours; None if every position depends on everything, or if the
    neighbours of a position do not lie beside it.
    """

    size: tuple[int, ...]
    smallest: tuple[int, ...]
    stride: tuple[Fraction | None, ...]

    def __str__(self) -> str:
        """`5×5`; `188–204×188–204` where positions differ."""
        rows = zip(self.smallest, self.size, strict=True)
        return "×".join(str(high) if low == high else f"{low}–{high}" for low, high in rows)


class Fields:
    """The receptive fields of a graph, computed at the first access, because `netspec check` does not need them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @cached_property
    def _found(self) -> dict[str, Receptive | None]:
        return fields(self._graph)

    def __getitem__(self, name: str) -> Receptive | None:
        return self._found[name]


def fields(graph: Graph) -> dict[str, Receptive | None]:
    """The receptive field of every node by its name. None: unknown.

    Several paths from an input are joined: from the lowest to the highest position that any of them reaches. Paths with
    different strides have no common field, and inputs of different sizes have no common axes.
    """
    sizes = {each.name: each.type.sizes for each in graph.inputs}
    views = {
        name: ValueFields({name: tuple(AxisFields(axis) for axis in range(len(axes)))})
        for name, axes in sizes.items()
    }
    found: dict[str, Receptive | None] = {}
    # Equal layers often have one op: its reach is computed once.
    reaches = Once(lambda op, types: op.reaches(types))
    for node in graph.nodes:
        inputs = [views[value] for value in node.inputs]
        types = tuple([graph.types[value] for value in node.inputs])
        view = _view(reaches(node.op, types), inputs)
        views[node.name] = view
        for port in node.ports:
            views[f"{node.name}.{port}"] = _view(node.op.port_reaches(port, types), inputs)
        found[node.name] = _summary(view, sizes, node.output.sizes)
    return found


def _view(reaches: Sequence[Reach | None], views: Sequence[ValueFields]) -> ValueFields:
    joined: dict[str, tuple[Seen, ...]] = {}
    for view, reach in zip(views, reaches, strict=True):
        if reach is not None and reach.is_empty:
            continue
        for source, axes in view.inputs.items():
            seen = _through(axes, reach, view.uniform)
            joined[source] = _join(joined[source], seen) if source in joined else seen
    # Once for all inputs: each of them beside each other one would be quadratic in their number.
    alike = all(view == views[0] for view in views)
    return ValueFields(
        joined, all(_uniform(reach, view, alike) for view, reach in zip(views, reaches, strict=True))
    )


def _through(axes: tuple[Seen, ...], reach: Reach | None, uniform: bool) -> tuple[Seen, ...]:
    if reach is None or (reach.splits and not uniform):
        # The field depends on which channels a position takes, unless every channel depends on everything.
        return tuple(WHOLE if uniform and seen == WHOLE else None for seen in axes)
    return tuple(_along(seen, reach) for seen in axes)


def _along(seen: Seen, reach: Reach) -> Seen:
    if isinstance(seen, Spot):
        return seen
    if not isinstance(seen, AxisFields):
        # A layer that depends on the whole map depends on the whole input, whatever the fields of the map are.
        return WHOLE if seen == WHOLE or (reach.axes and set(reach.axes) == {WHOLE}) else None
    taps = reach.axes[seen.axis]
    if isinstance(taps, At):
        return seen.spot(taps.place)
    return taps if taps is None or taps == WHOLE else seen.through(taps, reach.output_axis(seen.axis))


def _uniform(reach: Reach | None, view: ValueFields, alike: bool) -> bool:
    """Whether every output channel has the field of its position in an input; `alike`: all inputs have the same."""
    if reach is None:
        return False
    if reach.mixes:
        return True
    if reach.stacks and not alike:
        return False
    return view.uniform and not _gathered(view, reach)


def _gathered(view: ValueFields, reach: Reach) -> bool:
    """Whether positions with different fields become channels."""
    seen = [
        each for axes in view.inputs.values() for each in axes if each != WHOLE and not isinstance(each, Spot)
    ]
    return bool(reach.gathers) and any(
        not isinstance(each, AxisFields) or each.axis in reach.gathers for each in seen
    )


def _join(first: tuple[Seen, ...], second: tuple[Seen, ...]) -> tuple[Seen, ...]:
    joined = tuple(_union(a, b) for a, b in zip(first, second, strict=True))
    if len(joined) > 1 and first != second and (_holes(first) or _holes(second)):
        # If one of them has no field along any axis, the other decides along all axes: axes are not independent.
        return tuple(WHOLE if seen == WHOLE else None for seen in joined)
    return joined


def _holes(axes: tuple[Seen, ...]) -> bool:
    """Whether some positions have no field."""
    return any(
        (isinstance(each, AxisFields) and None in each.first)
        or (isinstance(each, Spot) and each.first is None)
        for each in axes
    )


def _union(a: Seen, b: Seen) -> Seen:
    if WHOLE in (a, b):
        return WHOLE
    if isinstance(a, Spot) and isinstance(b, Spot):
        return a.joined(b)
    return a.joined(b) if isinstance(a, AxisFields) and isinstance(b, AxisFields) else None


def _distance(seen: Seen) -> Fraction | None:
    """The average distance between the fields of two neighbours."""
    if isinstance(seen, Spot):
        return Fraction(0)
    return abs(seen.step) if isinstance(seen, AxisFields) and seen.slides else None


def _summary(
    view: ValueFields, sizes: dict[str, tuple[int, ...]], positions: tuple[int, ...]
) -> Receptive | None:
    """One field for all inputs with axes, if their axes are equal; over the existing positions."""
    seen = [(axes, sizes[source]) for source, axes in view.inputs.items() if axes]
    if not seen:
        return Receptive((), (), ())
    if len({size for _, size in seen}) > 1:
        return None
    joined, whole = seen[0]
    for axes, _ in seen[1:]:
        joined = _join(joined, axes)
    largest, smallest, strides = [], [], []
    for each, all_of_it in zip(joined, whole, strict=True):
        if each is None:
            return None
        extents = [all_of_it]
        if isinstance(each, AxisFields):
            extents = each.extents[: positions[each.axis]]
        elif isinstance(each, Spot):
            extents = [each.extent]
        largest.append(max(extents))
        smallest.append(min(extents))
        strides.append(_distance(each))
    # A position without a field along one axis has no field at all.
    nothing = (0,) * len(joined)
    return Receptive(
        tuple(largest) if all(largest) else nothing,
        tuple(smallest) if all(smallest) else nothing,
        tuple(strides),
    )
