"""A progress bar on stderr during a training, if stderr is a terminal and rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from netspec.training.report import Epoch


class Progress:
    """A `Report` with one bar over all steps: epoch, loss of the latest step, steps per second, time to the end."""

    def __init__(self, epochs: int, quiet: bool) -> None:
        self._epochs = epochs
        self._bar: Any = None if quiet or not sys.stderr.isatty() else _bar()
        self._task: Any = None
        self._began: tuple[float, int] | None = None
        self._done = 0
        self._per_epoch = 0

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("compiling", total=None, loss="", rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Update the bar."""
        if self._bar is None:
            return
        self._done += len(losses)
        if self._began is None:
            self._began = monotonic(), self._done  # the first block includes the compilation
        since, before = self._began
        rate = (self._done - before) / max(monotonic() - since, 1e-9)
        self._bar.update(
            self._task,
            description=f"epoch {epoch} of {self._epochs}, step {first + len(losses) - 1}",
            completed=self._done,
            loss=f"loss {losses[-1]:.4f}",
            rate=f"{rate:.1f} steps/s" if self._done > before else "",
        )

    def epoch(self, epoch: Epoch) -> None:
        """After the first epoch, the number of its steps shows how many there are to the end."""
        if self._bar is not None and not self._per_epoch:
            self._per_epoch = self._done
            left = self._epochs - epoch.number
            self._bar.update(self._task, total=self._done + left * self._per_epoch)

    def tested(self, epoch: Epoch) -> None:
        """Do nothing: the summary shows it."""


def _bar() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[loss]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # a report in a file must not change
    )
