"""Ends a network before its final softmax or sigmoid, where a loss wants to begin."""

from __future__ import annotations

from dataclasses import replace

from netspec.graph import Graph, Node
from netspec.ops.activation import Activated, Activation, Sigmoid, Softmax
from netspec.ops.reshape import Identity


class NoLogits(Exception):
    """The network's probabilities have logits that no layer gives."""


def logits(graph: Graph) -> Graph:
    """The network whose outputs are logits; the graph itself if no output ends in a softmax or sigmoid.

    The names of all weights stay. A softmax that other layers use, too, stays for them.

    Raises:
        NoLogits: the softmax has a temperature T: its logits are x/T, and no layer gives these.
    """
    for output in graph.outputs:
        node = graph.producers.get(output.value)
        if node is not None:
            graph = _without(graph, output.name, node)
    return graph


def _without(graph: Graph, output: str, node: Node) -> Graph:
    if isinstance(node.op, Softmax | Sigmoid):
        _check(node.name, node.op)
        return _drop(graph, output, node)
    if isinstance(node.op, Activated) and isinstance(node.op.activation, Softmax | Sigmoid):
        _check(node.name, node.op.activation)
        return _strip(graph, node, node.op.activation)
    return graph


def _check(name: str, activation: Activation) -> None:
    if isinstance(activation, Softmax) and activation.temperature != 1:
        raise NoLogits(
            f"`{name}` is a softmax of temperature {activation.temperature:g}: its logits are its input divided by "
            "that, and no layer gives these; take the temperature out of the spec to train it"
        )


def _drop(graph: Graph, output: str, node: Node) -> Graph:
    """Without the node. One that is all that its scope, or the network, holds becomes the identity."""
    before = node.inputs[0]
    outputs = tuple(replace(each, value=before) if each.name == output else each for each in graph.outputs)
    if any(node.name in other.inputs for other in graph.nodes) or any(
        each.value == node.name for each in outputs
    ):
        return replace(graph, outputs=outputs)
    if len(graph.nodes) == 1 or (node.scope and not _has_company(graph, node)):
        calm = replace(node, op=Identity())
        return replace(graph, nodes=tuple(calm if each is node else each for each in graph.nodes))
    nodes = tuple(each for each in graph.nodes if each is not node)
    scopes = tuple(
        replace(each, output=before) if each.output == node.name else each for each in graph.scopes
    )
    return replace(graph, nodes=nodes, scopes=scopes, outputs=outputs)


def _has_company(graph: Graph, node: Node) -> bool:
    scope = graph.scope_by_path.get(node.scope)
    # The repetitions of a repeat are alike, and a loop in the generated code says so.
    if scope is None or scope.kind == "repeat":
        return False
    return any(each.name.startswith(f"{node.scope}.") for each in graph.nodes if each is not node)


def _strip(graph: Graph, node: Node, activation: Activation) -> Graph:
    """The node without its activation; whoever else uses it gets the activation as a layer of its own."""
    bare = replace(node, op=node.op.replace(activation=None))
    moved = f"{node.name}_{activation.keyword}"
    while moved in graph.types or moved in graph.scope_by_path:
        moved += "_"
    if not any(node.name in each.inputs for each in graph.nodes):
        return replace(graph, nodes=tuple(bare if each is node else each for each in graph.nodes))
    layer = Node(moved, activation, (node.name,), node.outputs, (), node.scope, node.span)

    def instead(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(moved if value == node.name else value for value in values)

    nodes: list[Node] = []
    for each in graph.nodes:
        nodes += [bare, layer] if each is node else [replace(each, inputs=instead(each.inputs))]
    scopes = tuple(replace(each, inputs=instead(each.inputs)) for each in graph.scopes)
    return replace(graph, nodes=tuple(nodes), scopes=scopes)
