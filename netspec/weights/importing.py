"""Makes the weights of a graph from the tensors of others, in our layouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from netspec.graph import Graph
from netspec.weights.containers import floats
from netspec.weights.flattened import Order, reordered
from netspec.weights.held import Held, Place
from netspec.weights.matching import Match, Split, match

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]


def assembled(
    found: Match,
    held: Held,
    path: str | Path,
    tell: Callable[[str], None],
    orders: Mapping[str, Sequence[Order | None]] | None = None,
) -> dict[str, Array]:
    """The weights of a match, float32 or float64; `tell` gets a sentence for each conversion.

    `orders` has the orders of axes that are flattened maps with the channels last.

    Raises:
        WeightsError: a tensor has numbers that float64 cannot represent.
    """
    names = dict.fromkeys(name for row in found.rows for name in row.theirs)
    used = Held({name: held.tensors[name] for name in names}, held.kinds, held.ranks)
    arrays = floats(used, path, tell)
    weights, rounded = {}, 0
    for row in found.rows:
        given = [arrays[name] for name in row.theirs]
        weight = row.place.taken(given[0], given[1] if len(given) > 1 else None)
        if orders and row.place.weight in orders:
            weight = reordered(weight, orders[row.place.weight])
        if len(given) > 1 and all(str(each.dtype) == "float32" for each in given):
            single = weight.astype("float32")
            rounded += bool((single != weight).any())
            weight = single
        weights[row.place.weight] = weight
    if rounded:
        tell(f"{rounded} sum{'s' * (rounded > 1)} of two biases rounded to float32")
    return weights


def by_own_names(
    held: Held, split: Split, places: Sequence[Place], graph: Graph, path: str | Path
) -> dict[str, Array]:
    """The weights in a file of a model that netspec built: names and layouts are those of its framework.

    Raises:
        WeightsError: the file is of another model.
    """
    return assembled(match(held, split, places, graph, "name", path), held, path, lambda line: None)


def own_tensors(places: Sequence[Place], weights: Mapping[str, Array], joint: str) -> dict[str, Array]:
    """The weights with the names and layouts of a framework; `joint` joins a layer and its tensor."""
    import numpy as np

    parts: dict[str, dict[int | None, Array]] = {}
    for place in places:
        own = parts.setdefault(f"{place.layer}{joint}{place.leaf}", {})
        own[place.part] = place.back(weights[place.weight])
    return {
        name: each[None] if None in each else np.stack([each[number] for number in range(len(each))])
        for name, each in parts.items()
    }
