"""A graph as texts take it: a layer that needs the size of another tensor takes that tensor, too."""

from __future__ import annotations

from netspec.dataclass import replace
from netspec.graph import Graph, Node


def with_sizes(graph: Graph) -> Graph:
    """The graph in which a layer that gives a map of the size of another tensor also takes that tensor.

    This is a max unpool, for which it is what its pool took, or a layer with `like`. So a text does not state the size,
    and runs for another size of its input.
    """
    if not any(node.like is not None or node.op.keyword == "max_unpool" for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(_sized(graph, node) for node in graph.nodes))


def _sized(graph: Graph, node: Node) -> Node:
    if node.op.keyword == "max_unpool":
        values, indices, *_ = node.inputs
        (taken,) = graph.producers[indices].inputs
        inputs: tuple[str, ...] = (values, indices, taken)
    elif node.like is not None and node.like in graph.types:  # a pass can have removed it
        taken = node.like
        inputs = (*node.inputs, taken)
    else:
        return node
    assert graph.types[taken].sizes == node.output.sizes
    return replace(node, inputs=inputs, like=None)


def sizing(node: Node) -> tuple[str, ...]:
    """The last inputs of a node of which it only uses the size, in such a graph."""
    taken = 2 if node.op.keyword == "max_unpool" else 1 if node.op.likes else len(node.inputs)
    return node.inputs[taken:]
