"""What a backend does not take of a network, as a diagnostic. Needs no framework."""

from __future__ import annotations

from netspec.backend import Backend, Unsupported
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.codes.backends import REFUSED
from netspec.diagnostics.span import Span
from netspec.graph import Graph


def refusals(graph: Graph, backend: Backend) -> list[Diagnostic]:
    """What keeps a backend from writing the network's source; nothing when it takes it.

    Raises:
        Incapable: the backend never writes source.
    """
    try:
        backend.source(graph)
    except Unsupported as error:
        return [refusal(error, graph, backend.name)]
    return []


def refusal(error: Unsupported, graph: Graph, backend: str) -> Diagnostic:
    """A refusal, at the item that it is about, or at the head of the spec."""
    node = graph.by_name.get(error.layer) if error.layer else None
    span = node.span if node is not None else Span(graph.file, 1, 1, 1, 2)
    return Diagnostic(REFUSED, f"{backend} cannot hold `{graph.name}`: {error}", span)
