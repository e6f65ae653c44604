"""What the numbers of every tensor mean to a loss: scores, probabilities or distances."""

from __future__ import annotations

from collections.abc import Collection

from netspec.graph import Graph, Node
from netspec.ops.activation import Activated
from netspec.ops.base import Meaning


def meanings(graph: Graph) -> dict[str, Meaning]:
    """The meaning of every value. An input holds scores; further outputs mean nothing to a loss."""
    found = dict.fromkeys((each.name for each in graph.inputs), Meaning.SCORES)
    for node in graph.nodes:
        meaning = node.op.means([found[value] for value in node.inputs])
        found.update(_given(node, meaning))
    return found


def _given(node: Node, meaning: Meaning) -> dict[str, Meaning]:
    """What a node gives: its own output, which means this, and further ones, which leave all else as it is."""
    return {**dict.fromkeys(node.values, Meaning.SCORES), node.name: meaning}


def origins(graph: Graph, value: str) -> list[Node]:
    """The layers that give this value its meaning, in order; none for scores that come from an input.

    `dense, softmax, relu`: of the end it is the softmax.
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
        # An op that sets the meaning, or an activation within it, hides what came before.
        if same and node.op.means([Meaning.SCORES] * len(node.inputs)) is not meaning:
            waiting += same
        else:
            sources.add(node.name)
    return [node for node in graph.nodes if node.name in sources]


def disorders(graph: Graph, value: str, negated: Collection[str]) -> list[Node]:
    """The layers up to `value` behind which the largest of the negated distances is not the nearest, in order.

    The values of the layers `negated` are taken for negated distances, as behind a `scale_by: -1`. Each layer that is
    found is then passed over, so that without all of them the nearest is the largest.
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
    """The names of the layers that a value is made by."""
    seen: set[str] = set()
    waiting = [value]
    while waiting:
        node = graph.producers.get(waiting.pop())
        if node is not None and node.name not in seen:
            seen.add(node.name)
            waiting += node.inputs
    return seen
