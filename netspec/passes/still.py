"""Removes the noise of a network, so that its output in training is a function of its input."""

from __future__ import annotations

from netspec.dataclass import replace
from netspec.graph import Graph


def still(graph: Graph) -> Graph:
    """The same network with all its layers, and with the noise of every layer set to 0."""
    nodes = tuple(replace(node, op=node.op.replace(**node.op.quiet)) for node in graph.nodes)
    return replace(graph, nodes=nodes)
