"""Ends a network before the softmax or sigmoid that makes its probabilities, where a loss wants to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netspec.analysis.meaning import disorders, meanings, origins
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.ops.activation import Activated, Activation, Softmax
from netspec.ops.base import Meaning
from netspec.passes.rewire import without
from netspec.types import in_full


class NoLogits(Exception):
    """An output is no score, and no layer gives the logits that it was made from.

    `node` is the layer at fault, `help` says how to change the network.
    """

    def __init__(self, message: str, node: Node, help: str) -> None:
        super().__init__(f"{message}; {help}")
        self.message, self.node, self.help = message, node, help


def logits(graph: Graph) -> Graph:
    """The network whose outputs are logits; the graph itself if all of them are scores.

    The softmax or sigmoid may have layers behind it that only move its values: a flatten, a crop. These stay.
    The names of all weights stay. Probabilities that other layers use stay for them.

    Raises:
        NoLogits: an output is made of probabilities in another way, or it is a distance.
    """
    for output in graph.outputs:
        value = next(each.value for each in graph.outputs if each.name == output.name)
        if not meanings(graph)[value].is_logit:
            graph = _lifted(graph, output.name, _ending(graph, value))
    return graph


def take_out(nodes: Sequence[Node]) -> str:
    """The advice that leaves these layers without what makes probabilities."""
    parts = []
    for node in nodes:
        function = _function(node)
        if function is None or function is node.op:
            parts.append(f"`{node.name}` out")
        else:
            parts.append(f"`activation: {function.keyword}` out of `{node.name}`")
    *others, last = parts
    return "take " + (f"{', '.join(others)} and {last}" if others else last)


@dataclass(frozen=True, slots=True)
class _Ending:
    """The layer that makes an output's probabilities, and those behind it, which move them."""

    node: Node
    moved: tuple[Node, ...]


def _function(node: Node) -> Activation | None:
    """What the layer applies last, if it is an activation."""
    op = node.op
    return op.activation if isinstance(op, Activated) else op if isinstance(op, Activation) else None


def _ending(graph: Graph, value: str) -> _Ending:
    moved: list[Node] = []
    moves = "positions"
    node = graph.producers[value]
    while (function := _function(node)) is None or function.gives is None:
        kind = node.op.moves([graph.types[each] for each in node.inputs])
        if len(node.inputs) != 1 or kind is None:
            raise _refusal(graph, node)
        moves = kind if kind == "values" else moves
        moved.insert(0, node)
        node = graph.producers[node.inputs[0]]
    if function.squashes is None or (function.squashes == "positions" and moves == "values"):
        raise _refusal(graph, moved[-1] if moved else node)
    found = meanings(graph)
    before = node.op.replace(activation=None).means([found[each] for each in node.inputs])
    if function is node.op:
        before = found[node.inputs[0]]
    if not before.is_logit:
        raise _twice(graph, node)
    if isinstance(function, Softmax) and function.temperature != 1:
        shown = in_full(function.temperature)
        raise NoLogits(
            f"`{node.name}` is a softmax of temperature {shown}: its logits are its input divided by {shown}, "
            "and no layer gives these",
            node,
            f'put `scale_by: "${{1 / {shown}}}"` in front of the softmax, and remove its temperature',
        )
    return _Ending(node, tuple(moved))


def _refusal(graph: Graph, node: Node) -> NoLogits:
    """The error for a layer that stands between probabilities, or distances, and the output."""
    sources = origins(graph, node.name)
    if meanings(graph)[node.name] is Meaning.DISTANCES:
        message = f"{_names(sources)} gives distances: the larger, the less likely"
        return _distances(graph, message, node, sources)
    function = _function(sources[0])
    assert function is not None, "only activations give probabilities"
    if node in sources:
        message = f"`{node.name}` ends in `{function.keyword}`, which is not made from logits"
    elif node.op.moves([graph.types[each] for each in node.inputs]) is not None:
        message = f"`{node.name}` moves the probabilities of {_names(sources)} to other positions"
    else:
        message = f"`{node.name}` computes with the probabilities of {_names(sources)}, so no layer gives the logits"
    end = function.keyword if function.squashes is not None else "softmax"
    return NoLogits(message, node, f"{take_out(sources)}, and end the network with `{end}`")


