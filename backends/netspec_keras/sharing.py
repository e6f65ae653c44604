"""The layers of each node, in a form in which layers that share their weights can be one."""

from __future__ import annotations

from netspec.backend import Unsupported
from netspec.graph import Graph, Node
from netspec.types import Type
from netspec_keras.layer import Layer, Lowered
from netspec_keras.lowering import LOWERINGS, REFUSALS, bare


def lower(graph: Graph) -> dict[str, Lowered]:
    """The Keras layers of every node.

    Raises:
        Unsupported: an op has no lowering, or nodes share their weights and differ in more than padding and
            activation, so that no one layer serves them.
    """
    for node in graph.nodes:
        if type(node.op) not in LOWERINGS:
            raise Unsupported(REFUSALS.get(type(node.op), f"`{node.op.keyword}` has no lowering to Keras"))
    found = {node.name: LOWERINGS[type(node.op)](node.op, _types(graph, node)) for node in graph.nodes}
    for family in _families(graph):
        if len({own_layer(found[node.name]) for node in family}) > 1:
            found |= {node.name: bare(node.op, _types(graph, node)) for node in family}
        for node in family[1:]:
            if own_layer(found[node.name]) != own_layer(found[family[0].name]):
                raise Unsupported(
                    f"`{node.name}` cannot share with `{family[0].name}`: they differ in more than padding and "
                    "activation, and a Keras layer has one set of weights and one of settings"
                )
    return found


def own_layer(lowered: Lowered) -> Layer:
    """The layer that has the node's name and its weights."""
    return next(layer for layer in lowered.layers if not layer.suffix)


def _types(graph: Graph, node: Node) -> list[Type]:
    return [graph.types[value] for value in node.inputs]


def _families(graph: Graph) -> list[list[Node]]:
    """Nodes that share weights, the owner first."""
    families: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.shares is not None and node.weights:
            families.setdefault(node.shares, [graph.by_name[node.shares]]).append(node)
    return list(families.values())
