"""What a training reports while it goes on: the losses of its steps, the figures of its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netspec.scoring import Figure


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of one epoch by part and name (`validation_accuracy`). An unknown one is None, one by class a list.

    Each is an average over elements; accuracies are fractions. Those of training are of the epoch's batches, each
    measured just before its update; all others are measured in inference after the epoch.
    """

    number: int
    metrics: Mapping[str, Figure]
    seconds: float

    def number_of(self, name: str) -> float | None:
        """A figure that is one number."""
        found = self.metrics.get(name)
        return found if isinstance(found, float | int) else None


class Report(Protocol):
    """Receives the progress of a training; the run folder and the screen implement it.

    An exception in a report ends the training.
    """

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Called with the losses of the next steps, before their updates; epoch and `first` step count from 1."""
        ...

    def epoch(self, epoch: Epoch) -> None:
        """Called after every epoch."""
        ...

    def tested(self, epoch: Epoch) -> None:
        """Called once at the end, with the figures of the test part and the epoch whose weights were tested."""
        ...
