"""The input of a backend's training: a graph that gives logits, weights, batches and a report."""

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
    """Receives the progress of a training from the backend; the run folder and the screen implement it.

    An exception in a report ends the training; a backend does not catch it.
    """

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Called after every step: epoch from 1, step of the epoch from 1, mean loss of the batch before the update."""
        ...

    def epoch(
        self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]
    ) -> None:
        """Called after every epoch: train_loss, train_accuracy, test_loss, test_accuracy; `weights` reads the model.

        Each is an average over samples; accuracies are fractions. The training figures are averages over the epoch's
        batches, each measured just before its update. The test figures are measured in inference after the epoch.
        """
        ...


@dataclass(frozen=True)
class Fit:
    """One training. Images are float32, channels first; labels are int64, one class index per sample.

    `graph` ends before its final softmax: its output is logits, and the loss is the mean cross-entropy.
    `batches(epoch)` gives the training batches of an epoch (from 1), the same on every backend. `test_batches()`
    gives the test set in order. The last batch of both can be smaller.
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
