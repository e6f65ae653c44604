"""What counts as the same number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from netspec.graph import Graph, Node
from netspec.ops.norm import BatchNorm

if TYPE_CHECKING:
    from tests.backends.native import Array, Arrays

TOLERANCE = 1e-10
"""The largest relative difference in float64."""
PART = 1e-3
"""A tensor counts as no smaller than this part of what it is made of; below that lies what cancels."""

ULPS = 1e-15
"""What rounding does to a sum of values around 1: four units in the last place."""


def apart(a: Array, b: Array, floor: float) -> float:
    """max|a − b| / max(max|a|, max|b|, floor); infinite where only one is a number, or the shapes differ.

    A network may overflow: then the same places of both do, and the others are compared.
    """
    import numpy as np

    if a.shape != b.shape:
        return float("inf")
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~np.isfinite(b)], equal_nan=True) or (finite != np.isfinite(b)).any():
        return float("inf")
    a, b = a[finite], b[finite]
    if not a.size:
        return 0.0
    scale = max(_largest(a), _largest(b), floor if np.isfinite(floor) else 0.0)
    return float(np.abs(np.asarray(a, "float64") - b).max()) / scale if scale else 0.0


def floors(graph: Graph, inputs: Arrays, values: Arrays) -> dict[str, float]:
    """For every layer the smallest size that its output counts as: a part of the largest value it is made of."""
    largest = {name: _largest(array) for name, array in inputs.items()}
    for node in graph.nodes:
        # Positions and indices are not sizes of values.
        made_of = [largest[value] for value in node.inputs if graph.types[value].kind == "numbers"]
        largest |= dict.fromkeys(node.values, max([_largest(values[node.name]), *made_of]))
    return {node.name: PART * largest[node.name] for node in graph.nodes}


def gradient_floor(slopes: Iterable[Arrays], values: Arrays) -> float:
    """The smallest size that a gradient counts as.

    That is a part of the largest gradient; and where all gradients cancel, behind a normalisation of two values
    for example, four units in the last place of the largest value that they are made of, in the tolerance's terms.
    """
    steepest = max((_largest(array) for each in slopes for array in each.values()), default=0.0)
    return max(PART * steepest, ULPS / TOLERANCE * max(map(_largest, values.values()), default=0.0))


def overflows(array: Array) -> bool:
    """Whether an array holds what is not a finite number."""
    import numpy as np

    return not np.isfinite(array).all()


def finite_samples(graph: Graph, name: str, values: Arrays, training: bool) -> Array:
    """For each sample of a batch, whether all values are finite that a value is made of, itself among them.

    What a framework makes of infinity, or of what is not a number, is its own: TensorFlow's maximum passes over what
    is not a number, PyTorch's sign of it is 0. A batch norm in training mixes the samples.
    """
    import numpy as np

    nodes = _behind(graph, name)
    rows = [np.isfinite(values[node.name]).reshape(len(values[node.name]), -1).all(axis=1) for node in nodes]
    sound: Array = np.logical_and.reduce(rows)
    if training and any(isinstance(node.op, BatchNorm) and node.trainable for node in nodes):
        return np.full(len(sound), sound.all())
    return sound


def _behind(graph: Graph, name: str) -> list[Node]:
    """The node that makes a value, and those that its inputs come from."""
    found: dict[str, Node] = {}
    left = [name]
    while left:
        node = graph.producers.get(left.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            left += node.inputs
    return list(found.values())


def _largest(array: Array) -> float:
    import numpy as np

    return float(np.abs(array).max(initial=0.0))
