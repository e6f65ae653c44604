"""What a backend does not take of a network, as a diagnostic. Needs no framework."""

from __future__ import annotations

from netspec.backend import Backend, refused
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.codes.backends import REFUSED
from netspec.graph import Graph


def refusals(graph: Graph, backend: Backend) -> list[Diagnostic]:
    """What keeps a backend from taking the network, each at the item that it is about; nothing when it takes it."""
    return [
        Diagnostic(REFUSED, f"{backend.name} cannot hold `{graph.name}`: {reason}", graph.by_name[layer].span)
        for layer, reason in refused(backend, graph)
    ]
