"""Ends a network at a name, for transfer learning."""

from __future__ import annotations

from netspec.dataclass import replace
from netspec.graph import Graph, Output
from netspec.ops.nearest import did_you_mean
from netspec.passes.rewire import needed


class NoSuchLayer(Exception):
    """The graph has no layer, block or repeat with this name."""


def cut(graph: Graph, name: str) -> Graph:
    """The network up to the layer, block or repeat with this name, whose output becomes the network's output.

    Raises:
        NoSuchLayer: there is no such name, or it is an input.
    """
    value = graph.named_values.get(name, name)
    if name in dict(graph.left_out):
        raise NoSuchLayer(f"no layer uses `{name}`, so {graph.name} does not contain it")
    if value not in graph.types:
        known = [*graph.by_name, *graph.scope_by_path]
        raise NoSuchLayer(f"no layer is called `{name}`{did_you_mean(name, known)}")
    if value in (each.name for each in graph.inputs):
        raise NoSuchLayer(f"`{name}` is an input of {graph.name}: the network would have no layers")
    return needed(replace(graph, outputs=(Output("output", value),), expect=None, train=None))
