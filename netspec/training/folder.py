"""The run folder: what was trained, how, and what came of it, written while it happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from shutil import rmtree
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Self

import yaml

from netspec.graph import Graph
from netspec.training.recipe import Recipe, plain

if TYPE_CHECKING:
    from netspec.backend import Array

METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
_SMALLER_IS_BETTER = ("test_loss", "train_loss")


class FolderTaken(Exception):
    """The folder that was asked for holds something already."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What came of one epoch. A metric that is not known is None; accuracies are fractions."""

    number: int
    metrics: Mapping[str, float | None]
    seconds: float

    def worth(self) -> float:
        """The larger the better: test accuracy, or without one a loss, negated."""
        accuracy = self.metrics.get("test_accuracy")
        if accuracy is not None:
            return accuracy
        losses = (self.metrics.get(name) for name in _SMALLER_IS_BETTER)
        return -next((loss for loss in losses if loss is not None), float("inf"))


class Folder:
    """A `Report` that keeps a training on disk: every step at once, the weights after every epoch."""

    def __init__(self, path: Path, metrics: tuple[str, ...]) -> None:
        self.path = path
        self.epochs: list[Epoch] = []
        self.losses: list[float] = []
        self._metrics = metrics
        self._began = monotonic()
        self._lines: IO[str] | None = None

    @classmethod
    def make(cls, path: Path, metrics: tuple[str, ...]) -> Self:
        """A folder that is new or empty.

        Raises:
            FolderTaken: something is in it, or it cannot be made.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise FolderTaken(f"{path} is not empty")
        except OSError as error:
            raise FolderTaken(f"{path} cannot be made: {(error.strerror or str(error)).lower()}") from error
        return cls(path, metrics)

    def describe(self, graph: Graph, text: str | None, recipe: Recipe, facts: Mapping[str, Any]) -> None:
        """Write what is trained: the spec as written, its printed graph, the resolved recipe, and the circumstances."""
        if text is not None:
            self._write("spec.yaml", text)
        self._write("graph.txt", str(graph))
        self._write(
            "recipe.yaml", yaml.safe_dump({"train": plain(recipe)}, sort_keys=False, allow_unicode=True)
        )
        self._write("run.json", json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n")

    def discard(self) -> None:
        """Remove the folder of a training that never began."""
        if not self.losses:
            rmtree(self.path)

    def __enter__(self) -> Self:
        self._lines = (self.path / "metrics.jsonl").open("w", encoding="utf-8", buffering=1)
        self._began = monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Write one line."""
        self.losses.append(loss)
        self._line({"epoch": epoch, "step": step, "loss": _number(loss)})

    def epoch(
        self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]
    ) -> None:
        """Write one line and the weights, as the best ones too if they are."""
        now = monotonic()
        known = {name: _number(metrics.get(name)) for name in self._metrics}
        done = Epoch(epoch, known, now - self._began)
        self._line({"epoch": epoch, **known, "seconds": round(done.seconds, 3)})
        arrays = weights()
        self._weights("weights.safetensors", arrays, epoch)
        if (
            done.worth() > max((each.worth() for each in self.epochs), default=float("-inf"))
            or not self.epochs
        ):
            self._weights("best.safetensors", arrays, epoch)
        self.epochs.append(done)
        self._began = monotonic()

    @property
    def best(self) -> Epoch | None:
        """The first epoch that none surpasses."""
        return max(self.epochs, key=Epoch.worth, default=None)

    def _line(self, values: Mapping[str, Any]) -> None:
        assert self._lines is not None, "a folder is entered before it is reported to"
        self._lines.write(json.dumps(values) + "\n")

    def _write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def _weights(self, name: str, arrays: Mapping[str, Array], epoch: int) -> None:
        """A file is there whole or not at all, whenever the process ends."""
        from netspec.weights import save

        part = self.path / f".{name}.part"
        save(part, arrays, {"epoch": str(epoch)})
        part.replace(self.path / name)


def numbered(parent: Path, stem: str) -> Path:
    """The first of `stem-1`, `stem-2`, … that is not there."""
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"


def _number(value: float | None) -> float | None:
    """JSON has neither NaN nor infinity, and neither is a result."""
    return value if value is not None and isfinite(value) else None
