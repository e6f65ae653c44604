"""A graph as texts take it: a layer that needs the size of another tensor takes that tensor, too."""

from __future__ import annotations

from netspec.dataclass import replace
from netspec.graph import Graph, Node


def with_sizes(graph: Graph) -> Graph:
    """The graph in which a max unpool also takes what its pool took: it gives a map of that size.

    So a text does not state the size, and runs for another size of its input.
    """
    if not any(node.op.keyword == "max_unpool" for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(_sized(graph, node) for node in graph.nodes))


def _sized(graph: Graph, node: Node) -> Node:
    if node.op.keyword != "max_unpool":
        return node
    values, indices, *_ = node.inputs
    (taken,) = graph.producers[indices].inputs
    assert graph.types[taken].sizes == node.output.sizes
    return replace(node, inputs=(values, indices, taken))
