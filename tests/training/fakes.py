"""A backend that trains without learning, and networks built by hand: what a run is tested with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netspec.backend import Limit, Status, Unobeyed
from netspec.data.parts import Parts
from netspec.data.samples import Dataset, checked
from netspec.fit import Batch, Done, Step, Tallies, Task
from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.ops.dense import Dense
from netspec.ops.reshape import Flatten
from netspec.training import run
from netspec.training.classic import parts_of
from tests.building import Sketch


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every training has a validation part: the test part."""

    def with_validation(data: Dataset) -> Parts:
        parts = parts_of(data)
        return replace(parts, validation=parts.test)

    monkeypatch.setattr(run, "parts_of", with_validation)
    monkeypatch.setattr(FakeBackend, "validated", True)


class FakeBackend:
    """Follows a script: the losses of its steps, the figures of its epochs. Weights grow by one an epoch."""

    name = "fake"
    frameworks: Sequence[str] = ()
    lowerings: Mapping[type[Op], object] = {}
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()
    unobeyed: Sequence[Unobeyed] = ()
    validated = False

    def __init__(
        self,
        losses: Sequence[float],
        figures: Sequence[Mapping[str, float]],
        tested: Mapping[str, float] | None = None,
    ) -> None:
        self.losses, self.figures = losses, figures
        self.tested = {"test_loss": 1.5, "test_accuracy": 0.5} if tested is None else tested
        self.tasks: list[Task] = []
        self.rates: list[float] = []
        self.labels: list[list[int]] = []

    def status(self) -> Status:
        return Status("ok", "fake 1.0")

    def trainer(self, task: Task) -> FakeTrainer:
        self.tasks.append(task)
        return FakeTrainer(task, self)


class FakeTrainer:
    """Takes every batch that there is. Its state is the number of epochs and steps that it has done."""

    def __init__(self, task: Task, script: FakeBackend) -> None:
        self.task, self.script = task, script
        self.losses = iter(script.losses)
        self.epochs = self.steps = 0
        self.tested = self.ran = False

    def hold(self, part: str, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> bool:
        return False

    def run(self, steps: Iterator[Step], rates: Iterator[float], done: Done, before: Tallies) -> Tallies:
        assert not self.tested, "it trains on after the test"
        self.ran = True
        for step, rate in zip(steps, rates, strict=False):
            self.steps += 1
            self.script.rates.append(rate)
            self.script.labels.extend(next(iter(batch.targets.values())).tolist() for batch in step)
            done(np.array([[next(self.losses)] * 2]))
        return self._told("train", self.script.figures[min(self.epochs, len(self.script.figures) - 1)])

    def warm_up(self) -> int:
        return 1

    def evaluate(self, batches: Iterator[Batch]) -> Tallies:
        list(batches)
        if self.script.validated and self.ran:
            self.ran = False
            figures = self.script.figures[min(self.epochs, len(self.script.figures) - 1)]
            self.epochs += 1
            return self._told("validation", figures)
        self.tested = True
        return self._told("test", self.script.tested)

    def _told(self, part: str, figures: Mapping[str, float]) -> Tallies:
        loss, right = (figures.get(f"{part}_{name}", float("nan")) for name in ("loss", "accuracy"))
        return {
            "loss": np.array([[loss, 1.0]]),
            **{each.key: np.array([right, 1.0]) for each in self.task.metrics},
        }

    def predict(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError

    def state(self) -> Mapping[str, Any]:
        return {"epochs": np.array(self.epochs), "steps": np.array(self.steps)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.epochs, self.steps = int(state["epochs"]), int(state["steps"])
        self.losses = itertools.islice(self.losses, self.steps, None)

    def weights(self) -> Mapping[str, Any]:
        return {
            name: np.asarray(array + self.epochs, np.float32) for name, array in self.task.weights.items()
        }

    def load(self, weights: Mapping[str, Any]) -> None:
        self.tested = True

    def freeze(self, names: frozenset[str]) -> None:
        pass

    def agree(self, number: int) -> int:
        return number

    def remarks(self) -> Sequence[str]:
        return ()

    def diagnose(self, step: Step) -> str:
        return "the output of `dense1`"


def network(shape: tuple[int, ...] = (1, 2, 2), classes: int = 3) -> Graph:
    sketch = Sketch("tiny", image=shape)
    sketch.add("flatten1", Flatten())
    sketch.add("dense1", Dense(units=classes))
    return sketch.graph()


def dataset(train: int = 5, test: int = 2) -> Dataset:
    """Images of 2×2, three classes."""
    images = np.arange(4 * train, dtype=np.uint8).reshape(train, 2, 2)
    labels = np.arange(train) % 3
    return checked("own", images, labels, images[:test], labels[:test], where="here")
