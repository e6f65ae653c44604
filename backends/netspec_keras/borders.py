"""Nodes that only move axes, at places where no layer of the spec can do it.

A function that is called with one set of layers takes its input in one order of axes: its caller moves the axes where
it has the input in another. A value that is an output of the network, or that several layers take in the order of
Keras, is moved once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node, Output, Scope
from netspec.lowering.outline import inside, within
from netspec.types import Type

Renamed = TypeVar("Renamed", Node, Scope)

ENDING = "_moved"
"""The end of the name of a node that only moves axes."""


def alike(graph: Graph) -> Iterator[tuple[str, ...]]:
    """The values that have one place in calls of one block with one set of weights."""
    groups: dict[str, list[str]] = {}
    nodes = _nodes_of(graph)
    for scope in graph.scopes:
        if scope.shares is None or scope.shares not in graph.scope_by_path:
            continue
        for node in nodes.get(scope.path, ()):
            owner = f"{scope.shares}{node.name[len(scope.path) :]}"
            if inside(node.name, scope.path) and owner in graph.by_name:
                one, other = (groups.setdefault(name, [name]) for name in (owner, node.name))
                if one is not other:
                    one += other
                    groups |= dict.fromkeys(other, one)
    yield from {id(each): tuple(each) for each in groups.values()}.values()


def _nodes_of(graph: Graph) -> dict[str, list[Node]]:
    """For each scope, the nodes in it and in the scopes in it."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for path in _around(graph, node.scope):
            found.setdefault(path, []).append(node)
    return found


@dataclass(frozen=True, slots=True)
class Insertion:
    """A place for a node: in which scope, after which nodes, and what in the scope it is named after."""

    scope: str
    at: int
    after: str


def with_borders(graph: Graph) -> tuple[Graph, frozenset[str]]:
    """The graph with a node before each input of each call of a block whose layers another call uses, and these nodes.

    A value that a repeat hands from one repetition to the next has no place for such a node.
    """
    shared = {
        path for scope in graph.scopes if scope.shares is not None for path in (scope.path, scope.shares)
    }
    words, made = _words(graph), set[str]()
    for scope in graph.scopes:
        if scope.path not in shared:
            continue
        own = [node for node in graph.nodes if within(node.scope, scope.path)]
        for value in dict.fromkeys(value for node in own for value in node.inputs):
            place, name = _above_repeats(graph, scope.parent, scope.path)
            if inside(value, name) or not _has_axes(graph.types[value]):
                continue
            at = next(at for at, node in enumerate(graph.nodes) if within(node.scope, name))
            node = _move(graph, value, Insertion(place, at, name), words)
            graph = _inserted(graph, at, node, {each.name for each in own})
            made.add(node.name)
            own = [node for node in graph.nodes if within(node.scope, scope.path)]
    return graph, frozenset(made)


def with_copies(
    graph: Graph, takers: Iterable[tuple[str, Sequence[Node | None]]], alone: Callable[[Node, str], bool]
) -> tuple[Graph, frozenset[str]]:
    """The graph with a node behind each value that several take in the order of Keras, and these nodes.

    `takers` has these nodes for each value, and None for an output of the network. A node that takes it `alone` moves
    the axes itself.
    """
    words, made = _words(graph), set[str]()
    for value, users in takers:
        for group in _groups(graph, value, users):
            if _needs_copy(group, value, alone):
                place = copied(graph, value, group)
                assert place is not None
                node = _move(graph, value, place, words)
                names = {user.name for user in group if user is not None}
                ends = {each.name for each in graph.outputs if None in group and each.value == value}
                graph = _inserted(graph, place.at, node, names, ends)
                made.add(node.name)
    return graph, frozenset(made)


def can_be_copied(
    graph: Graph, value: str, users: Sequence[Node | None], alone: Callable[[Node, str], bool]
) -> bool:
    """Whether there is a place at which a value can be moved for those of its users that cannot do it themselves."""
    groups = _groups(graph, value, users)
    return all(
        not _needs_copy(group, value, alone) or copied(graph, value, group) is not None for group in groups
    )


def _needs_copy(group: Sequence[Node | None], value: str, alone: Callable[[Node, str], bool]) -> bool:
    return len(group) > 1 or not all(user is not None and alone(user, value) for user in group)


def _groups(graph: Graph, value: str, users: Sequence[Node | None]) -> Iterator[Sequence[Node | None]]:
    """The users of a value apart: those in a call of a block whose layers another call uses, and those outside."""
    lent = {each.shares for each in graph.scopes if each.shares is not None}
    groups: dict[int, list[Node | None]] = {}
    around = [
        path for path in _around(graph, _scope_of(graph, value)) if path in lent or _shares(graph, path)
    ]
    for user in users:
        depth = sum(user is not None and within(user.scope, path) for path in around)
        groups.setdefault(depth, []).append(user)
    yield from groups.values()


