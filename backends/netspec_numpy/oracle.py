"""The oracle as a backend: it answers what an output is, and refuses, with a reason, what it cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from netspec.backend import Incapable, Source, Status
from netspec.graph import Graph
from netspec_numpy.lowerings import LOWERINGS, forward

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays, Float, Workload
    from netspec.ops.base import Op
    from netspec.training.fit import Fit
    from netspec.training.optimizers import Optimizer

NO_GRADIENTS = (
    "numpy does not train: the oracle calculates outputs only, since "
    "a derivative by hand for every op would need an oracle itself"
)
NO_SOURCE = (
    "numpy writes no source: the oracle runs the graph as it is, "
    "so that it shares nothing with the generated source that it judges"
)


class NumpyBackend:
    """Every op from its definition; there is no native model, no gradient and no training."""

    name = "numpy"
    lowerings: Mapping[type[Op], Any] = LOWERINGS
    refusals: Mapping[type[Op], str] = {}

    def status(self) -> Status:
        return Status("ok", f"numpy {np.__version__}, forward only")

    def source(self, graph: Graph) -> Source:
        raise Incapable(NO_SOURCE)

    def build(
        self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto"
    ) -> NoReturn:
        raise Incapable(NO_SOURCE)

    def weights(self, model: Any, graph: Graph) -> dict[str, Array]:
        raise Incapable(NO_SOURCE)

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
    ) -> NumpyTrial:
        return NumpyTrial(graph, weights, dtype, inject)

    def fit(self, fit: Fit) -> None:
        raise Incapable(NO_GRADIENTS, "train with --backend torch or keras")

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        raise Incapable(NO_GRADIENTS)


class NumpyTrial:
    """The oracle's side of a comparison. It calculates in float64 and rounds at the end."""

    def __init__(self, graph: Graph, weights: Arrays, dtype: Float, inject: tuple[str, float] | None) -> None:
        self._graph, self._weights, self._dtype, self._inject = graph, weights, dtype, inject

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        results = forward(self._graph, self._weights, inputs, training=True, inject=self._inject)
        return {name: array.astype(self._dtype) for name, array in results.items()}

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        raise Incapable(NO_GRADIENTS)

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        raise Incapable(NO_GRADIENTS)
