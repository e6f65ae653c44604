"""The two or more sides of a comparison: they run on the same weights and the same batch, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from math import nan
from typing import TYPE_CHECKING, TypeVar

from netspec.backend import Judges, Learns, Runs, Trial
from netspec.graph import Graph
from netspec.proof import ties
from netspec.proof.conditions import start
from netspec.proof.difference import differences
from netspec.proof.result import TOLERANCES, Steps
from netspec.recipe.optimizers import Optimizer
from netspec.types import Type

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays, LearningTrial
    from netspec.types import Float

T = TypeVar("T")


class Trials:
    """The weights, the batch, and the trials of all sides."""

    def __init__(
        self,
        graph: Graph,
        dtype: Float,
        batch: int,
        seed: int,
        report: Callable[[str], None],
        weights: Arrays | None,
    ) -> None:
        self.graph, self.dtype, self.report = graph, dtype, report
        self.batch, self.seed = batch, seed
        self.trials: dict[str, Trial] = {}
        self.learners: dict[str, LearningTrial] = {}
        self.weights = start(graph, seed, dtype) if weights is None else weights
        self.inputs = self._batch(batch)
        self.targets = {
            each.name: _sample(f"target {each.name}", graph.types[each.value], None, batch, seed, dtype)
            for each in graph.outputs
        }

    def _batch(self, size: int) -> dict[str, Array]:
        return {
            each.name: _sample(f"input {each.name}", each.type, each.vocabulary, size, self.seed, self.dtype)
            for each in self.graph.inputs
        }

    def loss(self, layers: Arrays) -> float:
        """The loss (see `Trial`) for these outputs; NaN if they are missing or have the wrong shape."""
        import numpy as np

        total = 0.0
        for each in self.graph.outputs:
            found, target = layers.get(each.value), self.targets[each.name]
            if found is None or found.shape != target.shape:
                return nan
            with np.errstate(invalid="ignore", over="ignore"):
                total += float(((found.astype("float64") - target) ** 2).sum())
        return total / self.batch / 2

    def enter(self, backend: Runs, inject: tuple[str, float] | None, device: str) -> None:
        """Add a backend to the comparison; an oracle runs on the CPU."""
        self.report(f"{backend.name}: building")
        where = "cpu" if isinstance(backend, Judges) else device
        if isinstance(backend, Learns):
            learner = backend.trial(self.graph, self.weights, self.dtype, inject, where)
            self.trials[backend.name] = self.learners[backend.name] = learner
        else:
            self.trials[backend.name] = backend.trial(self.graph, self.weights, self.dtype, inject, where)

    def outputs(self, size: int = 0) -> dict[str, dict[str, Array]]:
        """The outputs of all layers on all sides, for the batch or for another batch of this size."""
        inputs, what = (
            (self._batch(size), f"outputs of a batch of {size}") if size else (self.inputs, "outputs")
        )
        return {name: trial.forward(inputs) for name, trial in self._in_turn(self.trials, what)}

    def undecided(self, layers: Mapping[str, Arrays]) -> set[str]:
        """The layers that float32 does not decide; in float64 every layer is judged."""
        tolerance = TOLERANCES[self.dtype].forward
        return set(ties.undecided(self.graph, layers, tolerance)) if self.dtype == "float32" else set()

    def gradients(self) -> dict[str, dict[str, Array]]:
        """The gradients of all backends that give them."""
        return {
            name: trial.gradients(self.inputs, self.targets)
            for name, trial in self._in_turn(self.learners, "gradients")
        }

    def steps(self, optimizer: Optimizer, count: int) -> Steps:
        """The weights after `count` steps from the same start, of all backends that can learn."""
        stepped = {
            name: trial.steps(self.inputs, self.targets, optimizer, count)
            for name, trial in self._in_turn(self.learners, f"{count} steps of {optimizer.kind}")
        }
        found = differences((each.name for each in self.graph.weights), stepped)
        return Steps(optimizer.kind, count, optimizer.learning_rate, found)

    def _in_turn(self, trials: Mapping[str, T], what: str) -> Iterator[tuple[str, T]]:
        for name, trial in trials.items():
            self.report(f"{name}: {what}")
            yield name, trial


def _sample(name: str, type_: Type, vocabulary: int | None, batch: int, seed: int, dtype: str) -> Array:
    """Standard normal values, or indices of a vocabulary; like weights, each tensor depends on its own name."""
    import numpy as np

    own = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, own])))
    shape = (batch, *type_.shape)
    if vocabulary is not None:
        return generator.integers(0, vocabulary, shape)
    return generator.standard_normal(shape).astype(dtype)
