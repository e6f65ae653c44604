"""Equal graphs, and equal numbers: what counts as the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from netspec.graph import Graph, Node
from netspec.ops.reshape import Identity

if TYPE_CHECKING:
    from tests.random_networks.native import Array, Arrays

TOLERANCE = 1e-10
"""The largest relative difference in float64."""
PART = 1e-3
"""A tensor counts as no smaller than this part of what it is made of; below that lies what cancels."""

ULPS = 1e-15
"""What rounding does to a sum of values around 1: four units in the last place."""


def apart(a: Array, b: Array, floor: float) -> float:
    """max|a − b| / max(max|a|, max|b|, floor); infinite where one is no number, or the shapes differ."""
    import numpy as np

    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    if not a.size:
        return 0.0
    scale = max(_largest(a), _largest(b), floor)
    return float(np.abs(np.asarray(a, "float64") - b).max()) / scale if scale else 0.0


def floors(graph: Graph, inputs: Arrays, values: Arrays) -> dict[str, float]:
    """For every layer the smallest size that its output counts as: a part of what it takes."""
    sizes = {name: _largest(array) for name, array in inputs.items()}
    found = {}
    for node in graph.nodes:
        found[node.name] = PART * max((sizes[value] for value in node.inputs), default=0.0)
        sizes[node.name] = max(_largest(values[node.name]), found[node.name])
    return found


def gradient_floor(slopes: Iterable[Arrays], values: Arrays) -> float:
    """The smallest size that a gradient counts as.

    That is a part of the largest gradient; and where all gradients cancel, behind a normalisation of two values
    for example, four units in the last place of the largest value that they are made of, in the tolerance's terms.
    """
    steepest = max((_largest(array) for each in slopes for array in each.values()), default=0.0)
    return max(PART * steepest, ULPS / TOLERANCE * max(map(_largest, values.values()), default=0.0))


def _largest(array: Array) -> float:
    import numpy as np

    return float(np.abs(array).max(initial=0.0))


def unlike(a: Graph, b: Graph) -> str | None:
    """What differs between a graph and one written again, beside the names of layers; None if nothing does.

    A network ends in its last layer. Where another layer is the output, the written one has an `identity` of it.
    """
    b = _without_end(a, b)
    if a.description != b.description:
        return f"the description: {a.description!r} and {b.description!r}"
    if [(i.name, i.type, i.vocabulary) for i in a.inputs] != [(i.name, i.type, i.vocabulary) for i in b.inputs]:
        return f"the inputs: {a.inputs} and {b.inputs}"
    if len(a.nodes) != len(b.nodes):
        return f"the number of layers: {len(a.nodes)} and {len(b.nodes)}"
    numbers = _numbers(a), _numbers(b)
    for one, other in zip(a.nodes, b.nodes, strict=True):
        for what, first, second in (
            ("op", one.op, other.op),
            ("outputs", one.outputs, other.outputs),
            ("inputs", _mapped(one.inputs, numbers[0]), _mapped(other.inputs, numbers[1])),
            ("owner", _shares(one, numbers[0]), _shares(other, numbers[1])),
            ("trainable", one.trainable, other.trainable),
            ("weights", _held(a, one.name), _held(b, other.name)),
        ):
            if first != second:
                return f"{what} of {one.name}, {other.name} in the other: {first} and {second}"
    ends = [[(each.name, numbers[at][each.value]) for each in graph.outputs] for at, graph in enumerate((a, b))]
    return None if ends[0] == ends[1] else f"the outputs: {ends[0]} and {ends[1]}"


def _without_end(a: Graph, b: Graph) -> Graph:
    added = [each.value for each in b.outputs if each.name == "output"]
    node = b.by_name.get(added[0]) if added else None
    if node is None or not isinstance(node.op, Identity) or len(b.nodes) != len(a.nodes) + 1:
        return b
    outputs = tuple(replace(each, value=node.inputs[0]) if each.name == "output" else each for each in b.outputs)
    return replace(b, nodes=tuple(each for each in b.nodes if each is not node), outputs=outputs)


def _numbers(graph: Graph) -> dict[str, int]:
    names = [*(each.name for each in graph.inputs), *(value for node in graph.nodes for value in node.values)]
    return {name: number for number, name in enumerate(names)}


def _mapped(names: Iterable[str], numbers: Mapping[str, int]) -> list[int]:
    return [numbers[name] for name in names]


def _shares(node: Node, numbers: Mapping[str, int]) -> int | None:
    """Whose weights it uses; one without weights uses none."""
    return None if node.shares is None or not node.weights else numbers[node.shares]


def _held(graph: Graph, name: str) -> list[object]:
    node = graph.by_name[name]
    if node.shares is not None:
        return []
    return [(node.local(w), w.shape, w.axes, w.init, w.trainable, w.statistic) for w in node.weights]
