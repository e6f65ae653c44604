"""Imports the weights of others: finds which tensor is which weight, and converts it to our layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from netspec.dataclass import dataclass, replace
from netspec.exchange import maps
from netspec.exchange.formats import framework, frameworks, held, reader, weights_only
from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.weights import WeightsError
from netspec.weights.flattened import Order, is_undecided, orders
from netspec.weights.held import Held, Place
from netspec.weights.importing import assembled
from netspec.weights.matching import By, Row, Unmatched, match
from netspec.weights.reading import check, tell_strange

if TYPE_CHECKING:
    from netspec.backend import Array, Exchanges

Flatten = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class ImportedWeight:
    """A line of the table: a weight of ours, what it is made of, and what was done."""

    ours: str
    shape: tuple[int, ...]
    theirs: tuple[str, ...]
    their_shape: tuple[int, ...]
    how: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The weights of a network from a file of others, and how they were found."""

    weights: dict[str, Array]
    lines: tuple[ImportedWeight, ...]
    how: str
    framework: str
    left_out: tuple[str, ...]


class Ambiguous(Exception):
    """The weights cannot be matched without a guess. `template` is a map to fill in.

    `can_map`: the file has a tensor in the shape of each weight. `can_order`: the layers fit in the order of the file.
    """

    def __init__(self, message: str, template: str, can_map: bool, can_order: bool) -> None:
        super().__init__(message)
        self.template, self.can_map, self.can_order = template, can_map, can_order


def imported(
    graph: Graph,
    path: Path,
    *,
    names: str | None = None,
    by: By | None = None,
    map_file: Path | None = None,
    flatten: Flatten | None = None,
    skip: Sequence[str] = (),
    key: str | None = None,
    tell: Callable[[str], None] = print,
) -> Imported:
    """The weights of a network from a file of others.

    Args:
        names: the framework whose names and layouts the file has. A file of a framework says it; a container without
            it has those of netspec, which are PyTorch's.
        by: match only by name, or only by order; the caller then says that the order is that of the network.
        map_file: a file that says which tensor is which weight.
        flatten: where the channels are when the model flattens a map, if its framework has them last.
        skip: patterns of names of tensors to leave out.
        key: the dictionary of tensors in a file that has several.
        tell: gets a sentence for each conversion.

    Raises:
        WeightsError: the file cannot be read, or says too little.
        Ambiguous: the weights cannot be matched without a guess.
        SpecError: the map file is wrong.
        Unavailable: a package is missing.
        Unsupported: the framework refuses the network.
    """
    other = _framework(path, names)
    whole = held(path, key)
    for note in whole.notes:
        tell(note)
    found = _without(weights_only(whole, other, tell), skip, tell)
    if names is None:
        _check_words(found, other, path)
    places = other.places(graph)
    if map_file is not None:
        matched = maps.read(map_file, found, places)
    else:
        try:
            matched = match(found, other.split, places, graph, by, path)
        except Unmatched as error:
            shapes = {array.shape for array in found.tensors.values()}
            raise Ambiguous(
                str(error),
                maps.template(places, error.candidates, found),
                can_map=all(place.shape in shapes for place in places),
                can_order=by is None and _fits_in_order(found, other, places, graph, path),
            ) from None
    turned = _flattened(graph, other, found, flatten, path)
    weights = assembled(matched, found, path, tell, turned)
    check(weights, graph, str(path))
    tell_strange(weights, tell)
    if matched.surplus and map_file is None:
        tell(f"{', '.join(matched.surplus)}: the same values as a weight that is in use, so stored twice")
    rows = {row.place.weight: row for row in matched.rows}
    lines = tuple(_line(each, rows[each.name], found, each.name in turned) for each in graph.weights)
    ordered = {weight.name: weights[weight.name] for weight in graph.weights}
    return Imported(ordered, lines, matched.how, other.name, matched.surplus)


def _fits_in_order(found: Held, other: Exchanges, places: Sequence[Place], graph: Graph, path: Path) -> bool:
    try:
        match(found, other.split, places, graph, "order", path)
    except Unmatched:
        return False
    return True


def _line(weight: Weight, row: Row, found: Held, is_turned: bool) -> ImportedWeight:
    words = [row.place.how] if row.place.how else []
    if is_turned:
        words.append("channels last → first")
    if len(row.theirs) > 1:
        words.append("two biases added")
    return ImportedWeight(
        weight.name, weight.shape, row.theirs, found.tensors[row.theirs[0]].shape, ", ".join(words)
    )


def _framework(path: Path, names: str | None) -> Exchanges:
    """The backend of whose framework names and layouts are."""
    other = reader(path)
    if other is not None and names is not None and names != other.name:
        raise WeightsError(f"{path} is a file of {other.name}: leave out --as {names}")
    if other is not None:
        return other
    if names is not None:
        return framework(names)
    for each in frameworks():
        if each.layouts_are_ours:
            return each
    raise WeightsError("no registered backend has the layouts of netspec: name a framework with --as")


def _check_words(found: Held, chosen: Exchanges, path: Path) -> None:
    """Refuse a container without a framework whose names are the words of another one: its layouts would be wrong."""
    if reader(path) is not None:
        return
    leaves = {chosen.split(name)[1] for name in found.tensors}
    for each in frameworks():
        words = {each.split(name)[1] for name in found.tensors} & set(each.words)
        if each.name != chosen.name and words - leaves.intersection(chosen.words):
            raise WeightsError(
                f"{path} has tensors called {', '.join(sorted(words))}, as {each.name} calls them, and so perhaps its "
                f"layouts: say which with --as {each.name} or --as {chosen.name}"
            )


def _without(found: Held, skip: Sequence[str], tell: Callable[[str], None]) -> Held:
    """The tensors without those whose names fit a pattern.

    Raises:
        WeightsError: a pattern fits none.
    """
    left = set[str]()
    for pattern in skip:
        fitting = {name for name in found.tensors if fnmatchcase(name, pattern)}
        if not fitting:
            raise WeightsError(f"--skip {pattern}: no tensor of the file is called so")
        left |= fitting
    if left:
        some = ", ".join(sorted(left)[:6]) + (f" and {len(left) - 6} more" if len(left) > 6 else "")
        tell(f"left out as you asked: {some}")
    return replace(found, tensors={name: each for name, each in found.tensors.items() if name not in left})


def _flattened(
    graph: Graph, other: Exchanges, found: Held, flatten: Flatten | None, path: Path
) -> dict[str, tuple[Order | None, ...]]:
    """The weights whose axes must be reordered, because the model flattens maps with the channels last.

    Raises:
        WeightsError: the network flattens a map, and neither the file nor `flatten` says how the model does.
    """
    if other.layouts_are_ours:
        if flatten is not None:
            raise WeightsError(
                f"--flatten: {other.name} has the channels first, as netspec does; leave it out"
            )
        return {}
    known = flatten or (None if is_undecided(graph) else found.flatten)
    if known == "first":
        return {}
    try:
        turned = orders(graph)
    except WeightsError as error:
        raise WeightsError(
            f"{error}; if the model flattens maps with the channels first: --flatten first"
        ) from None
    if turned and known is None:
        names = ", ".join(list(turned)[:4]) + (", …" if len(turned) > 4 else "")
        raise WeightsError(
            f"{path} does not say in which order its model flattens maps, on which {names} depend: write --flatten "
            f"last (the channels of a position side by side, as `Flatten` of {other.name} does) or --flatten first"
        )
    return turned
