"""Operations on a graph that several passes share: remove a layer, keep what outputs need, infer types again."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.dataclass import replace
from netspec.graph import Graph, Node, Scope, outputs_of, without_unused_ports
from netspec.ops.reshape import Identity
from netspec.types import Type


def without(graph: Graph, names: frozenset[str]) -> Graph:
    """The graph without these layers: users of a layer use its first input instead.

    A layer without which its scope would be empty becomes the identity, so that the scope stays. So does the last
    layer if the network would be empty.
    """
    gone = {name for name in names if not _alone(graph, graph.by_name[name], names)}
    if len(gone) == len(graph.nodes):
        gone.remove(graph.nodes[-1].name)
    heirs: dict[str, str] = {}
    for node in graph.nodes:
        if node.name in gone:
            heirs[node.name] = heirs.get(node.inputs[0], node.inputs[0])
    nodes = []
    for node in graph.nodes:
        if node.name in gone:
            continue
        calm = replace(node, op=Identity(), weights=(), shares=None) if node.name in names else node
        inputs = tuple(heirs.get(value, value) for value in node.inputs)
        nodes.append(replace(calm, inputs=inputs, like=heirs.get(node.like or "", node.like)))
    scopes = tuple(_inherit(scope, heirs) for scope in graph.scopes)
    outputs = tuple(replace(each, value=heirs.get(each.value, each.value)) for each in graph.outputs)
    return replace(graph, nodes=tuple(nodes), scopes=scopes, outputs=outputs)


def _alone(graph: Graph, node: Node, names: frozenset[str]) -> bool:
    if not node.scope:
        return False
    # The repetitions of a repeat must stay equal: the generated code can have a loop over them.
    if graph.scope_by_path[node.scope].kind == "repeat":
        return True
    prefix = f"{node.scope}."
    return not any(each.name.startswith(prefix) and each.name not in names for each in graph.nodes)


def _inherit(scope: Scope, heirs: dict[str, str]) -> Scope:
    inputs = tuple(heirs.get(value, value) for value in scope.inputs)
    ports = tuple((name, heirs.get(value, value)) for name, value in scope.ports)
    return replace(scope, inputs=inputs, output=heirs.get(scope.output, scope.output), ports=ports)


def needed(graph: Graph) -> Graph:
    """The graph with only the layers and scopes that its outputs need."""
    wanted = {output.value for output in graph.outputs}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if wanted.intersection((node.name, *node.values)):
            kept.append(node)
            wanted.update(node.inputs)
            if node.shares is not None:
                wanted.add(node.shares)
    kept.reverse()
    held = {path for node in kept for path in _paths(node.scope)}
    scopes = [_end(scope, kept) for scope in graph.scopes if scope.path in held]
    inputs = tuple(each for each in graph.inputs if each.name in wanted)
    nodes = without_unused_ports(kept, graph.outputs)
    return replace(graph, nodes=nodes, scopes=tuple(scopes), inputs=inputs)


def _paths(path: str) -> Sequence[str]:
    parts = path.split(".") if path else []
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _end(scope: Scope, kept: Sequence[Node]) -> Scope:
    """A scope without its output ends with its last remaining layer."""
    inside = [node.name for node in kept if node.name.startswith(f"{scope.path}.")]
    names = {node.name for node in kept}
    return scope if scope.output in names or not inside else replace(scope, output=inside[-1])


def inferred(graph: Graph) -> Graph:
    """The graph with the types of all values computed again from its ops, which must be resolved."""
    types: dict[str, Type] = {each.name: each.type for each in graph.inputs}
    nodes = []
    for node in graph.nodes:
        outputs = outputs_of(node.op, tuple(types[value] for value in node.inputs), node.ports)
        types.update(zip(node.values, outputs, strict=True))
        nodes.append(replace(node, outputs=outputs))
    return replace(graph, nodes=tuple(nodes))
