"""What is decided after an epoch: functions of the figures so far, so that a resumed training decides the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netspec.training.report import Epoch


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that a training improves, such as `validation_accuracy`."""

    name: str
    larger_is_better: bool

    def worth(self, epoch: Epoch) -> float:
        """The larger the better; an unknown figure is worth less than all others."""
        value = epoch.number_of(self.name)
        if value is None:
            return float("-inf")
        return value if self.larger_is_better else -value

    def best(self, epochs: Sequence[Epoch]) -> Epoch | None:
        """The best epoch, the first of equals."""
        return max(epochs, key=self.worth, default=None)


@dataclass(frozen=True, slots=True)
class Patience:
    """The training ends after so many epochs that were not better by more than `threshold` than the best before."""

    goal: Goal
    after: int
    threshold: float = 0.0

    def is_over(self, epochs: Sequence[Epoch]) -> bool:
        """Whether to stop after these epochs."""
        best, since = float("-inf"), 0
        for epoch in epochs:
            worth = self.goal.worth(epoch)
            since += 1
            if worth > best + self.threshold or (best == float("-inf") and worth > best):
                best, since = worth, 0
        return since >= self.after


@dataclass(frozen=True, slots=True)
class Saving:
    """When a checkpoint is written: every so many epochs, minutes, or steps of the whole training."""

    epochs: int | None = 1
    minutes: float | None = None
    steps: int | None = None
