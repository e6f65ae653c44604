"""The ends of repeats with `carry`: what the last repetition computes for a next one that does not exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from netspec.dataclass import dataclass
from netspec.graph import Node, Output


@dataclass(frozen=True, slots=True)
class LastRepetition:
    """The last repetition of an item with `carry`: the outputs that one more would take, and all outputs."""

    path: str
    passed: tuple[str, ...]
    outputs: tuple[str, ...]


def without_last_states(
    repetitions: Sequence[LastRepetition], nodes: Sequence[Node], outputs: Sequence[Output]
) -> Sequence[Node]:
    """The nodes without the weights that only a carried output of a last repetition needs, if nothing takes it.

    No author can leave them out of the last repetition. What has no weights there stays: all repetitions are then one
    piece of source.
    """
    uses = Counter(value for node in nodes for value in node.inputs)
    uses.update(node.shares for node in nodes if node.shares is not None)
    uses.update(output.value for output in outputs)
    makers = {value: node for node in nodes for value in node.values}
    gone: set[str] = set()
    for each in reversed(repetitions):  # an outer repeat ends after those in it
        if any(uses[value] for value in each.outputs):
            ends = [makers[value] for value in each.passed if value in makers and not uses[value]]
            only = _needed_by(ends, each.path, uses, makers, gone)
            if any(_holds_weights(node) for node in only):
                gone |= {node.name for node in only}
                uses.subtract(value for node in only for value in _needs(node))
    return [node for node in nodes if node.name not in gone] if gone else nodes


def _needed_by(
    ends: Iterable[Node], path: str, uses: Counter[str], makers: dict[str, Node], gone: set[str]
) -> list[Node]:
    """The nodes below a path that nothing but these ends needs, and the ends."""
    found: list[Node] = []
    freed: Counter[str] = Counter()
    stack = [*ends]
    while stack:
        node = stack.pop()
        inside = node.name == path or node.name.startswith(f"{path}.")
        if not inside or node.name in gone or any(uses[value] > freed[value] for value in node.values):
            continue
        gone = gone | {node.name}
        found.append(node)
        freed.update(_needs(node))
        stack += [makers[value] for value in _needs(node) if value in makers]
    return found


def _needs(node: Node) -> list[str]:
    return [*node.inputs, *([] if node.shares is None else [node.shares])]


def _holds_weights(node: Node) -> bool:
    """Whether a node has weights of its own, or measures statistics that another has."""
    return bool(node.weights) and (node.shares is None or any(each.statistic for each in node.weights))