def _shares(graph: Graph, path: str) -> bool:
    return graph.scope_by_path[path].shares is not None


def _scope_of(graph: Graph, value: str) -> str:
    return graph.producers[value].scope if value in graph.producers else ""


def _around(graph: Graph, scope: str) -> list[str]:
    """A scope and all scopes around it, without the root."""
    found = []
    while scope:
        found.append(scope)
        scope = graph.scope_by_path[scope].parent
    return found


def copied(graph: Graph, value: str, users: Sequence[Node | None]) -> Insertion | None:
    """The place at which a value can be moved once for several users: behind what makes it, as far out as they are."""
    made = graph.producers[value]
    paths = [*_around(graph, made.scope), ""]
    scope = next(path for path in paths if all(within(user.scope if user else "", path) for user in users))
    scope, _ = _above_repeats(graph, scope, "")
    for place in dict.fromkeys((scope, made.scope)):
        after = next(
            (path for path in paths if path and graph.scope_by_path[path].parent == place), made.name
        )
        after = made.name if place == made.scope else after
        inner = [user for user in users if user is not None and within(user.scope, after)]
        if inner or (place and graph.scope_by_path[place].kind == "repeat"):
            continue
        last = max(
            at for at, node in enumerate(graph.nodes) if node.name == after or within(node.scope, after)
        )
        names = {user.name for user in users if user is not None}
        first = next((at for at, node in enumerate(graph.nodes) if node.name in names), last + 1)
        return Insertion(place, last + 1, after) if first > last else None
    return None


def _words(graph: Graph) -> frozenset[str]:
    """All parts of the names of a graph."""
    return frozenset(part for name in (*graph.types, *graph.scope_by_path) for part in name.split("."))


def _above_repeats(graph: Graph, place: str, name: str) -> tuple[str, str]:
    """The innermost scope around a place that is not a repeat, and what is in it there."""
    while place and graph.scope_by_path[place].kind == "repeat":
        place, name = graph.scope_by_path[place].parent, place
    return place, name


def _has_axes(type_: Type) -> bool:
    return type_.kind == "numbers" and len(type_.shape) > 1


def _move(graph: Graph, value: str, place: Insertion, words: Collection[str]) -> Node:
    """A node that moves the axes of a value. Its name has an end that no name of the spec has."""
    from netspec.ops.reshape import Permute  # its family is loaded only where something moves

    name = f"{place.after}{ENDING}"
    while name.rpartition(".")[2] in words or name in graph.by_name:
        name += "_"
    type_ = graph.types[value]
    op = Permute(axes=("channels", *type_.axes)).resolve((type_,))
    span = graph.nodes[min(place.at, len(graph.nodes) - 1)].span
    return Node(name, op, (value,), (type_,), (), place.scope, span)


def _inserted(graph: Graph, at: int, node: Node, users: Collection[str], ends: Collection[str] = ()) -> Graph:
    """The graph with a node at a place, whose value some nodes and outputs take instead of its input."""
    (value,) = node.inputs
    instead = {value: node.name}
    nodes = [_renamed(each, instead) if each.name in users else each for each in graph.nodes]
    around_users = _all_around(graph, [each for each in graph.nodes if each.name in users])
    around_left = _all_around(graph, [each for each in nodes if value in each.inputs])
    scopes = tuple(
        _renamed(scope, instead) if scope.path in around_users - around_left else scope
        for scope in graph.scopes
    )
    outputs = tuple(Output(each.name, node.name) if each.name in ends else each for each in graph.outputs)
    return replace(graph, nodes=(*nodes[:at], node, *nodes[at:]), scopes=scopes, outputs=outputs)


def _all_around(graph: Graph, nodes: Iterable[Node]) -> set[str]:
    """The scopes that some nodes are in; the root is around all."""
    return {"", *(path for scope in {node.scope for node in nodes} for path in _around(graph, scope))}


def _renamed(each: Renamed, instead: Mapping[str, str]) -> Renamed:
    """A node or a scope that takes other values."""
    inputs = tuple(instead.get(value, value) for value in each.inputs)
    return each if inputs == each.inputs else replace(each, inputs=inputs)


def without(graph: Graph, idle: Collection[str]) -> Graph:
    """The graph without nodes that move nothing."""
    if not idle:
        return graph
    source: dict[str, str] = {}
    for node in graph.nodes:
        if node.name in idle:
            source[node.name] = source.get(node.inputs[0], node.inputs[0])
    nodes = tuple(_renamed(node, source) for node in graph.nodes if node.name not in idle)
    return replace(graph, nodes=nodes, scopes=tuple(_renamed(scope, source) for scope in graph.scopes))
