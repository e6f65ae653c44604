"""Finds equal repetitions, so that a drawing shows them once, with their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from netspec.graph import Graph, Node, Scope


@dataclass(frozen=True, slots=True)
class Repetitions:
    """Consecutive repetitions that are drawn as the first one, whose path is `path`."""

    path: str
    first: int
    count: int


@dataclass
class Merged:
    """The content to draw: the nodes, the repetitions by their path, and the visible value for each hidden value."""

    nodes: list[Node]
    repetitions: dict[str, Repetitions] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """The value that is drawn in place of this one."""
        return self.aliases.get(name, name)


def merge(graph: Graph) -> Merged:
    """Find equal repetitions: the same ops, types and connections, inside and to the outside."""
    merged = Merged(list(graph.nodes))
    consumers = _consumers(graph)
    hidden: set[str] = set()
    for scope in graph.scopes:
        if scope.kind != "repeat" or _is_below(scope.path, hidden):
            continue
        parts = _parts(graph, scope)
        for alike in _repetitions(parts, consumers):
            merged.repetitions[alike.path] = alike
            others = parts[alike.first + 1 : alike.first + alike.count]
            hidden.update(part.path for part in others)
            merged.aliases.update(_aliases(alike.path, others))
    if hidden:
        merged.nodes = [node for node in graph.nodes if not _is_below(node.name, hidden)]
    return merged


def below(name: str, path: str) -> bool:
    """Whether a name is this path or is inside it."""
    return name == path or name.startswith(f"{path}.")


def _is_below(name: str, paths: Collection[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:count]) in paths for count in range(1, len(parts) + 1))


@dataclass(frozen=True, slots=True)
class _Part:
    """One repetition: its nodes, and its input and output values in the chain."""

    path: str
    nodes: tuple[Node, ...]
    taken: str
    given: str
    scopes: tuple[Scope, ...]


def _parts(graph: Graph, scope: Scope) -> list[_Part]:
    """The repetitions of a repeat that contain a layer, in order."""
    nodes: dict[str, list[Node]] = defaultdict(list)
    scopes: dict[str, list[Scope]] = defaultdict(list)
    start = len(scope.path) + 1
    for node in graph.nodes:
        if node.name.startswith(f"{scope.path}."):
            nodes[node.name[start:].partition(".")[0]].append(node)
    for each in graph.scopes:
        if each.path.startswith(f"{scope.path}."):
            scopes[each.path[start:].partition(".")[0]].append(each)
    if not all(name.isdigit() for name in nodes):
        return []  # branches of a repeated merge: their layers are in the repeat itself
    parts: list[_Part] = []
    taken = scope.inputs[0] if scope.inputs else ""
    for index in sorted(nodes, key=int):
        path = f"{scope.path}.{index}"
        given = graph.scope_by_path[path].output if path in graph.scope_by_path else path
        parts.append(_Part(path, tuple(nodes[index]), taken, given, tuple(scopes[index])))
        taken = given
    return parts


def _repetitions(parts: Sequence[_Part], consumers: dict[str, list[str]]) -> Iterator[Repetitions]:
    inside = [_inside(part, parts[index - 1] if index else None) for index, part in enumerate(parts)]
    outside = [_outside(part, parts[index + 1 :], consumers) for index, part in enumerate(parts)]
    first = 0
    for index in range(1, len(parts) + 1):
        if (
            index == len(parts)
            or inside[index] != inside[first]
            or not _same_users(outside, first, index, len(parts))
        ):
            if index - first > 1:
                yield Repetitions(parts[first].path, first, index - first)
            first = index


def _same_users(
    outside: Sequence[tuple[frozenset[object], frozenset[object]]], first: int, index: int, count: int
) -> bool:
    """Whether users outside use this repetition like the first; the last one has no next repetition."""
    towards_next = index == count - 1 or outside[index][0] == outside[first][0]
    return towards_next and outside[index][1] == outside[first][1]


def _inside(part: _Part, before: _Part | None) -> tuple[object, ...]:
    """The content of a repetition, independent of its number."""
    rows: list[object] = [
        (each.path[len(part.path) :], each.kind, each.definition, each.arguments) for each in part.scopes
    ]
    for node in part.nodes:
        inputs = tuple(_relative(value, part, before) for value in node.inputs)
        shares = node.shares and _relative(node.shares, part, None)
        rows.append((node.name[len(part.path) :], str(node.op), node.outputs, inputs, shares, node.trainable))
    return tuple(rows)


def _relative(value: str, part: _Part, before: _Part | None) -> tuple[str, str]:
    if value == part.taken:
        return "taken", ""
    if below(value, part.path):
        return "own", value[len(part.path) :]
    if before is not None and below(value, before.path):
        return "before", value[len(before.path) :]
    return "else", value


def _outside(
    part: _Part, later: Sequence[_Part], consumers: dict[str, list[str]]
) -> tuple[frozenset[object], frozenset[object]]:
    """The users of the values of a repetition: the next one, and others; without the chain itself."""
    following = later[0] if later else None
    towards_next: set[object] = set()
    towards_others: set[object] = set()
    for node in part.nodes:
        for value in node.values:
            for user in consumers.get(value, ()):
                if below(user, part.path) or (
                    value == part.given and (following is None or below(user, following.path))
                ):
                    continue
                if following is not None and below(user, following.path):
                    towards_next.add((value[len(part.path) :], user[len(following.path) :]))
                else:
                    towards_others.add((value[len(part.path) :], user))
    return frozenset(towards_next), frozenset(towards_others)


def _consumers(graph: Graph) -> dict[str, list[str]]:
    consumers: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes:
        for value in node.inputs:
            consumers[value].append(node.name)
    for output in graph.outputs:
        consumers[output.value].append(f"output {output.name}")
    return consumers


def _aliases(path: str, others: Iterable[_Part]) -> Iterator[tuple[str, str]]:
    for other in others:
        for node in other.nodes:
            for value in node.values:
                yield value, path + value[len(other.path) :]
