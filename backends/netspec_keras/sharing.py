"""The layers of each node, in a form in which layers that share their weights can be one."""

from __future__ import annotations

from netspec.backend import Unsupported
from netspec.graph import Graph, Node
from netspec.ops.norm import BatchNorm, GroupNorm
from netspec.types import Type
from netspec_keras.layer import Layer, Lowered
from netspec_keras.lowering import LOWERINGS, REFUSALS, bare


def lower(graph: Graph) -> dict[str, Lowered]:
    """The Keras layers of every node.

    Raises:
        Unsupported: an op has no lowering, or nodes share their weights and differ in more than padding and
            activation, or in the number of axes, so that no one layer serves them, or a layer that nothing
            uses holds weights.
    """
    _check_used(graph)
    for node in graph.nodes:
        if type(node.op) not in LOWERINGS:
            why = REFUSALS.get(type(node.op), f"`{node.op.keyword}` has no lowering to Keras")
            raise Unsupported(why, node.name)
    found = {node.name: LOWERINGS[type(node.op)](node.op, _types(graph, node)) for node in graph.nodes}
    for family in _families(graph):
        if len({own_layer(found[node.name]) for node in family}) > 1:
            found |= {node.name: bare(node.op, _types(graph, node)) for node in family}
        for node in family[1:]:
            _check_axes(graph, node, family[0])
            if own_layer(found[node.name]) != own_layer(found[family[0].name]):
                raise Unsupported(
                    f"`{node.name}` cannot share with `{family[0].name}`: they differ in more than padding and "
                    "activation, and a Keras layer has one set of weights and one of settings",
                    node.name,
                )
    return found


def _check_used(graph: Graph) -> None:
    """A Keras model holds the layers that lead to its outputs, and forgets all others with their weights."""
    used = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if not used.isdisjoint(node.values):
            used |= {node.name, *node.inputs}
    lent = {node.shares for node in graph.nodes if node.name in used}
    for node in graph.nodes:
        holds = node.weights and node.shares is None and node.name not in lent
        measures = node.trainable and any(weight.statistic for weight in node.weights)
        if node.name not in used and (holds or measures):
            raise Unsupported(
                f"no output depends on `{node.name}`, and a Keras model holds no weights of such a layer; take it "
                "with `from`, make it a head, or drop it",
                node.name,
            )


def _check_axes(graph: Graph, node: Node, owner: Node) -> None:
    ranks = [len(type_.spatial) for each in (node, owner) for type_ in _types(graph, each)]
    if isinstance(node.op, BatchNorm | GroupNorm) and len(set(ranks)) > 1:
        raise Unsupported(
            f"`{node.name}` cannot share with `{owner.name}`: their inputs have {ranks[0]} and {ranks[1]} spatial "
            "axes, and this Keras layer takes one number of them",
            node.name,
        )


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
