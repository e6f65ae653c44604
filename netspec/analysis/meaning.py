"""What the numbers of every tensor mean to a loss: scores, probabilities or distances."""

from __future__ import annotations

from netspec.graph import Graph, Node
from netspec.ops.base import Meaning


def meanings(graph: Graph) -> dict[str, Meaning]:
    """The meaning of every value. An input holds scores."""
    found = dict.fromkeys((each.name for each in graph.inputs), Meaning.SCORES)
    for node in graph.nodes:
        meaning = node.op.means([found[value] for value in node.inputs])
        found.update(dict.fromkeys(node.values, meaning))
    return found


def origins(graph: Graph, value: str) -> list[Node]:
    """The layers that give this value its meaning, in order; none for scores that come from an input.

    `dense, softmax, relu`: of the end it is the softmax.
    """
    found, meaning = meanings(graph), meanings(graph)[value]
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