def _twice(graph: Graph, node: Node) -> NoLogits:
    """The error for a softmax or sigmoid of what is no score."""
    found = meanings(graph)
    worst = max(node.inputs, key=lambda each: found[each])
    sources = origins(graph, worst)
    if found[worst] in (Meaning.NEARNESS, Meaning.DISTANCES):
        message = (
            f"`{node.name}` takes the distances of {_names(sources)}: the farthest becomes the likeliest"
        )
        return _distances(graph, message, node, sources)
    message = f"`{node.name}` takes the probabilities of {_names(sources)}, which are no logits"
    return NoLogits(message, node, take_out(sources))


def _distances(graph: Graph, message: str, node: Node, sources: Sequence[Node]) -> NoLogits:
    """The error for distances, and for negated distances that a layer behind them puts in another order."""
    measured = [each for each in sources if each.op.gives is Meaning.DISTANCES]
    disordered = disorders(graph, node.name, [each.name for each in measured])
    parts = [f"put `scale_by: -1` after {_names(measured)}"] if measured else []
    if disordered:
        parts.append(f"take {_names(disordered)} out")
    if not measured:
        first = disordered[0]
        message = (
            f"`{first.name}` takes negated distances, and the largest of what it gives is not the nearest"
        )
    return NoLogits(message, node, f"{', and '.join(parts)}: the nearest is then the likeliest")


def _names(nodes: Sequence[Node]) -> str:
    return " and ".join(f"`{node.name}`" for node in nodes)


def _lifted(graph: Graph, output: str, ending: _Ending) -> Graph:
    """The graph whose output comes from the logits, through the same moves."""
    chain = (ending.node, *ending.moved)
    if not _used_elsewhere(graph, output, chain):
        return (
            _bare(graph, ending.node)
            if _is_field(ending.node)
            else without(graph, frozenset({ending.node.name}))
        )
    graph, value = _beside(graph, ending.node) if _is_field(ending.node) else (graph, ending.node.inputs[0])
    for node in ending.moved:
        copy = replace(node, name=_free(graph, f"{node.local_name}_logits"), inputs=(value,), scope="")
        copy = replace(copy, outputs=copy.op.outputs((graph.types[value],)))
        graph = replace(graph, nodes=(*graph.nodes, copy))
        value = copy.name
    ends = tuple(replace(each, value=value) if each.name == output else each for each in graph.outputs)
    return _without_unused(replace(graph, outputs=ends), ending.moved)


def _is_field(node: Node) -> bool:
    return _function(node) is not node.op


def _used_elsewhere(graph: Graph, output: str, chain: Sequence[Node]) -> bool:
    """Whether any value of the chain goes anywhere but along the chain to this output."""
    names = [node.name for node in chain]
    users = [node for node in graph.nodes if node.name not in names[1:]]
    others = [each for each in graph.outputs if each.name != output]
    branches = any(name in node.inputs for name in names for node in users)
    return branches or any(each.value in names for each in others)


def _without_unused(graph: Graph, moved: Sequence[Node]) -> Graph:
    """Without those of the moves that nobody uses any more; one within a scope stays, so that the scope does."""
    for node in reversed([each for each in moved if not each.scope]):
        used = any(node.name in each.inputs for each in graph.nodes)
        if not used and all(each.value != node.name for each in graph.outputs):
            graph = without(graph, frozenset({node.name}))
    return graph


def _bare(graph: Graph, node: Node) -> Graph:
    """The graph with this layer lacking its activation."""
    bare = replace(node, op=node.op.replace(activation=None))
    return replace(graph, nodes=tuple(bare if each is node else each for each in graph.nodes))


def _beside(graph: Graph, node: Node) -> tuple[Graph, str]:
    """The graph in which the layer's activation is a layer of its own, for all who use it; and the bare layer."""
    function = _function(node)
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
    """The name, or one like it that nothing has."""
    while name in graph.types or name in graph.scope_by_path:
        name += "_"
    return name
