"""Ends a network before the softmax or sigmoid at its output, because a loss takes logits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from netspec.analysis.ending import Ending, ending, last_activation
from netspec.analysis.meaning import meanings
from netspec.dataclass import replace
from netspec.graph import Graph, Node
from netspec.passes.rewire import without


def logits(graph: Graph, only: Collection[str] | None = None) -> Graph:
    """The network whose outputs, or `only` these, are logits; the graph itself if all of them are scores.

    Layers after the softmax or sigmoid that only move its values (a flatten, a crop) stay. The names of all weights
    stay. Probabilities that other layers use stay for these layers.

    Raises:
        NoLogits: an output is computed from probabilities in another way, or it is a distance.
    """
    for output in graph.outputs:
        if only is not None and output.name not in only:
            continue
        value = next(each.value for each in graph.outputs if each.name == output.name)
        if not meanings(graph)[value].is_logit:
            graph = _lifted(graph, output.name, ending(graph, value))
    return graph


def _lifted(graph: Graph, output: str, last: Ending) -> Graph:
    """The graph whose output is computed from the logits, through the same moves."""
    chain = (last.node, *last.moved)
    if not _used_elsewhere(graph, output, chain):
        return (
            _bare(graph, last.node) if _is_field(last.node) else without(graph, frozenset({last.node.name}))
        )
    graph, value = _beside(graph, last.node) if _is_field(last.node) else (graph, last.node.inputs[0])
    for node in last.moved:
        copy = replace(node, name=_free(graph, f"{node.local_name}_logits"), inputs=(value,), scope="")
        copy = replace(copy, outputs=copy.op.outputs((graph.types[value],)))
        graph = replace(graph, nodes=(*graph.nodes, copy))
        value = copy.name
    ends = tuple(replace(each, value=value) if each.name == output else each for each in graph.outputs)
    return _without_unused(replace(graph, outputs=ends), last.moved)


def _is_field(node: Node) -> bool:
    return last_activation(node) is not node.op


def _used_elsewhere(graph: Graph, output: str, chain: Sequence[Node]) -> bool:
    """Whether a value of the chain has another user than the chain to this output."""
    names = [node.name for node in chain]
    users = [node for node in graph.nodes if node.name not in names[1:]]
    others = [each for each in graph.outputs if each.name != output]
    branches = any(name in node.inputs for name in names for node in users)
    return branches or any(each.value in names for each in others)


def _without_unused(graph: Graph, moved: Sequence[Node]) -> Graph:
    """Without the moves that have no more users; a move inside a scope stays, so that the scope stays."""
    for node in reversed([each for each in moved if not each.scope]):
        used = any(node.name in each.inputs for each in graph.nodes)
        if not used and all(each.value != node.name for each in graph.outputs):
            graph = without(graph, frozenset({node.name}))
    return graph


def _bare(graph: Graph, node: Node) -> Graph:
    """The graph with this layer without its activation."""
    bare = replace(node, op=node.op.replace(activation=None))
    return replace(graph, nodes=tuple(bare if each is node else each for each in graph.nodes))


def _beside(graph: Graph, node: Node) -> tuple[Graph, str]:
    """The graph in which the activation of the layer is a separate layer for all its users; also the bare layer."""
    function = last_activation(node)
    assert function is not None
    moved = _free(graph, f"{node.name}_{function.keyword}")
    bare = replace(node, op=node.op.replace(activation=None))
    layer = Node(moved, function, (node.name,), node.outputs, (), node.scope, node.span)

    def instead(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(moved if value == node.name else value for value in values)

    nodes: list[Node] = []
    for each in graph.nodes:
        nodes += [bare, layer] if each is node else [replace(each, inputs=instead(each.inputs))]
    scopes = tuple(replace(each, inputs=instead(each.inputs)) for each in graph.scopes)
    outputs = tuple(
        replace(each, value=moved if each.value == node.name else each.value) for each in graph.outputs
    )
    return replace(graph, nodes=tuple(nodes), scopes=scopes, outputs=outputs), node.name


def _free(graph: Graph, name: str) -> str:
    """The name, or a similar one that is not in use."""
    while name in graph.types or name in graph.scope_by_path:
        name += "_"
    return name
