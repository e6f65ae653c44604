"""Converts weights of a network between the names and layouts of netspec and of frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.exchange.formats import framework, frameworks, held, reader, suffix_of, weights_only, writes
from netspec.graph import Graph
from netspec.weights import WeightsError
from netspec.weights.containers import WRITTEN, floats
from netspec.weights.importing import assembled, own_tensors
from netspec.weights.matching import Unmatched, match
from netspec.weights.reading import check, tell_strange

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays, Exchanges
    from netspec.types import Float

Tell = Callable[[str], None]


def repacked(source: Path, target: Path, key: str | None, tell: Tell) -> bytes:
    """The tensors of a file in another format: names, layouts, and types as far as the format has them.

    Raises:
        WeightsError: the file cannot be read, or the format of the target belongs to a network.
        Unavailable: a package is missing.
    """
    suffix, writer = _target(target)
    found = held(source, key)
    for note in found.notes:
        tell(note)
    wide = [name for name, array in found.tensors.items() if str(array.dtype) != found.kinds[name]]
    if wide:
        kinds = ", ".join(sorted({found.kinds[name] for name in wide}))
        tell(
            f"{len(wide)} tensor{'s' * (len(wide) > 1)} of {kinds} written as float32, without a change of values"
        )
    if writer is not None:
        return writer.packed_alone(found.tensors, suffix)
    return WRITTEN[suffix](found.tensors)


def converted(
    source: Path, target: Path, graph: Graph, names: str | None, key: str | None, tell: Tell
) -> bytes:
    """The weights of a network in another format; `names` is the framework of names and layouts in a container.

    Raises:
        WeightsError: the file cannot be read, or is not of this network.
        Unavailable: a package is missing.
        Unsupported: the framework refuses the network.
    """
    suffix, writer = _target(target)
    weights = weights_of(source, graph, key, tell)
    tell_strange(weights, tell)
    dtype: Float = "float64" if any(str(each.dtype) == "float64" for each in weights.values()) else "float32"
    if writer is not None:
        if names is not None and names != writer.name:
            raise WeightsError(f"{suffix} is a file of {writer.name}: leave out --as {names}")
        return writer.packed(graph, weights, suffix, dtype)
    if names is None:
        return WRITTEN[suffix](weights)
    other = framework(names)
    return WRITTEN[suffix](own_tensors(other.places(graph), weights, other.joint))


def weights_of(source: Path, graph: Graph, key: str | None, tell: Tell) -> dict[str, Array]:
    """The weights of a network in a file with the names of netspec, or with those of a model that netspec built.

    Raises:
        WeightsError: the file cannot be read, or is not of this network.
        Unavailable: a package is missing.
    """
    other = reader(source)
    found = held(source, key)
    for note in found.notes:
        tell(note)
    if {weight.name for weight in graph.weights} == found.tensors.keys():
        arrays: Arrays = floats(found, source, tell)
        check(arrays, graph, str(source))
        return {weight.name: arrays[weight.name] for weight in graph.weights}
    faults = []
    for each in frameworks() if other is None else [other]:
        if not _is_named(each, graph, found.tensors):
            continue
        own = weights_only(found, each, tell)
        try:
            rows = match(own, each.split, each.places(graph), graph, "name", source)
        except Unmatched as error:
            faults.append(error)
            continue
        tell(f"names and layouts are those of {each.name}")
        return assembled(rows, own, source, tell)
    if other is not None:
        # Layers that netspec writes as helpers have tensors that only the framework can place.
        try:
            return other.unpacked(source, graph)
        except WeightsError as error:
            raise (faults[0] if faults else error) from None
    if faults:
        raise faults[0]
    check(floats(found, source, lambda line: None), graph, str(source))
    raise WeightsError(f"{source} does not contain the weights of {graph.name}")


def _is_named(each: Exchanges, graph: Graph, tensors: Mapping[str, Array]) -> bool:
    """Whether most tensors have the names of a model that the backend builds."""
    from netspec.backend import Unsupported

    try:
        own = {f"{place.layer}{each.joint}{place.leaf}" for place in each.places(graph)}
    except Unsupported:
        return False
    return 2 * len(own & tensors.keys()) > len(own)


def _target(target: Path) -> tuple[str, Exchanges | None]:
    """The suffix of the file to write, and the backend that writes it; None for a container."""
    of = {suffix: each for each in frameworks() for suffix in each.writes}
    suffix = suffix_of(target, [*WRITTEN, *of])
    if suffix is None:
        raise WeightsError(
            f"{target}: the end of its name says no format; netspec writes {', '.join(writes())}"
        )
    return suffix, of.get(suffix)
