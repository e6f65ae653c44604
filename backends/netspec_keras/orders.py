"""The order of axes in which the variables of a text hold the values, so that no layer moves back what is moved again.

Keras has the channels last. Some layers work in another order: they move the axes of their input, and then those of
their value. A value stays in such an order where layers behind it work in it, or pass it on to one that does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import IntEnum

from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node
from netspec_keras.arguments import first
from netspec_keras.borders import alike, can_be_copied
from netspec_keras.layer import Dims, LayerText, Lowered, Turning

MOVED = ("moved", "moved_back")
"""The suffixes of the layers that move axes before and after the layers of a node."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The values that are `held` in another order than that of Keras, each with its order.

    Nodes that move their axes `apart` are calls of one layer, which then moves none itself.
    """

    held: Mapping[str, Dims]
    apart: Collection[str] = ()

    def around(self, node: Node) -> tuple[Dims | None, Dims | None, bool]:
        """All that decides the layers of a node: the orders before and after it, and whether it moves axes apart."""
        before = self.held.get(node.inputs[0]) if node.inputs else None
        return before, self.held.get(node.name), node.name in self.apart


def turns(lowered: Mapping[str, Lowered]) -> bool:
    """Whether any layer gives a value in another order, so that there is something to arrange."""
    return any(each.turning is not None and each.turning.gives for each in lowered.values())


class Freedom(IntEnum):
    """What is done so that moves of axes do not undo each other; each of these does more than those before it.

    With `LAYERS`, layers leave their moves to their neighbours. With `PERMUTES`, a `permute` of the author gives its
    value in the order in which a layer behind it works. With `COPIES`, nodes that only move axes are added: before
    calls of a block, and behind a value that several take; and `permute`s that undo each other become none.
    """

    LAYERS = 0
    PERMUTES = 1
    COPIES = 2


def orders(
    graph: Graph,
    lowered: Mapping[str, Lowered],
    borders: Collection[str] = (),
    freedom: Freedom = Freedom.PERMUTES,
) -> Orders:
    """The orders of the values of a graph.

    These are the most values in another order such that a layer that works in it takes each, directly or through
    layers that take any order. Without `COPIES`, every other layer that takes one has no other input, so that a layer
    before it can move the axes. Calls of one block with the same weights take and give alike; `borders` are the nodes
    before such calls that can move what they take.
    """
    if not turns(lowered):
        return Orders({})
    arrangement = _Arrangement(graph, lowered, borders, freedom)
    while arrangement.drop():
        pass
    return Orders(arrangement.held, arrangement.apart())


def takers(
    graph: Graph, lowered: Mapping[str, Lowered], held: Mapping[str, Dims]
) -> Iterator[tuple[str, list[Node | None]]]:
    """For each value in another order, the nodes that take it in that of Keras; None for an output of the network."""
    arrangement = _Arrangement(graph, lowered, (), Freedom.COPIES, held)
    for value in held:
        if others := arrangement.others(value):
            yield value, others


ANY = ()
"""In place of an order: every one suits."""


class _Arrangement:
    """Starts with all values that can be in another order, and drops those that must not be."""

    def __init__(
        self,
        graph: Graph,
        lowered: Mapping[str, Lowered],
        borders: Collection[str],
        freedom: Freedom,
        held: Mapping[str, Dims] | None = None,
    ) -> None:
        self.graph, self.nodes, self.by_name, self.lowered = graph, graph.nodes, graph.by_name, lowered
        self.borders, self.freedom = borders, freedom
        copies = freedom == Freedom.COPIES
        self.ends = {output.value for output in graph.outputs}
        self.users: dict[str, list[Node]] = {}
        self.families: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for value in dict.fromkeys(node.inputs):
                self.users.setdefault(value, []).append(node)
            if node.shares is not None:
                self.families.setdefault(node.shares, [graph.by_name[node.shares]]).append(node)
        self.held: dict[str, Dims] = dict(held or {})
        if held is not None:
            return
        shared = tuple(f"{scope.path}." for scope in graph.scopes if scope.shares is not None)
        self.free = {
            owner
            for owner, family in self.families.items()
            if all(_can_move_apart(lowered[node.name]) for node in family)
            and not any(node.name.startswith(shared) for node in family)
        }
        """The layers that are called several times, and can move no axes themselves."""
        self.alike = tuple(alike(graph)) if copies else ()
        """The values of calls of one block that have the same place in it."""
        self.group = {value: values for values in self.alike for value in values}
        self.sought: dict[str, dict[Dims, None]] = {}
        """For each value, the orders in which layers behind it work."""
        self.choice: dict[str, Dims | None] = {}
        """For each node that only moves axes, the order in which it gives its value."""
        for node in reversed(graph.nodes):
            self._seek(node)
        for node in graph.nodes:
            turning = lowered[node.name].turning
            if turning is not None and turning.between is not None and freedom:
                self.choice[node.name] = self._chosen(node, turning)
            order = self._given(node)
            if order is not None and (copies or node.name not in self.ends):
                self.held[node.name] = order

    def _seek(self, node: Node) -> None:
        """Note for the inputs of a node the orders in which it, or a layer behind it, works."""
        found = self.lowered[node.name]
        orders: list[Dims] = []
        if found.turning is None and found.keeps != "nothing":
            orders = [each for each in self.sought.get(node.name, ()) if each == ANY or takes(found, each)]
        elif found.turning is not None and found.turning.between is not None:
            if node.name in self.borders:
                orders = [*self.sought.get(node.name, ())]
            elif self.freedom == Freedom.COPIES:
                orders = [ANY]
        elif found.turning is not None and found.turning.takes is not None:
            orders = [found.turning.takes]
        values = node.inputs if found.turning is None else node.inputs[:1]
        for value in values:
            self.sought.setdefault(value, {}).update(dict.fromkeys(orders))

    def _chosen(self, node: Node, turning: Turning) -> Dims | None:
        """The order in which a node that only moves axes gives its value: without a move, if a layer works in that."""
        assert turning.unmoved is not None
        if node.name in self.group and node.name not in self.borders:
            return None  # a function that several calls run moves the axes as the author wrote it
        values = self.group.get(node.name, (node.name,))
        sought = dict.fromkeys(order for value in values for order in self.sought.get(value, ()))
        unmoved = turning.unmoved(self.held.get(node.inputs[0]))
        wanted = [order for order in sought if len(order) == len(unmoved)]
        if node.name in self.borders:
            chosen = wanted[0] if wanted else None
        else:
            chosen = unmoved if unmoved in wanted or (ANY in sought and not wanted) else (*wanted, None)[0]
        return None if chosen == tuple(range(len(unmoved))) else chosen

    def _given(self, node: Node) -> Dims | None:
        """The other order in which a node gives its value, if its inputs are as they are held."""
        turning = self.lowered[node.name].turning
        if turning is None:
            order = self._passes(node)
        else:
            order = self.choice.get(node.name) if turning.between is not None else turning.gives
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
        others = self.others(value)
        if self.freedom == Freedom.COPIES:
            return not others or can_be_copied(self.graph, value, others, self.moves_itself)
        return all(user is not None and self.moves_itself(user, value) for user in others)

    def others(self, value: str) -> list[Node | None]:
        """The nodes that take a value in the order of Keras; None for an output of the network."""
        users = self.users.get(value, ())
        found = [user for user in users if not (self._works(user, value) or self._passes(user))]
        return [*found, *([None] if value in self.ends else [])]

    def moves_itself(self, user: Node, value: str) -> bool:
        """Whether a layer before those of a node can move the axes of a value that it takes."""
        return moves_itself(user, value, self.lowered[user.name])

    def _works(self, node: Node, value: str) -> bool:
        """Whether a node works in the order in which a value is held, and takes the value as its first input only.

        A node that only moves axes does so in any order, unless it then moves what it else had not to move.
        """
        turning = self.lowered[node.name].turning
        places = [place for place, each in enumerate(node.inputs) if each == value]
        if turning is None or places != [0]:
            return False
        if turning.between is None:
            return turning.takes == self.held[value]
        gives = self.held.get(node.name)
        if not self.freedom:
            return False
        if node.name in self.borders:
            return gives == self.held[value]
        return (
            bool(turning.between(None, gives).layers) or not turning.between(self.held[value], gives).layers
        )

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
            fresh = {*self.group.get(value, ())} - wanted
            for node in (self.by_name[value], *self.users.get(value, ())) if value in self.by_name else ():
                if self._passes(node) is not None:
                    fresh |= {*node.inputs} - wanted
            wanted |= fresh
            found += sorted(fresh)
        return wanted

    def _unlike(self) -> Iterator[str]:
        """The values with which calls of one layer, or of one block, would take, or give, differently."""
        for owner, family in self.families.items():
            for values in _around(family) if owner not in self.free else ():
                if any(value not in self.held for value in values):
                    yield from values
        for group in self.alike:
            if len({self.held.get(value) for value in group}) > 1 or not self._pays(group):
                yield from group

    def _pays(self, group: Sequence[str]) -> bool:
        """Whether one of the calls of a block takes its input without a move, if it is in another order in all."""
        borders = [value for value in group if value in self.borders]
        return not borders or any(
            self.held.get(self.by_name[value].inputs[0]) == self.held.get(value) for value in borders
        )

    def apart(self) -> frozenset[str]:
        """The calls of layers of which one has a neighbour that works in its order."""
        families = [family for owner, family in self.families.items() if owner in self.free]
        return frozenset(
            node.name
            for family in families
            if not self.held.keys().isdisjoint(value for values in _around(family) for value in values)
            for node in family
        )


def moves_itself(user: Node, value: str, lowered: Lowered) -> bool:
    """Whether a layer before those of a node can move the axes of a value that it takes."""
    return user.inputs == (value,) and (not user.ports or bool(lowered.gives))


def _around(family: Sequence[Node]) -> tuple[list[str], list[str]]:
    """The first inputs and the values of several nodes."""
    return [node.inputs[0] for node in family if node.inputs], [node.name for node in family]


def _can_move_apart(lowered: Lowered) -> bool:
    """Whether layers before and after it can move the axes: it has one value, and its calls state no axis."""
    plain = not lowered.gives and not any(layer.given for layer in lowered.layers)
    return plain and lowered.turning is not None and lowered.turning.takes is not None


def takes(lowered: Lowered, order: Dims) -> bool:
    """Whether layers take values in an order and give theirs in it, without any move."""
    return lowered.keeps == "all" or (lowered.keeps == "channels" and order[-1] == len(order) - 1)


def placed(found: Lowered, node: Node, orders: Orders) -> Lowered:
    """The layers of a node among its neighbours: without the moves that none needs, or with those that it needs."""
    order, gives, is_apart = orders.around(node)
    turning = found.turning
    if turning is not None and turning.between is not None:
        return found if order is None and gives is None else turning.between(order, gives)
    if turning is not None and is_apart:
        return _between(order, turning.takes, turning.lower(False, False), turning.gives, gives)
    if order is None and gives is None:
        return found
    if turning is not None and order in (None, turning.takes):
        return turning.lower(order is None, gives is None)
    if turning is not None:
        return _between(order, None, turning.lower(True, gives is None))
    if order is None or not takes(found, order):
        return _between(order, None, found)
    is_vector = len(order) > 1 + len(node.output.shape)
    return found if is_vector else _between(None, None, found, order, gives)


def _between(
    given: Dims | None,
    taken: Dims | None,
    found: Lowered,
    made: Dims | None = None,
    gives: Dims | None = None,
) -> Lowered:
    """Layers with those that move the axes: from the order of the input to what they take, and back."""
    before, after = _move(given, taken, MOVED[0]), _move(made, gives, MOVED[1])
    layers = (*before, *found.layers, *after)
    return found if layers == found.layers else replace(found, layers=layers)


def _move(given: Dims | None, wanted: Dims | None, suffix: str) -> tuple[LayerText, ...]:
    """The layer that moves axes from one order to another; None is that of Keras."""
    if given == wanted:
        return ()
    count = len(given or wanted or ())
    given, wanted = given or tuple(range(count)), wanted or tuple(range(count))
    dims = tuple(map(given.index, wanted[1:]))
    return (LayerText("layers.Permute", (first(dims, "order"),), suffix),)
