"""Backends that are the oracle under another name, spoilt as one likes: for tests of who looks for faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from netspec.backend import Limit, Status
from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.recipe.optimizers import Optimizer
from tests.oracle import Oracle

Array = NDArray[Any]
Change = Callable[[dict[str, Array]], None]


def nothing(arrays: dict[str, Array]) -> None:
    """The honest backend."""


@dataclass
class Fake:
    """The oracle under another name, with gradients made up from names; `change` spoils what it answers."""

    name: str
    learns: ClassVar[Literal[True]] = True
    frameworks: ClassVar[tuple[str, ...]] = ()
    lowerings: ClassVar[Mapping[type[Op], object]] = Oracle.lowerings
    refusals: ClassVar[Mapping[type[Op], str]] = {}
    limits: ClassVar[tuple[Limit, ...]] = ()
    forward: Change = nothing
    gradients: Change = nothing
    steps: Change = nothing
    asked: list[Optimizer] = field(default_factory=list)
    injected: list[object] = field(default_factory=list)

    devices: list[str] = field(default_factory=list)

    def status(self) -> Status:
        return Status("ok", "made up")

    def trial(
        self,
        graph: Graph,
        weights: Mapping[str, Array],
        dtype: str = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> FakeTrial:
        self.injected.append(inject)
        self.devices.append(device)
        honest = Oracle().trial(graph, weights, dtype, inject)  # type: ignore[arg-type]
        return FakeTrial(self, honest, weights)


@dataclass
class FakeTrial:
    fake: Fake
    honest: Any
    weights: Mapping[str, Array]

    def forward(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return self._spoilt(self.honest.forward(inputs), self.fake.forward)

    def gradients(self, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> dict[str, Array]:
        learnt = {name: array for name, array in self.weights.items() if "running" not in name}
        return self._spoilt(learnt, self.fake.gradients)

    def steps(
        self, inputs: Mapping[str, Array], targets: Mapping[str, Array], optimizer: Optimizer, count: int
    ) -> dict[str, Array]:
        self.fake.asked.append(optimizer)
        return self._spoilt(self.weights, self.fake.steps)

    def _spoilt(self, arrays: Mapping[str, Array], change: Change) -> dict[str, Array]:
        copies = {name: array.copy() for name, array in arrays.items()}
        change(copies)
        return copies
