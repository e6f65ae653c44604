"""A bar on stderr while a training runs; nothing where nobody looks on, or where rich is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from netspec.recipe import Recipe


class Progress:
    """A `Report` with one bar, which runs once through every epoch and shows the loss of the latest step."""

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

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Move on."""
        if self._bar is not None:
            name = f"epoch {epoch} of {self._epochs}"
            self._bar.update(self._task, description=name, completed=step, loss=f"loss {loss:.4f}")

    def epoch(self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Any]) -> None:
        """Nothing: the table says what came of it."""


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
        redirect_stdout=sys.stdout.isatty(),  # the report must reach a file as it is
    )
