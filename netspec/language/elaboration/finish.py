"""The end of elaboration: outputs, what nothing uses, the graph."""

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
from netspec.language.elaboration.expect import expectations
from netspec.language.elaboration.frame import NO_TENSOR, Frame, Referent, Tensor
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
    end: Tensor,
    heads: Sequence[tuple[str, Tensor]],
    given: Given[str, object],
) -> Graph | None:
    """The graph of what was walked, or None when anything was wrong but `expect` or `train`."""
    if not walk.problems.errors and not walk.nodes:
        walk.problems.error(
            codes.MISSING, "the network has no layer", document.span, help="add items to `layers`"
        )
    if walk.problems.errors:
        _stated(walk, document, root, None)
        return None
    _hold_sound(root.members)
    outputs = _outputs(walk, document, root, end, heads)
    _refuse_positions(walk, document, outputs)
    if walk.problems.errors:
        return None
    nodes = without_unused_ports(_prune(walk, outputs), outputs)
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
    """What the spec states of its network, and how to train it; what is wrong with either is reported."""
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
    """What is broken was reported; a layer that silently is not there would be a bug of netspec."""
    stack = list(members.values())
    while stack:
        referent = stack.pop()
        if isinstance(referent.tensor, Missing) and referent.tensor is not NO_TENSOR:
            raise IllegalGraph(f"{referent.path} is missing, and nothing was said of it")
        stack += referent.members.values()


def _outputs(
    walk: Walk, document: Document, root: Frame, end: Tensor, heads: Sequence[tuple[str, Tensor]]
) -> list[Output]:
    """The end, unless a head starts there, then the heads."""
    starts = {
        scope.inputs[0]
        for scope in walk.scopes
        if scope is not None and scope.kind == "head" and scope.inputs
    }
    outputs = [Output("output", end)] if isinstance(end, str) and end not in starts else []
    return outputs + [Output(name, str(tensor)) for name, tensor in heads]


def _refuse_positions(walk: Walk, document: Document, outputs: Sequence[Output]) -> None:
    """Say which outputs of the network hold positions: nothing is learnt from those, nor compared."""
    heads = {head.name: head.span for head in document.heads}
    for output in outputs:
        if walk.types[output.value].kind == "positions":
            walk.problems.error(
                shapes.KIND,
                f"the network gives numbers; its output `{output.name}` holds positions of maxima "
                f"({walk.types[output.value]})",
                heads.get(output.name, walk.origins[output.value]),
                help="end it with a layer that gives numbers, such as `max_unpool`",
            )


def _users(nodes: Sequence[Node], outputs: Sequence[Output]) -> set[str]:
    return {value for node in nodes for value in node.inputs} | {output.value for output in outputs}


def _prune(walk: Walk, outputs: Sequence[Output]) -> list[Node]:
    """Leave out what only a part of an embedded network used that stayed behind: cut off, or a head."""
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
    """The names of layers, scopes and outputs that stand for a value that is not in the graph, with its type."""
    gone = {value for node in walk.nodes for value in node.values}
    gone -= {value for node in kept for value in node.values}
    for node in walk.nodes:
        yield from ((value, walk.types[value]) for value in node.values if value in gone)
    for scope in walk.scopes:
        if scope is not None and scope.output in gone:
            yield scope.path, walk.types[scope.output]


def _scopes(walk: Walk, nodes: Sequence[Node]) -> list[Scope]:
    """The scopes that still hold a layer."""
    held: set[str] = set()
    for node in nodes:
        held.update(takewhile(lambda path: path not in held, _scopes_around(node)))
    return [scope for scope in walk.scopes if scope is not None and scope.path in held]


_WEIGHTED = (
    "it has weights: a backend may refuse to hold them, and `netspec check --backend NAME` says which does"
)


def _report_unused(
    walk: Walk, nodes: Sequence[Node], inputs: Sequence[Input], outputs: Sequence[Output]
) -> None:
    used = _users(nodes, outputs)
    told: set[Span] = set()
    for node in nodes:
        if used.isdisjoint(node.values) and node.span not in told:
            told.add(node.span)
            walk.problems.warning(
                codes.UNUSED,
                f"nothing uses the output of `{node.name}`",
                node.span,
                notes=[_WEIGHTED] if node.weights else [],
                help="take it with `from`, make it a head, or drop the layer",
            )
    for each in inputs:
        if each.name not in used:
            walk.problems.warning(
                codes.UNUSED_INPUT,
                f"nothing uses the input `{each.name}`",
                each.span,
                help="take it with `from`, or drop it",
            )
