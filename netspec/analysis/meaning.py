"""The meaning of every tensor for a loss: scores, probabilities or distances."""

from __future__ import annotations

from collections.abc import Collection

from netspec.graph import Graph, Node
from netspec.ops.activation import Activated
from netspec.ops.base import Meaning


def meanings(graph: Graph) -> dict[str, Meaning]:
    """The meaning of every value. An input holds scores; further outputs have no meaning for a loss."""
    found = dict.fromkeys((each.name for each in graph.inputs), Meaning.SCORES)
    for node in graph.nodes:
        meaning = node.op.means([found[value] for value in node.inputs])
        found.update(_given(node, meaning))
    return found


def _given(node: Node, meaning: Meaning) -> dict[str, Meaning]:
    """The meanings of the outputs of a node: the given one for its main output, and scores for further outputs."""
    return {**dict.fromkeys(node.values, Meaning.SCORES), node.name: meaning}


def origins(graph: Graph, value: str) -> list[Node]:
    """The layers that determine the meaning of this value, in order; empty for scores from an input.

    In `dense, softmax, relu`, the softmax determines the meaning of the end.
    """
    found = meanings(graph)
    meaning = found[value]
    seen: set[str] = set()
    waiting, sources = [value], set()
    while waiting:
        name = waiting.pop()
        node = graph.producers.get(name)
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        same = [each for each in node.inputs if found[each] is meaning]
        # An op that sets the meaning, or an activation in it, replaces the meaning before it.
        if same and node.op.means([Meaning.SCORES] * len(node.inputs)) is not meaning:
            waiting += same
        else:
            sources.add(node.name)
    return [node for node in graph.nodes if node.name in sources]


def disorders(graph: Graph, value: str, negated: Collection[str]) -> list[Node]:
    """The layers up to `value` that change the order of negated distances, in order.

    The outputs of the layers `negated` are treated as negated distances, as after a `scale_by: -1`. Each layer that is
    found is then skipped, so that without all of them the nearest class has the largest value.
    """
    found = dict.fromkeys((each.name for each in graph.inputs), Meaning.SCORES)
    disordered: list[Node] = []
    for node in graph.nodes:
        inputs = [found[each] for each in node.inputs]
        bare = node.op.replace(activation=None) if isinstance(node.op, Activated) else node.op
        meaning = Meaning.NEARNESS if node.name in negated else node.op.means(inputs)
        negates = Meaning.NEARNESS in inputs and Meaning.DISTANCES not in inputs and bare.gives is None
        if negates and bare.means(inputs) is Meaning.DISTANCES:
            disordered.append(node)
            meaning = Meaning.NEARNESS
        found.update(_given(node, meaning))
    before = _before(graph, value)
    return [node for node in disordered if node.name in before]


def _before(graph: Graph, value: str) -> set[str]:
    """The names of the layers that a value is computed by."""
    seen: set[str] = set()
    waiting = [value]
    while waiting:
        node = graph.producers.get(waiting.pop())
        if node is not None and node.name not in seen:
            seen.add(node.name)
            waiting += node.inputs
    return seen
