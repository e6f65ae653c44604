"""Maxima that float32 does not decide: two backends find them at different positions, because of rounding errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING

from netspec.graph import Graph, Node
from netspec.ops.pool import MaxPool, MaxUnpool

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays


def undecided(graph: Graph, sides: Mapping[str, Arrays], tolerance: float) -> tuple[str, ...]:
    """The layers whose outputs two sides may differ in although both are right, in the order of the graph.

    These are the max unpools whose pool finds a maximum at different positions on two sides, and all layers that use
    them. The inputs of such a pool agree within the tolerance; where they do not, the difference is reported there.
    """
    found: set[str] = set()
    for node in graph.nodes:
        depends = any(value in found for value in node.inputs)
        if depends or (isinstance(node.op, MaxUnpool) and _is_tied(graph, node, sides, tolerance)):
            found.update(node.values)
    return tuple(node.name for node in graph.nodes if node.name in found)


def _is_tied(graph: Graph, unpool: Node, sides: Mapping[str, Arrays], tolerance: float) -> bool:
    """Whether the pool of a max unpool finds different positions on two sides whose inputs to it agree."""
    pool = graph.producers[unpool.inputs[1]]
    value, sizes = pool.inputs[0], pool.output.sizes
    assert isinstance(pool.op, MaxPool)
    given = [arrays[value] for arrays in sides.values() if value in arrays]
    return any(_agree(a, b, tolerance) and _differ(pool.op, sizes, a, b) for a, b in combinations(given, 2))


def _agree(a: Array, b: Array, tolerance: float) -> bool:
    import numpy as np

    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a.astype("float64") - b).max() <= tolerance * max(np.abs(a).max(), np.abs(b).max()))


def _differ(op: MaxPool, sizes: Sequence[int], a: Array, b: Array) -> bool:
    return bool((_chosen(op, sizes, a) != _chosen(op, sizes, b)).any())


def _chosen(op: MaxPool, sizes: Sequence[int], x: Array) -> Array:
    """For each window the number of the place with the largest value, the first of equal ones."""
    import numpy as np

    padded = np.pad(x, [(0, 0), (0, 0), *op.pads], constant_values=-np.inf)
    largest = np.full((*x.shape[:2], *sizes), -np.inf, x.dtype)
    chosen = np.zeros(largest.shape, "int32")
    for number, cut in enumerate(_places(op, sizes)):
        seen = padded[(slice(None), slice(None), *cut)]
        larger = seen > largest
        largest[larger] = seen[larger]
        chosen[larger] = number
    return chosen


def _places(op: MaxPool, sizes: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """For each place of the kernel, what all windows see there."""
    for place in product(*map(range, op.kernel)):
        rows = zip(place, op.dilation, op.strides, sizes, strict=True)
        yield tuple(slice(at * d, at * d + (size - 1) * s + 1, s) for at, d, s, size in rows)
