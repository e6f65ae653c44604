"""The order of the channels of vectors in models that flatten maps with the channels last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from netspec.graph import Graph, Node
from netspec.ops.merge import Concat, Elementwise
from netspec.ops.norm import GroupNorm, LocalResponseNorm
from netspec.ops.pointwise import Pointwise
from netspec.ops.reshape import Flatten, Identity, Permute, Reshape
from netspec.types import Type
from netspec.weights.reading import WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

Part: TypeAlias = tuple[int, tuple[int, ...]]
"""Channels and sizes of a map that was flattened; a vector that was none has no sizes."""

Order: TypeAlias = tuple[Part, ...]
"""The order of the channels of a vector: that of maps, one after the other."""


def orders(graph: Graph) -> dict[str, tuple[Order | None, ...]]:
    """For each weight that must be reordered, the order of each of its axes there; None: as it is.

    netspec flattens and reshapes with the channels first. A model with the channels last has the values of a flattened
    map in another order: in the layer that takes them, and in all between; likewise in a layer whose output becomes a
    map.

    Raises:
        WeightsError: the order cannot be followed through a layer.
    """
    return _Orders(graph).of_weights()


def is_undecided(graph: Graph) -> bool:
    """Whether a vector becomes a map and the map a vector again, and all layers between take channels like positions.

    A model with the channels first does not move them there, so that it looks like one with the channels last.
    """
    maps: set[str] = set()
    for node in graph.nodes:
        is_made = not maps.isdisjoint(node.inputs)
        if isinstance(node.op, Flatten | Reshape):
            if is_made and _is_vector(node.output):
                return True
            is_made |= _is_vector(graph.types[node.inputs[0]]) and bool(node.output.spatial)
        if is_made and isinstance(node.op, Flatten | Reshape | Pointwise | Elementwise | Identity):
            maps.add(node.name)
    return False


def reordered(array: Array, orders: Sequence[Order | None]) -> Array:
    """A weight of a model with the channels last, with its axes in our order."""
    import numpy as np

    for axis, order in enumerate(orders):
        if order is not None:
            array = np.take(array, _indices(order), axis)
    return array


def _indices(order: Order) -> NDArray[np.intp]:
    import numpy as np

    parts, start = [], 0
    for channels, sizes in order:
        count = channels * prod(sizes)
        own = np.arange(start, start + count).reshape(*sizes, channels)
        parts.append(np.moveaxis(own, -1, 0).ravel())
        start += count
    return np.concatenate(parts)


class _Orders:
    """Vectors whose channels have one order are a group; what flattens or reshapes a map says the order of a group."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._above: dict[str, str] = {}
        self._known: dict[str, tuple[Order, str]] = {}
        for node in graph.nodes:
            if self._keeps(node):
                vectors = [value for value in (*node.inputs, node.name) if _is_vector(graph.types[value])]
                for value in vectors[1:]:
                    self._join(vectors[0], value)
        for node in graph.nodes:
            for value, part in self._stated(node):
                self._state(value, (part,), node.name)
        for node in graph.nodes:
            if isinstance(node.op, Concat) and _is_vector(node.output):
                parts = [
                    self._order(value) or ((graph.types[value].channels or 0, ()),) for value in node.inputs
                ]
                whole = tuple(part for order in parts for part in order)
                if any(sizes for _, sizes in whole):
                    self._state(node.name, whole, node.name)

    def of_weights(self) -> dict[str, tuple[Order | None, ...]]:
        found = {}
        for node in self._graph.nodes:
            given = next(
                (self._order(value) for value in node.inputs if _is_vector(self._graph.types[value])), None
            )
            made = self._order(node.name) if _is_vector(node.output) else None
            is_dense = node.op.keyword == "dense"
            for weight in node.weights:
                of_axis = {"O": made, "I": given, "C": made if self._keeps(node) else None}
                own = tuple(of_axis.get(letter) for letter in weight.axes)
                if not any(own):
                    continue
                if not (is_dense or self._keeps(node)):
                    raise self._lost(node)
                found[weight.name] = own
            if given and not (is_dense or self._keeps(node) or self._ends(node)):
                raise self._lost(node)
        # What stands in another order before it is flattened is perhaps there for exactly this purpose.
        turning = next((node for node in self._graph.nodes if isinstance(node.op, Permute)), None)
        if found and turning is not None:
            raise self._lost(turning)
        return found

    def _keeps(self, node: Node) -> bool:
        """Whether a layer does the same to every channel, in any order."""
        op = node.op
        return isinstance(op, Pointwise | Elementwise) and not isinstance(op, GroupNorm | LocalResponseNorm)

    def _ends(self, node: Node) -> bool:
        """Whether the order of a vector is known before and behind a layer."""
        return isinstance(node.op, Flatten | Reshape | Concat)

    def _stated(self, node: Node) -> Iterator[tuple[str, Part]]:
        """The vectors that a layer turns into a map, or a map into, with the channels and sizes of the map."""
        if not isinstance(node.op, Flatten | Reshape):
            return
        before, after = self._graph.types[node.inputs[0]], node.output
        if _is_vector(after) and before.spatial:
            yield node.name, (before.channels or 1, before.sizes)
        elif _is_vector(before) and after.spatial:
            yield node.inputs[0], (after.channels or 1, after.sizes)
        elif before.spatial and after.spatial and before.shape != after.shape:
            raise self._lost(node)
        elif _is_vector(before) and _is_vector(after):
            self._join(node.inputs[0], node.name)

    def _state(self, value: str, order: Order, layer: str) -> None:
        if all(channels == 1 or prod(sizes) == 1 for channels, sizes in order):
            return  # both orders are the same
        root = self._root(value)
        known, other = self._known.setdefault(root, (order, layer))
        if known != order:
            raise WeightsError(
                f"{other} and {layer} flatten the same values in different orders: give a map of weights"
            )

    def _order(self, value: str) -> Order | None:
        known = self._known.get(self._root(value))
        return None if known is None else known[0]

    def _root(self, value: str) -> str:
        while value in self._above:
            value = self._above[value]
        return value

    def _join(self, one: str, other: str) -> None:
        first, second = self._root(one), self._root(other)
        if first != second:
            self._above[second] = first

    def _lost(self, node: Node) -> WeightsError:
        return WeightsError(
            f"{node.name}: netspec cannot follow the order of a map that is flattened with the channels last through "
            f"`{node.op.keyword}`"
        )


def _is_vector(type_: Type) -> bool:
    return type_.channels is not None and not type_.spatial
