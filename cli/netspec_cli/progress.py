"""A progress bar on stderr during a training, if stderr is a terminal and rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from netspec.recipe import Recipe
    from netspec.training.report import Epoch


class Progress:
    """A `Report` with one bar, which runs through each epoch and shows the loss of the latest step."""

    def __init__(self, recipe: Recipe, samples: int) -> None:
        self._epochs = recipe.epochs
        self._steps = ceil(min(samples, recipe.train_size or samples) / recipe.batch)
        self._bar: Any = _bar() if sys.stderr.isatty() else None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("compiling", total=self._steps, loss="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Update the bar."""
        if self._bar is not None:
            name = f"epoch {epoch} of {self._epochs}"
            done = first + len(losses) - 1
            self._bar.update(self._task, description=name, completed=done, loss=f"loss {losses[-1]:.4f}")

    def epoch(self, epoch: Epoch) -> None:
        """Do nothing: the table shows the results of an epoch."""

    def tested(self, epoch: Epoch) -> None:
        """Do nothing: the summary shows it."""


def _bar() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # a report in a file must not change
    )
