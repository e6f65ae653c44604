"""A backend that only counts layers: what the least of a third party's package looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netspec.backend import Limit, Source, Status, require
from netspec.graph import Graph
from netspec.ops import lowered
from netspec.ops.base import Op


class Toy:
    """It writes how many layers a network has, and does nothing else."""

    name = "toy"
    frameworks: Sequence[str] = ()
    lowerings: Mapping[type[Op], int] = dict.fromkeys(lowered(), 1)
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()

    def status(self) -> Status:
        return Status("ok", "toy 1")

    def source(self, graph: Graph) -> Source:
        require(self, graph)
        return Source(f"layers = {sum(self.lowerings[type(node.op)] for node in graph.nodes)}\n")


def backend() -> Toy:
    """The entry point."""
    return Toy()
