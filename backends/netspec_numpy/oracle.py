"""The oracle as a backend: it runs networks forward, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from netspec.backend import Limit, Status, require
from netspec.graph import Graph
from netspec_numpy.lowerings import LOWERINGS, forward

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.ops.base import Op
    from netspec.types import Float
    from netspec_numpy.calculation import Lowering


class NumpyBackend:
    """Computes every op from its definition, node by node, so it shares nothing with the source that it judges.

    It gives no gradients: a hand-written derivative of every op would itself need an oracle.
    """

    name = "numpy"
    frameworks: Sequence[str] = ()
    judges: Literal[True] = True
    lowerings: Mapping[type[Op], Lowering] = LOWERINGS
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()

    def status(self) -> Status:
        return Status("ok", f"numpy {np.__version__}, forward only")

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> NumpyTrial:
        """The trial of the oracle in a comparison; it runs on the CPU, whatever the device of the others."""
        require(self, graph, dtype)
        return NumpyTrial(graph, weights, dtype, inject)


class NumpyTrial:
    """The trial of the oracle. It computes in float64 and rounds at the end."""

    def __init__(self, graph: Graph, weights: Arrays, dtype: Float, inject: tuple[str, float] | None) -> None:
        self._graph, self._weights, self._dtype, self._inject = graph, weights, dtype, inject

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        results = forward(self._graph, self._weights, inputs, training=True, inject=self._inject)
        kinds = {
            node.name: self._dtype if node.output.dtype == "float" else "int64" for node in self._graph.nodes
        }
        return {name: array.astype(kinds[name]) for name, array in results.items()}
