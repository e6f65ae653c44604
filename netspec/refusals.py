"""Reports the refusals of a backend as diagnostics. Needs no framework."""

from __future__ import annotations

from netspec.backend import Backend, refused
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.codes.backends import REFUSED
from netspec.graph import Graph


def refusals(graph: Graph, backend: Backend) -> list[Diagnostic]:
    """The reasons why a backend refuses the network, each at the item that causes it; empty if it accepts it."""
    return [
        Diagnostic(
            REFUSED, f"{backend.name} cannot represent `{graph.name}`: {reason}", graph.by_name[layer].span
        )
        for layer, reason in refused(backend, graph)
    ]
