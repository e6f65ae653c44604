"""Writes the run folder during a training: the network, the recipe, the progress and the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import yaml

from netspec import files
from netspec.graph import Graph
from netspec.marks import metadata
from netspec.recipe import Recipe, plain
from netspec.stops import is_stop, undisturbed
from netspec.training.claim import FACTS, CannotKeep, Claim, FolderTaken

if TYPE_CHECKING:
    from netspec.backend import Array

METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
_SMALLER_IS_BETTER = ("test_loss", "train_loss")

__all__ = ["METRICS", "CannotKeep", "Epoch", "Folder", "FolderTaken", "described"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """The results of one epoch. An unknown metric is None; accuracies are fractions."""

    number: int
    metrics: Mapping[str, float | None]
    seconds: float

    def worth(self) -> float:
        """The larger the better: the test accuracy or, without one, a negated loss."""
        accuracy = self.metrics.get("test_accuracy")
        if accuracy is not None:
            return accuracy
        losses = (self.metrics.get(name) for name in _SMALLER_IS_BETTER)
        return -next((loss for loss in losses if loss is not None), float("inf"))


class Folder:
    """A `Report` that writes a training to disk: every step immediately, the weights after every epoch."""

    def __init__(self, claim: Claim, description: Mapping[str, Any], metrics: tuple[str, ...]) -> None:
        self.path = claim.path
        self.epochs: list[Epoch] = []
        self.losses: list[float] = []
        self._claim = claim
        self._description = description
        self._metrics = metrics
        self._began = monotonic()

    @classmethod
    def make(
        cls, claim: Claim, texts: Mapping[str, str], facts: Mapping[str, Any], metrics: tuple[str, ...]
    ) -> Self:
        """Write to the reserved run folder. `texts` are its first files, `facts` the content of `run.json`.

        Raises:
            CannotKeep: the folder cannot be written; then all files of this run are removed.
        """
        folder = cls(claim, facts, metrics)
        try:
            folder._say("running")
            for name, text in texts.items():
                folder._write(name, text)
        except BaseException:
            claim.give_back()
            raise
        return folder

    def __enter__(self) -> Self:
        self._began = monotonic()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Write how the run ended; a training that ends before its first step leaves no folder."""
        with undisturbed(drop=error is not None):
            if error is not None and not self.losses:
                self._claim.give_back()
                return
            state = "finished" if error is None else "stopped" if is_stop(error) else "failed"
            try:
                self._say(state, _reason(error))
            except CannotKeep as lost:
                if error is None:
                    raise
                error.add_note(str(lost))
            finally:
                self._claim.close()
        if error is not None:
            error.add_note(f"the run is kept in {self.path}: {self.progress()}")

    def progress(self) -> str:
        """The progress: `2 epochs, 340 steps`."""
        counts = ((len(self.epochs), "epoch"), (len(self.losses), "step"))
        return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts)

    def _say(self, state: str, reason: str = "") -> None:
        """Write `run.json`: what is trained, and the state of the run."""
        facts: dict[str, Any] = {"state": state, **self._description}
        if state != "running":
            facts["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
            facts |= {"epochs": len(self.epochs), "steps": len(self.losses)}
        if reason:
            facts["reason"] = reason
        self._write(FACTS, json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n")

    def _write(self, name: str, content: str | bytes) -> None:
        """Write a file completely or not at all, whenever the process ends."""
        try:
            files.write(self.path / name, content)
        except OSError as error:
            raise CannotKeep(self.path / name, error) from error

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Write one line for the step."""
        with undisturbed():
            self.losses.append(loss)
            self._line({"epoch": epoch, "step": step, "loss": _number(loss)})

    def epoch(
        self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]
    ) -> None:
        """Write the weights, also as the best ones if they are, and then the line for the epoch."""
        now = monotonic()
        known = {name: _number(metrics.get(name)) for name in self._metrics}
        done = Epoch(epoch, known, now - self._began)
        arrays = weights()
        best = self.best
        with undisturbed():
            self._weights("weights.safetensors", arrays, epoch)
            if best is None or done.worth() > best.worth():
                self._weights("best.safetensors", arrays, epoch)
            self._line({"epoch": epoch, **known, "seconds": round(done.seconds, 3)})
            self.epochs.append(done)
        self._began = monotonic()

    @property
    def best(self) -> Epoch | None:
        """The best epoch; the first of equals."""
        return max(self.epochs, key=Epoch.worth, default=None)

    def picture(self, svg: str) -> Path:
        """Write the plot of the curves; return its path."""
        self._write("curves.svg", svg)
        return self.path / "curves.svg"

    def _line(self, values: Mapping[str, Any]) -> None:
        self._claim.append(json.dumps(values) + "\n")

    def _weights(self, name: str, arrays: Mapping[str, Array], epoch: int) -> None:
        from netspec.tensors import as_bytes

        self._write(name, as_bytes(arrays, {**metadata("train"), "epoch": str(epoch)}))


def described(graph: Graph, text: str | None, recipe: Recipe) -> dict[str, str]:
    """The files that describe a training: the spec as written, its printed graph, the resolved recipe."""
    recipe_text = yaml.safe_dump({"train": plain(recipe)}, sort_keys=False, allow_unicode=True)
    spec = {} if text is None else {"spec.yaml": text}
    return {**spec, "graph.txt": str(graph), "recipe.yaml": recipe_text}


def _reason(error: BaseException | None) -> str:
    """Why the run failed, in one line; empty if it finished or was stopped."""
    if error is None or is_stop(error):
        return ""
    return str(error).partition("\n")[0] or type(error).__name__


def _number(value: float | None) -> float | None:
    """The number, or None for NaN and infinity, which JSON does not have."""
    return value if value is not None and isfinite(value) else None
