"""What a backend is handed to train: a graph that gives logits, weights, batches, and somebody to report to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from netspec.graph import Graph
from netspec.training.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Batch = tuple[Array, Array]


class Report(Protocol):
    """Who is told how a training goes. The backends' loops call it; the run folder and the screen listen."""

    def step(self, epoch: int, step: int, loss: float) -> None:
        """After every optimiser step: epoch and step from 1, the mean loss of that batch before the step."""
        ...

    def epoch(self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]) -> None:
        """After every epoch: train_loss, train_accuracy, test_loss, test_accuracy; `weights` reads the model."""
        ...


@dataclass(frozen=True)
class Fit:
    """One training. Images are float32, channels first; labels are integers.

    `graph` ends before its final softmax: its output is logits, and the loss is the mean cross-entropy.
    `batches(epoch)` gives the training batches of an epoch (from 1), the same ones on every backend.
    `test_batches()` gives the test set in order. The last batch of either may be smaller.
    """

    graph: Graph
    weights: Mapping[str, Array]
    optimizer: Optimizer
    epochs: int
    steps_per_epoch: int
    batches: Callable[[int], Iterator[Batch]]
    test_batches: Callable[[], Iterator[Batch]]
    report: Report
    seed: int
    device: str = "auto"
