"""Writes the progress of a training for TensorBoard, with TensorBoard's own library, an extra that is imported late."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.backend import Unavailable

if TYPE_CHECKING:
    from netspec.training.report import Epoch

FOLDER = "tensorboard"
"""The folder of the event files in a run folder."""
PARTS = ("train", "validation", "test")


def require() -> None:
    """Refuse before a training begins, if the library is missing.

    Raises:
        Unavailable: TensorBoard is not installed, or cannot be imported.
    """
    _library()


def _library() -> Any:
    try:
        from tensorboard import compat, summary
    except ImportError as error:
        raise Unavailable(
            f"--tensorboard needs the package tensorboard, which cannot be imported ({error})",
            'pip install "netspec-compiler[tensorboard]"',
        ) from None
    # Otherwise it imports TensorFlow wherever it is installed, which takes seconds, for what its own reader can do.
    compat.notf = True
    return summary


class Events:
    """A `Report` that writes scalars: the loss of every step, and the figures of every epoch by their part.

    `step/loss` counts steps over the whole training, from 1. Of an epoch, a figure is `loss/train`,
    `loss/validation`, `accuracy/validation` and so on, so that TensorBoard draws the parts of a figure side by side;
    its step is the epoch.
    A figure by class is one scalar a class.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        """Write to a folder; `done` is the number of steps that were taken before, if a run is resumed."""
        self._folder, self._done, self._done_before = folder, done, done
        self._writer: Any = None

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Write the losses."""
        for loss in losses:
            self._done += 1
            self._add("step/loss", loss, self._done)

    def epoch(self, epoch: Epoch) -> None:
        """Write the figures, and what was written so far to disk."""
        self._figures(epoch)
        self._add("epoch/seconds", epoch.seconds, epoch.number)
        self._writer.flush()

    def tested(self, epoch: Epoch) -> None:
        """Write the figures of the test."""
        self._figures(epoch)
        self._writer.flush()

    def _figures(self, epoch: Epoch) -> None:
        for name, value in epoch.metrics.items():
            part, _, figure = name.partition("_")
            for label, number in _numbers(figure, value):
                self._add(f"{label}/{part}", number, epoch.number)

    def _add(self, tag: str, value: float, step: int) -> None:
        if self._writer is None:
            self._begin()
        self._writer.add_scalar(tag, value, step)

    def _begin(self) -> None:
        """Open the file, at the first step: until then, an old run in the folder is kept as it is."""
        if not self._done_before and self._folder.is_dir():
            for old in self._folder.glob("events.out.tfevents.*"):
                old.unlink()
        self._writer = _library().Writer(str(self._folder))


def _numbers(figure: str, value: object) -> list[tuple[str, float]]:
    """The scalars of a figure: one, one per class, or none of a matrix and of what is not known."""
    if isinstance(value, bool | int | float):
        return [(figure, float(value))]
    if isinstance(value, list | tuple):
        return [
            (f"{figure}/{index}", float(each))
            for index, each in enumerate(value)
            if isinstance(each, int | float)
        ]
    return []
