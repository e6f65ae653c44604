"""Matches the tensors of others with the weights of a graph: by name or by order, and never by guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from netspec import files
from netspec.dataclass import dataclass
from netspec.graph import Graph
from netspec.ops.nearest import did_you_mean
from netspec.weights.held import Held, Place, Rank, numbered
from netspec.weights.layout import in_words
from netspec.weights.reading import WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

By = Literal["name", "order"]
Split = Callable[[str], tuple[str, str]]

_MOST = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A weight of ours, and the tensors of theirs that it is made of: one, or two biases that are added."""

    place: Place
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """All weights of a graph with their tensors; `surplus` are tensors that are left out."""

    rows: tuple[Row, ...]
    how: str
    surplus: tuple[str, ...] = ()


class Unmatched(WeightsError):
    """Not every weight has its tensor without a guess. `candidates` are the possible tensors of each weight."""

    def __init__(self, message: str, candidates: Mapping[str, Sequence[str]]) -> None:
        super().__init__(message)
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A layer in a file: its tensors by their names in the layer."""

    name: str
    leaves: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    rank: Rank


@dataclass(frozen=True, slots=True)
class _Ours:
    """A layer of the graph, with the names that it can have in a file."""

    places: tuple[Place, ...]
    names: tuple[str, ...]
    required: Mapping[str, tuple[int, ...]]
    optional: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.places[0].weight.rpartition(".")[0]

    @property
    def signature(self) -> tuple[object, ...]:
        return tuple(sorted(self.required.items())), tuple(sorted(self.optional.items()))

    def fits(self, other: _Theirs) -> bool:
        """Whether a layer of a file has the tensors of this one, in their shapes."""
        allowed = {**self.optional, **self.required}
        return self.required.keys() <= other.shapes.keys() and all(
            allowed.get(leaf) == shape for leaf, shape in other.shapes.items()
        )


def theirs_of(held: Held, split: Split) -> list[_Theirs]:
    """The layers in a file, in its order."""
    found: dict[str, dict[str, str]] = {}
    for name in held.tensors:
        layer, leaf = split(name)
        found.setdefault(layer, {})[leaf] = name
    return [
        _Theirs(
            layer,
            leaves,
            {leaf: held.tensors[name].shape for leaf, name in leaves.items()},
            held.ranks[next(iter(leaves.values()))],
        )
        for layer, leaves in found.items()
    ]


def ours_of(places: Iterable[Place]) -> list[_Ours]:
    """The layers of the graph, in its order."""
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.layer, []).append(place)
    return [
        _Ours(
            tuple(each),
            tuple(dict.fromkeys((layer, *each[0].others))),
            {place.leaf: place.shape for place in each},
            {place.added: place.shape for place in each if place.added is not None},
        )
        for layer, each in found.items()
    ]


def match(
    held: Held, split: Split, places: Sequence[Place], graph: Graph, by: By | None, path: str | Path
) -> Match:
    """Every weight with its tensor: by name if all names are found, else by order if nothing is ambiguous.

    Raises:
        Unmatched: a weight has no tensor or several that are possible, or a tensor is left over.
    """
    theirs, ours = theirs_of(held, split), ours_of(places)
    shown = files.shortened(path)
    named = _by_name(ours, theirs)
    if by == "name" or (by is None and len(named) == len(ours)):
        return _named(ours, theirs, named, held, shown)
    try:
        return _ordered(ours, theirs, graph, named, by, shown)
    except Unmatched as error:
        if by is None and 2 * len(named) > len(ours):
            # Most names are found: what is wrong with the others says more than an order does.
            return _named(ours, theirs, named, held, shown)
        raise error from None


# By name.


def _by_name(ours: Sequence[_Ours], theirs: Sequence[_Theirs]) -> dict[int, int]:
    """For the number of each layer of ours that is found by name, the number of theirs."""
    best: dict[int, int] = {}
    for prefix in _prefixes(theirs):
        index = {each.name.removeprefix(prefix): number for number, each in enumerate(theirs)}
        found = {}
        for number, our in enumerate(ours):
            there = {index[name] for name in our.names if name in index}
            if len(there) == 1:
                found[number] = there.pop()
        if len(set(found.values())) == len(found) > len(best):
            best = found
    return best


def _prefixes(theirs: Sequence[_Theirs]) -> list[str]:
    """What all names have before a dot or a slash, from nothing on."""
    found = [""]
    for joint in (".", "/"):
        prefix = ""
        while True:
            rest = {each.name.removeprefix(prefix).partition(joint)[0] for each in theirs}
            if len(rest) != 1 or any(joint not in each.name.removeprefix(prefix) for each in theirs):
                break
            prefix += rest.pop() + joint
            found.append(prefix)
    return found


def _named(
    ours: Sequence[_Ours], theirs: Sequence[_Theirs], named: Mapping[int, int], held: Held, path: str
) -> Match:
    faults, rows = [], []
    used = set(named.values())
    free = [each.name for number, each in enumerate(theirs) if number not in used]
    candidates: dict[str, list[str]] = {}
    for number, our in enumerate(ours):
        if number not in named:
            faults.append(f"{our.name}: missing{did_you_mean(our.name, free)}")
            candidates |= {place.weight: [] for place in our.places}
            continue
        there = theirs[named[number]]
        faults += _misfits(our, there)
        rows += [_row(place, there) for place in our.places if place.leaf in there.leaves]
    surplus: list[str] = []
    notes: list[str] = []
    for name in (
        tensor for number, each in enumerate(theirs) if number not in used for tensor in each.leaves.values()
    ):
        twin = _twin(name, rows, held)
        (surplus if twin is None else notes).append(name)
    faults += [f"{name} ({in_words(held.tensors[name].shape)}): not in the network" for name in surplus]
    if faults:
        candidates = {row.place.weight: list(row.theirs) for row in rows} | candidates
        raise Unmatched(_told(f"{path} does not fit by name", faults, bool(surplus)), candidates)
    return Match(tuple(rows), "by name", tuple(notes))


def _misfits(our: _Ours, there: _Theirs) -> list[str]:
    """What is wrong with a layer that has the right name."""
    found = []
    for place in our.places:
        shape = there.shapes.get(place.leaf)
        if shape is None:
            found.append(f"{place.weight}: {there.name} has no {place.leaf}, only {', '.join(there.leaves)}")
        elif shape != place.shape:
            found.append(
                f"{place.weight}: {there.leaves[place.leaf]} is {in_words(shape)}, but it must be "
                f"{in_words(place.shape)}"
            )
    for leaf, name in there.leaves.items():
        if leaf not in our.required and leaf not in our.optional:
            found.append(f"{name} ({in_words(there.shapes[leaf])}): {our.name} has no such weight")
        elif leaf in our.optional and there.shapes[leaf] != our.optional[leaf]:
            found.append(
                f"{name} is {in_words(there.shapes[leaf])}, but it must be {in_words(our.optional[leaf])}"
            )
    return found


def _twin(name: str, rows: Iterable[Row], held: Held) -> str | None:
    """The tensor in use that has exactly the same values as a surplus one: a weight that is stored twice."""
    import numpy as np

    own = held.tensors[name]
    if own.size < 2 or (own == own.ravel()[0]).all():
        return None
    for row in rows:
        for other in row.theirs:
            there = held.tensors[other]
            if there.shape == own.shape and np.array_equal(there, own):
                return other
    return None


# By order.


def _ordered(
    ours: Sequence[_Ours],
    theirs: Sequence[_Theirs],
    graph: Graph,
    named: Mapping[int, int],
    by: By | None,
    path: str,
) -> Match:
    possible = [[number for number, there in enumerate(theirs) if our.fits(there)] for our in ours]
    candidates = {
        place.weight: [theirs[number].leaves[place.leaf] for number in numbers]
        for our, numbers in zip(ours, possible, strict=True)
        for place in our.places
    }
    lacking = [
        f"{our.name} ({_leaves(our.required)}): no layer of the file has these tensors"
        for our, numbers in zip(ours, possible, strict=True)
        if not numbers
    ]
    usable = {number for numbers in possible for number in numbers}
    surplus = [
        f"{each.name or 'the model'} ({_leaves(each.shapes)}): no layer of the network has these weights"
        for number, each in enumerate(theirs)
        if number not in usable
    ]
    if lacking or surplus:
        raise Unmatched(_told(f"{path} does not fit", [*lacking, *surplus], bool(surplus)), candidates)
    if len({each.rank[0] for each in theirs}) == 1:
        chosen, faults = _in_a_row(ours, theirs, candidates_of=possible)
        if not faults and by is None:
            faults = [*_interchangeable(ours, graph), *_against_numbers(ours, theirs, chosen)]
    else:
        chosen, faults = _in_series(ours, theirs, possible, None if by is None else "order", graph)
    if not faults:
        faults = [
            f"{ours[number].name}: by name it is {theirs[there].name}, by order {theirs[chosen[number]].name}"
            for number, there in named.items()
            if by is None and chosen[number] != there
        ]
    if faults:
        raise Unmatched(_told(f"{path} does not fit without a guess", faults, False), candidates)
    rows = [_row(place, theirs[chosen[number]]) for number, our in enumerate(ours) for place in our.places]
    return Match(tuple(rows), "by order")


def _in_a_row(
    ours: Sequence[_Ours], theirs: Sequence[_Theirs], candidates_of: Sequence[Sequence[int]]
) -> tuple[list[int], list[str]]:
    """The layers of a file whose order is that of the model, one by one."""
    order = sorted(range(len(theirs)), key=lambda number: theirs[number].rank)
    if len(order) != len(ours):
        return [], [f"the network has {len(ours)} layers with weights, and the file {len(theirs)}"]
    wrong = [number for number, at in enumerate(order) if at not in candidates_of[number]]
    faults = [
        f"{ours[number].name} ({_leaves(ours[number].required)}): at its place the file has "
        f"{theirs[order[number]].name} ({_leaves(theirs[order[number]].shapes)}); "
        f"possible: {_some([theirs[each].name for each in candidates_of[number]])}"
        for number in wrong
    ]
    return order, faults


def _in_series(
    ours: Sequence[_Ours],
    theirs: Sequence[_Theirs],
    possible: Sequence[Sequence[int]],
    by: By | None,
    graph: Graph,
) -> tuple[list[int], list[str]]:
    """The layers of a file without an order: those of equal shapes by their numbers, if they have nothing else."""
    chosen, faults = [-1] * len(ours), []
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, numbers in enumerate(possible):
        groups.setdefault(tuple(numbers), []).append(number)
    claimed = Counter(number for numbers in groups for number in numbers)
    apart = _Apart(ours, graph)
    for numbers, own in groups.items():
        names = _some([theirs[number].name for number in numbers])
        mine = _some([ours[number].name for number in own])
        if len(numbers) != len(own) or any(claimed[number] > 1 for number in numbers):
            faults.append(
                f"{mine}: {len(own)} of the network, and {len(numbers)} possible in the file: {names}"
            )
            continue
        if len({theirs[number].rank[0] for number in numbers}) > 1:
            faults.append(f"{mine}: the file does not say in which order {names} are")
            continue
        if by is None and any(apart(one, other) for one, other in combinations(own, 2)):
            faults.append(f"{mine}: equal shapes in parallel; possible: {names}")
            continue
        for number, there in zip(own, sorted(numbers, key=lambda each: theirs[each].rank), strict=True):
            chosen[number] = there
    return chosen, faults


class _Apart:
    """Whether two layers of a graph are in parallel: neither computes from the other."""

    def __init__(self, ours: Sequence[_Ours], graph: Graph) -> None:
        owner = {place.weight: number for number, our in enumerate(ours) for place in our.places}
        self.before = [0] * len(ours)
        self.nearest: list[set[int]] = [set() for _ in ours]
        seen: dict[str, tuple[int, frozenset[int]]] = {}
        for node in graph.nodes:
            ancestors, nearest = 0, frozenset[int]()
            for value in node.inputs:
                above, close = seen.get(value, (0, frozenset()))
                ancestors, nearest = ancestors | above, nearest | close
            own = {owner[weight.name] for weight in node.weights if weight.name in owner}
            for number in own:
                self.before[number] |= ancestors
                self.nearest[number] |= nearest - own
            if own:
                ancestors |= sum(1 << number for number in own)
                nearest = frozenset(own)
            for value in node.values:
                seen[value] = (ancestors, nearest)

    def __call__(self, one: int, other: int) -> bool:
        return not (self.before[one] >> other & 1 or self.before[other] >> one & 1)


def _interchangeable(ours: Sequence[_Ours], graph: Graph) -> list[str]:
    """The layers in parallel that could change places: equal shapes, and so are those before and behind them."""
    apart = _Apart(ours, graph)
    behind: list[set[int]] = [set() for _ in ours]
    for number, above in enumerate(apart.nearest):
        for each in above:
            behind[each].add(number)
    signatures = {each: at for at, each in enumerate(dict.fromkeys(our.signature for our in ours))}
    colours = [signatures[our.signature] for our in ours]
    for _ in range(len(ours)):
        keys = [
            (
                colours[number],
                tuple(sorted(colours[each] for each in apart.nearest[number])),
                tuple(sorted(colours[each] for each in behind[number])),
            )
            for number in range(len(ours))
        ]
        numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        refined = [numbers[key] for key in keys]
        if len(set(refined)) == len(set(colours)):
            break
        colours = refined
    groups: dict[int, list[int]] = {}
    for number, colour in enumerate(colours):
        groups.setdefault(colour, []).append(number)
    return [
        f"{_some([ours[number].name for number in own])}: equal shapes in parallel, so that the order is a guess"
        for own in groups.values()
        if any(apart(one, other) for one, other in combinations(own, 2))
    ]


def _against_numbers(ours: Sequence[_Ours], theirs: Sequence[_Theirs], chosen: Sequence[int]) -> list[str]:
    """The layers of equal shapes whose names count in another order than the file has them."""
    groups: dict[object, list[tuple[tuple[int, ...], int]]] = {}
    for number, at in enumerate(chosen):
        text, numbers = numbered(theirs[at].name)
        groups.setdefault((ours[number].signature, text), []).append((numbers, number))
    return [
        f"{ours[second].name}: {theirs[chosen[second]].name} stands after {theirs[chosen[first]].name}"
        for own in groups.values()
        for (low, first), (high, second) in pairwise(own)
        if high < low
    ]


# Words.


def _row(place: Place, there: _Theirs) -> Row:
    second = [there.leaves[place.added]] if place.added is not None and place.added in there.leaves else []
    return Row(place, (there.leaves[place.leaf], *second))


def _leaves(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{leaf} {in_words(shape)}" for leaf, shape in shapes.items())


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown


def _told(head: str, faults: Sequence[str], surplus: bool) -> str:
    shown = [*faults[:_MOST]] + ([f"… and {len(faults) - _MOST} more"] if len(faults) > _MOST else [])
    count = "one thing" if len(faults) == 1 else f"{len(faults)} things"
    lines = [f"{head}; {count} to settle:", *shown]
    if surplus:
        lines.append("--skip PATTERN leaves out tensors of the file that the network does not have")
    return "\n  ".join(lines)
