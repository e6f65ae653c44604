"""The order of axes in which the variables of a text hold the values, so that no layer moves back what is moved again.

Keras has the channels last. Some layers work in another order: they move the axes of their input, and then those of
their value. A value stays in such an order where layers behind it work in it, or pass it on to one that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netspec.dataclass import replace
from netspec.graph import Graph, Node
from netspec_keras.arguments import first
from netspec_keras.layer import Dims, LayerText, Lowered

MOVED = "moved"
"""The suffix of the layer that moves the axes for a node that works in the order of Keras."""


def kept_turned(graph: Graph, lowered: Mapping[str, Lowered]) -> dict[str, Dims]:
    """The values in another order than that of Keras, each with its order.

    These are the most values such that a layer that works in that order takes each, directly or through layers that
    take any order; and that every other layer which takes one has no other input, so that a layer before it can move
    the axes. Calls of one layer, or of one block with the same weights, take and give alike.
    """
    if not any(each.turning is not None and each.turning.gives for each in lowered.values()):
        return {}
    arrangement = _Arrangement(graph, lowered)
    while arrangement.drop():
        pass
    return arrangement.held


class _Arrangement:
    """Starts with all values that can be in another order, and drops those that must not be."""

    def __init__(self, graph: Graph, lowered: Mapping[str, Lowered]) -> None:
        self.nodes, self.by_name, self.lowered = graph.nodes, graph.by_name, lowered
        self.ends = {output.value for output in graph.outputs}
        self.users: dict[str, list[Node]] = {}
        self.families: dict[str, list[Node]] = {}
        self.held: dict[str, Dims] = {}
        for node in graph.nodes:
            for value in dict.fromkeys(node.inputs):
                self.users.setdefault(value, []).append(node)
            if node.shares is not None:
                self.families.setdefault(node.shares, [graph.by_name[node.shares]]).append(node)
            order = self._given(node)
            if order is not None and node.name not in self.ends:
                self.held[node.name] = order

    def _given(self, node: Node) -> Dims | None:
        """The other order in which a node gives its value, if its inputs are as they are held."""
        turning = self.lowered[node.name].turning
        order = self._passes(node) if turning is None else turning.gives
        return order if order is not None and len(order) == 1 + len(node.output.shape) else None

    def _passes(self, node: Node) -> Dims | None:
        """The other order in which a node takes all its inputs, and gives its value."""
        orders = {self.held.get(value) for value in node.inputs}
        order = orders.pop() if len(orders) == 1 else None
        return order if order is not None and takes(self.lowered[node.name], order) else None

    def drop(self) -> bool:
        """Drop the values that must not be in another order, as long as the others are; whether there was any."""
        count = len(self.held)
        for node in self.nodes:
            if node.name in self.held and not (self._given(node) and self._suits(node.name)):
                del self.held[node.name]
        wanted = self._wanted()
        self.held = {value: order for value, order in self.held.items() if value in wanted}
        for value in list(self._unlike()):
            self.held.pop(value, None)
        return len(self.held) < count

    def _suits(self, value: str) -> bool:
        """Whether every user can take a value as it is held, or has a layer before it that moves the axes."""
        return all(
            self._works(user, value)
            or self._passes(user)
            or (user.inputs == (value,) and (not user.ports or self.lowered[user.name].gives))
            for user in self.users.get(value, ())
        )

    def _works(self, node: Node, value: str) -> bool:
        """Whether a node works in the order in which a value is held, and takes the value as its first input only."""
        turning = self.lowered[node.name].turning
        places = [place for place, each in enumerate(node.inputs) if each == value]
        return turning is not None and turning.takes == self.held[value] and places == [0]

    def _wanted(self) -> set[str]:
        """The values that a layer works on as they are held, and what is passed on to it or together with them."""
        found = [
            value
            for value in self.held
            if any(self._works(user, value) for user in self.users.get(value, ()))
        ]
        wanted = set(found)
        while found:
            value = found.pop()
            for node in (self.by_name[value], *self.users.get(value, ())):
                if self._passes(node) is not None:
                    fresh = {*node.inputs} - wanted
                    wanted |= fresh
                    found += sorted(fresh)
        return wanted

    def _unlike(self) -> Iterator[str]:
        """The values with which calls of one layer would take, or give, differently."""
        for family in self.families.values():
            for values in (
                [node.name for node in family],
                [node.inputs[0] for node in family if node.inputs],
            ):
                if any(value not in self.held for value in values):
                    yield from values


def takes(lowered: Lowered, order: Dims) -> bool:
    """Whether layers take values in an order and give theirs in it, without any move."""
    return lowered.keeps == "all" or (lowered.keeps == "channels" and order[-1] == len(order) - 1)


def placed(found: Lowered, node: Node, held: Mapping[str, Dims]) -> Lowered:
    """The layers of a node among its neighbours: without the moves that none needs, or with one that it needs."""
    order = held.get(node.inputs[0]) if node.inputs else None
    gives = node.name in held
    if order is None and not gives:
        return found
    if found.turning is not None:
        works = order is not None and found.turning.takes == order
        found = found.turning.lower(not works, not gives)
        if works or order is None:
            return found
    elif order is not None and takes(found, order):
        if gives or len(order) > 1 + len(node.output.shape):
            return found
        return replace(found, layers=(*found.layers, _back(order)))
    assert order is not None
    return replace(found, layers=(_back(order), *found.layers))


def _back(order: Dims) -> LayerText:
    """The layer that moves the axes to the order of Keras."""
    dims = tuple(map(order.index, range(1, len(order))))
    return LayerText("layers.Permute", (first(dims, "order"),), MOVED)
