"""Whether a network that is written as a spec and read again is the same: all but its names and its lines."""

from __future__ import annotations

from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.graph import Graph, Node, verify
from netspec.loading import graph_of_text
from netspec.ops.base import Weight
from netspec.ops.reshape import Identity
from netspec.writing.spec import write_spec


def reread(graph: Graph) -> tuple[Graph, str]:
    """The network as it is after it was written and read, and the text between.

    Raises:
        AssertionError: the text is refused, or there is something to say about it that the network itself lacks.
    """
    text = write_spec(graph, graph.name)
    problems = Problems()
    again = graph_of_text(text, "written.yaml", problems)
    assert again is not None, as_text(problems.in_order(), {"written.yaml": text})
    return verify(again), text


def differences(graph: Graph, again: Graph) -> list[str]:
    """What differs, in words."""
    found = []
    mine, theirs = list(map(_facts, graph.nodes)), list(map(_facts, again.nodes))
    numbers, others = _numbers(graph), _numbers(again)
    extra = again.nodes[len(mine) :]
    if extra and isinstance(extra[0].op, Identity) and len(extra) == 1:
        # An end where a head gives the very same value: no spec says so without a layer between.
        others[extra[0].name] = others[extra[0].inputs[0]]
        theirs = theirs[:-1]
    if len(mine) != len(theirs):
        return [f"{len(mine)} layers became {len(theirs)}"]
    for node, before, after in zip(graph.nodes, mine, theirs, strict=True):
        found += [f"{node.name}: {a} became {b}" for a, b in zip(before, after, strict=True) if a != b]
    for node, new in zip(graph.nodes, again.nodes, strict=False):
        if [numbers[value] for value in node.inputs] != [others[value] for value in new.inputs]:
            found.append(f"{node.name} takes {node.inputs}, and {new.name} takes {new.inputs}")
        if node.weights and _owner(node, numbers) != _owner(new, others):
            found.append(f"{node.name} shares {node.shares}, and {new.name} shares {new.shares}")
    for what, a, b in (
        ("inputs", _inputs(graph), _inputs(again)),
        ("outputs", _outputs(graph, numbers), _outputs(again, others)),
        ("description", graph.description, again.description),
        ("name", graph.name, again.name),
    ):
        if a != b:
            found.append(f"{what}: {a} became {b}")
    return found


def _facts(node: Node) -> tuple[object, ...]:
    return node.op, node.outputs, tuple(_weight(node, each) for each in node.weights), node.trainable


def _weight(node: Node, weight: Weight) -> tuple[object, ...]:
    learns = weight.trainable and node.trainable
    name = node.local(weight)
    return name, weight.shape, weight.axes, weight.init, learns, weight.statistic, weight.fans


def _numbers(graph: Graph) -> dict[str, int]:
    """Every value by its place: inputs, then what layers give."""
    return {value: number for number, value in enumerate(graph.types)}


def _owner(node: Node, numbers: dict[str, int]) -> int | None:
    return None if node.shares is None else numbers[node.shares]


def _inputs(graph: Graph) -> list[tuple[object, ...]]:
    return [(each.name, each.type, each.vocabulary) for each in graph.inputs]


def _outputs(graph: Graph, numbers: dict[str, int]) -> dict[str, int]:
    return {each.name: numbers[each.value] for each in graph.outputs}
