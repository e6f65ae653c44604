"""What a backend is handed to train: a graph that gives logits, weights, batches, and somebody to report to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from netspec.graph import Graph
from netspec.recipe.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Batch = tuple[Array, Array]


class Report(Protocol):
    """Who is told how a training goes. The backends' loops call it; the run folder and the screen listen.

    What a report raises ends the training; a backend lets it pass.
    """

    def step(self, epoch: int, step: int, loss: float) -> None:
        """After every optimiser step: epoch from 1, step from 1 within it, the batch's mean loss before the step."""
        ...

    def epoch(
        self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]
    ) -> None:
        """After every epoch: train_loss, train_accuracy, test_loss, test_accuracy; `weights` reads the model.

        Each is a mean over samples, accuracies being fractions. The train figures are those of the batches as
        they were learnt from, each before its step; the test figures are those of inference afterwards.
        """
        ...


@dataclass(frozen=True)
class Fit:
    """One training. Images are float32, channels first; labels are int64, one class index a sample.

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
