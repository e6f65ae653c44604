"""Finds the layer that makes the probabilities at the end of a network, and whether a layer gives their logits."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.analysis.meaning import disorders, meanings, origins
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.ops.activation import Activated, Softmax
from netspec.ops.base import Meaning
from netspec.ops.pointwise import Activation
from netspec.types import in_full


class NoLogits(Exception):
    """An output is not a score, and no layer gives its logits.

    `node` is the layer that causes it, `help` says how to change the network.
    """

    def __init__(self, message: str, node: Node, help: str) -> None:
        super().__init__(f"{message}; {help}")
        self.message, self.node, self.help = message, node, help


@dataclass(frozen=True, slots=True)
class Ending:
    """The layer that makes the probabilities of an output, and the layers after it, which move them."""

    node: Node
    moved: tuple[Node, ...]


def require_logits(graph: Graph) -> None:
    """Refuse a network with an output that is neither logits nor computed from logits.

    Raises:
        NoLogits: an output is computed from probabilities in another way, or it is a distance.
    """
    found = meanings(graph)
    for output in graph.outputs:
        if not found[output.value].is_logit:
            ending(graph, output.value)


def ending(graph: Graph, value: str) -> Ending:
    """The layer that computes the probabilities of this output from logits, and the layers after it.

    Raises:
        NoLogits: the output is computed in another way, or it is a distance.
    """
    moved: list[Node] = []
    moves = "positions"
    node = graph.producers[value]
    while (function := last_activation(node)) is None or function.gives is None:
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
            f"`{node.name}` is a softmax with temperature {shown}: its logits are its input divided by {shown}, "
            "and no layer gives them",
            node,
            _cooled(node, function, shown),
        )
    return Ending(node, tuple(moved))


def _cooled(node: Node, function: Softmax, temperature: str) -> str:
    """The advice that gives the same probabilities by a softmax without a temperature."""
    scale = f'`scale_by: "${{1 / {temperature}}}"`'
    if function is node.op:
        return f"put {scale} before the softmax, and remove its temperature"
    return f"take the activation out of `{node.name}`, and put {scale} and `softmax` after it"


def take_out(nodes: Sequence[Node]) -> str:
    """The advice to remove the probabilities of these layers."""
    parts = []
    for node in nodes:
        function = last_activation(node)
        if function is None or function is node.op:
            parts.append(f"`{node.name}` out")
        else:
            parts.append(f"`activation: {function.keyword}` out of `{node.name}`")
    *others, last = parts
    return "take " + (f"{', '.join(others)} and {last}" if others else last)


def last_activation(node: Node) -> Activation | None:
    """The activation that the layer applies last, if there is one."""
    op = node.op
    return op.activation if isinstance(op, Activated) else op if isinstance(op, Activation) else None


def _refusal(graph: Graph, node: Node) -> NoLogits:
    """The error for a layer between probabilities, or distances, and the output."""
    sources = origins(graph, node.name)
    if meanings(graph)[node.name] is Meaning.DISTANCES:
        message = f"{_names(sources)} gives distances: the larger, the less likely"
        return _distances(graph, message, node, sources)
    function = last_activation(sources[0])
    assert function is not None, "only activations give probabilities"
    if node in sources:
        message = f"`{node.name}` ends in `{function.keyword}`, which is not computed from logits"
    elif node.op.moves([graph.types[each] for each in node.inputs]) is not None:
        message = f"`{node.name}` moves the probabilities of {_names(sources)} to other positions"
    else:
        message = f"`{node.name}` computes with the probabilities of {_names(sources)}, so no layer gives the logits"
    end = function.keyword if function.squashes is not None else "softmax"
    return NoLogits(message, node, f"{take_out(sources)}, and end the network with `{end}`")


def _twice(graph: Graph, node: Node) -> NoLogits:
    """The error for a softmax or sigmoid of values that are not scores."""
    found = meanings(graph)
    worst = max(node.inputs, key=lambda each: found[each])
    sources = origins(graph, worst)
    if found[worst] in (Meaning.NEARNESS, Meaning.DISTANCES):
        message = (
            f"`{node.name}` takes the distances of {_names(sources)}: the farthest becomes the most likely"
        )
        return _distances(graph, message, node, sources)
    message = f"`{node.name}` takes the probabilities of {_names(sources)}, which are not logits"
    return NoLogits(message, node, take_out(sources))


def _distances(graph: Graph, message: str, node: Node, sources: Sequence[Node]) -> NoLogits:
    """The error for distances, and for negated distances whose order a later layer changes."""
    measured = [each for each in sources if each.op.gives is Meaning.DISTANCES]
    disordered = disorders(graph, node.name, [each.name for each in measured])
    parts = [f"put `scale_by: -1` after {_names(measured)}"] if measured else []
    if disordered:
        parts.append(f"take {_names(disordered)} out")
    if not measured:
        first = disordered[0]
        message = f"`{first.name}` takes negated distances, and its largest value is not the nearest class"
    return NoLogits(message, node, f"{', and '.join(parts)}: the nearest is then the most likely")


def _names(nodes: Sequence[Node]) -> str:
    return " and ".join(f"`{node.name}`" for node in nodes)
