"""The end of elaboration: outputs, warnings about unused layers, the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Given
from itertools import takewhile
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.diagnostics import Span
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.expectations import Expectations
from netspec.graph import Graph, IllegalGraph, Input, Node, Output, Scope, without_unused_ports
from netspec.language.document.declarations import Document
from netspec.language.elaboration.ends import without_last_states
from netspec.language.elaboration.expect import expectations
from netspec.language.elaboration.frame import NO_TENSOR, Frame, Referent, ValueName
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import Missing
from netspec.language.reading.values import Mapping
from netspec.types import Type

if TYPE_CHECKING:
    from netspec.recipe import StatedRecipe


def graph(
    walk: Walk,
    document: Document,
    root: Frame,
    inputs: Sequence[Input],
    end: ValueName,
    heads: Sequence[tuple[str, ValueName]],
    given: Given[str, object],
) -> Graph | None:
    """The graph of the walked items, or None if anything except `expect` or `train` is wrong."""
    if not walk.problems.errors and not walk.nodes:
        walk.problems.error(
            codes.MISSING, "the network has no layers", document.span, help="add items to `layers`"
        )
    if walk.problems.errors:
        _stated(walk, document, root, None)
        return None
    _hold_sound(root.members)
    outputs = _outputs(walk, document, root, end, heads)
    _refuse_positions(walk, document, outputs)
    if walk.problems.errors:
        return None
    nodes = without_unused_ports(
        without_last_states(walk.last_repetitions, _prune(walk, outputs), outputs), outputs
    )
    _report_unused(walk, nodes, inputs, outputs)
    params = tuple((name, root.names[name]) for name in (each.name for each in document.params))
    graph = Graph(
        name=document.name,
        inputs=tuple(inputs),
        nodes=nodes,
        outputs=tuple(outputs),
        scopes=tuple(_scopes(walk, nodes)),
        description=document.description,
        params=tuple((name, value) for name, value in params if not isinstance(value, Missing)),
        file=document.file,
        altered=tuple(given),
        pretrained=tuple(walk.pretrained),
        left_out=tuple(_left_out(walk, nodes)),
    )
    expect, train = _stated(walk, document, root, graph)
    return replace(graph, expect=expect, train=train)


def _stated(
    walk: Walk, document: Document, root: Frame, graph: Graph | None
) -> tuple[Expectations | None, StatedRecipe | None]:
    """The expectations and the recipe of the spec; errors in them are reported."""
    expect = train = None
    if document.expect is not None:
        value = walk.put_in(document.expect, root.names)
        expect = expectations(value, graph, walk.problems) if isinstance(value, Mapping) else None
    if document.train is not None:
        from netspec.language.document.recipe import state

        value = walk.put_in(document.train, root.names)
        train = state(value, walk.problems) if isinstance(value, Mapping) else None
    return expect, train


def _hold_sound(members: Given[str, Referent]) -> None:
    """Check that everything broken is reported; a layer that is silently missing would be a bug in netspec."""
    stack = list(members.values())
    while stack:
        referent = stack.pop()
        tensor = referent.tensor
        if isinstance(tensor, Missing) and tensor is not NO_TENSOR and tensor.absent is None:
            raise IllegalGraph(f"{referent.path} is missing, but no problem was reported")
        stack += referent.members.values()


def _outputs(
    walk: Walk, document: Document, root: Frame, end: ValueName, heads: Sequence[tuple[str, ValueName]]
) -> list[Output]:
    """The end, unless a head starts there, then the heads."""
    outputs = [Output("output", end)] if isinstance(end, str) and end not in walk.starts else []
    return outputs + [Output(name, str(tensor)) for name, tensor in heads]


def _refuse_positions(walk: Walk, document: Document, outputs: Sequence[Output]) -> None:
    """Report outputs of the network that hold positions, because they can be neither trained nor compared."""
    heads = {head.name: head.span for head in document.heads}
    for output in outputs:
        if walk.types[output.value].kind == "positions":
            walk.problems.error(
                shapes.KIND,
                f"a network must give numbers, but its output `{output.name}` holds positions of maxima "
                f"({walk.types[output.value]})",
                heads.get(output.name, walk.origins[output.value]),
                help="end it with a layer that gives numbers, such as `max_unpool`",
            )


def _users(nodes: Sequence[Node], outputs: Sequence[Output]) -> set[str]:
    return {value for node in nodes for value in node.inputs} | {output.value for output in outputs}


def _prune(walk: Walk, outputs: Sequence[Output]) -> list[Node]:
    """Remove layers that only the unused part of an embedded network needs: after a cut, or for a head."""
    if not walk.embedded:
        return walk.nodes
    embedded = set(walk.embedded)
    needed = {output.value for output in outputs} | {node.shares for node in walk.nodes if node.shares}
    kept = []
    for node in reversed(walk.nodes):
        if not needed.isdisjoint(node.values) or embedded.isdisjoint(_scopes_around(node)):
            needed.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _scopes_around(node: Node) -> Iterator[str]:
    path = node.scope
    while path:
        yield path
        path = path.rpartition(".")[0]


def _left_out(walk: Walk, kept: Sequence[Node]) -> Iterator[tuple[str, Type]]:
    """The names of layers, scopes and outputs whose value is not in the graph, with its type."""
    gone = {value for node in walk.nodes for value in node.values}
    gone -= {value for node in kept for value in node.values}
    for node in walk.nodes:
        yield from ((value, walk.types[value]) for value in node.values if value in gone)
    for scope in walk.scopes:
        names = [] if scope is None else scope.names_with(walk.by_name.get(scope.output))
        yield from ((name, walk.types[value]) for name, value in names if value in gone)


def _scopes(walk: Walk, nodes: Sequence[Node]) -> list[Scope]:
    """The scopes that still contain a layer."""
    held: set[str] = set()
    for node in nodes:
        held.update(takewhile(lambda path: path not in held, _scopes_around(node)))
    return [scope for scope in walk.scopes if scope is not None and scope.path in held]


def _idle_outputs(walk: Walk, nodes: Sequence[Node], used: set[str]) -> set[str]:
    """Layers without weights of their own that are outputs of a block which other calls of the block use.

    So is the state after the last repetition: the block has it, and no call can leave it out.
    """
    offered = {value for scope in walk.scopes if scope is not None for _, value in scope.ports}
    outputs = [node for node in nodes if node.name in offered]
    elsewhere = {node.span for node in outputs if not used.isdisjoint(node.values)}
    return {
        node.name
        for node in outputs
        if node.span in elsewhere and used.isdisjoint(node.values) and (node.shares or not node.weights)
    }


_WEIGHTED = "it has weights: a backend can refuse such weights; `netspec check --backend NAME` checks this"


def _report_unused(
    walk: Walk, nodes: Sequence[Node], inputs: Sequence[Input], outputs: Sequence[Output]
) -> None:
    used = _users(nodes, outputs)
    told: set[Span] = set()
    # A cut leaves the owner of weights that other layers share: the author of the cut cannot use or remove it.
    embedded = set(walk.embedded)
    lent = {node.shares for node in nodes if node.shares}
    lent = {
        node.name for node in nodes if node.name in lent and not embedded.isdisjoint(_scopes_around(node))
    }
    idle = _idle_outputs(walk, nodes, used)
    owners = {node.shares for node in nodes if node.shares}
    for node in nodes:
        if node.name in lent or node.name in idle:
            continue
        if used.isdisjoint(node.values) and node.span not in told:
            told.add(node.span)
            message, instead = f"the output of `{node.name}` is unused", "remove the layer"
            if not walk.sized.isdisjoint(node.values):
                message = f"no layer takes the output of `{node.name}`, only its sizes"
                instead = "write the sizes as numbers and remove the layer"
            elif node.name in owners:
                message = f"no layer takes the output of `{node.name}`, only its weights"
                instead = "remove the layer and the `share` that names it"
            walk.problems.warning(
                codes.UNUSED,
                message,
                node.span,
                notes=[_WEIGHTED] if node.weights else [],
                help=f"take it with `from`, make it a head, or {instead}",
            )
    for each in inputs:
        if each.name not in used:
            walk.problems.warning(
                codes.UNUSED_INPUT,
                f"no layer takes the input `{each.name}`, only its sizes"
                if each.name in walk.sized
                else f"the input `{each.name}` is unused",
                each.span,
                help="take it with `from`, or write the sizes as numbers and remove it"
                if each.name in walk.sized
                else "take it with `from`, or remove it",
            )
