"""A device without memory for a step: the batch that fits is found by trying, and the run goes on with it."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import pytest

from netspec.fit import Batch, Done, Step, Tallies, Task
from netspec.ops.dense import Dense
from netspec.ops.norm import BatchNorm
from netspec.ops.reshape import Flatten
from netspec.recipe import Recipe
from netspec.training import memory
from netspec.training.run import CannotGoOn, OutOfMemory, resume, train
from tests.building import Sketch
from tests.training.fakes import FakeBackend, FakeTrainer, dataset, network, validated

__all__ = ["validated"]

FIGURES = [{"train_loss": 1.0, "train_accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.5}] * 3
RECIPE = Recipe(data="own", batch=8, epochs=3, seed=7)


class Exhausted(Exception):
    pass


class Small(FakeBackend):
    """A backend on a device with memory for batches of so many samples, after so many steps."""

    def __init__(self, fits: int, after: int = 0) -> None:
        super().__init__([1.0] * 99, FIGURES)
        self.fits, self.after = fits, after
        self.tried: list[int] = []

    def shortage(self, error: BaseException) -> str | None:
        return "The device is full.\nIt is small." if isinstance(error, Exhausted) else None

    def trainer(self, task: Task) -> FakeTrainer:
        super().trainer(task)
        return Trainer(task, self)


class Trainer(FakeTrainer):
    itself: Any = None

    def run(self, steps: Iterator[Step], rates: Iterator[float], done: Done, before: Tallies) -> Tallies:
        assert isinstance(self.script, Small)
        script = self.script

        def fitting() -> Iterator[Step]:
            for step in steps:
                script.after -= 1
                largest = max(batch.samples for batch in step)
                if script.after < 0 and largest > script.fits:
                    script.tried.append(largest)
                    raise Exhausted
                yield step

        return super().run(fitting(), rates, done, before)


@pytest.mark.usefixtures("validated")
def test_the_batch_that_fits_is_tried_and_the_run_goes_on_with_it(tmp_path: Path) -> None:
    data, folder, script = dataset(train=16), tmp_path / "run", Small(fits=3, after=5)
    with pytest.raises(OutOfMemory) as caught:
        train(network(), script, RECIPE, data, out=folder)
    assert str(caught.value) == (
        "not enough memory in epoch 3, with batches of 8 samples on fake: the device is full\n"
        "tried on the device: a batch of 2 fits, one of 4 does not"
    )
    assert script.tried == [8, 4]
    options = "--set train.batch=2 --set train.accumulate=4"
    assert caught.value.__notes__ == [
        f"the run is kept in {folder}: 2 epochs, 5 steps",
        f"to go on with the same steps, each in parts: netspec train --resume {folder} {options}",
    ]
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["state"], facts["reason"]) == ("failed", str(caught.value).splitlines()[0])
    divided = RECIPE.model_copy(update={"batch": 2, "accumulate": 4})
    again = Small(fits=3)
    assert len(resume(network(), again, divided, data, folder).epochs) == 3
    whole = Small(fits=8)
    train(network(), whole, RECIPE, data, out=tmp_path / "whole")
    assert [*chain(*again.labels)] == [*chain(*whole.labels)][-16:]
    assert "batch: 2\n" in (folder / "recipe.yaml").read_text()


def test_a_run_goes_on_only_with_steps_of_the_same_samples(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(OutOfMemory):
        train(network(), Small(fits=3, after=3), RECIPE, dataset(train=16), out=folder)
    other = RECIPE.model_copy(update={"batch": 3, "accumulate": 2})
    with pytest.raises(CannotGoOn, match=r"a step of .* has 8 samples, but 3 · 2 are 6"):
        resume(network(), Small(fits=3), other, dataset(train=16), folder)


@pytest.mark.parametrize(
    ("batch", "fits", "says", "note"),
    [
        (50, 10, "a batch of 10 fits, one of 25 does not", "train.batch=10 --set train.accumulate=5"),
        (4, 0, "a batch of 1 does not fit either", "nothing was trained yet"),
        (1, 0, "a batch has only one sample, so no part of it can be tried", "nothing was trained yet"),
    ],
)
def test_a_run_that_never_began_says_how_to_start(
    batch: int, fits: int, says: str, note: str, tmp_path: Path
) -> None:
    recipe = RECIPE.model_copy(update={"batch": batch})
    with pytest.raises(OutOfMemory, match=says) as caught:
        train(network(), Small(fits), recipe, dataset(train=100), out=tmp_path / "run")
    assert note in caught.value.__notes__[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("average", "end"), [(None, ""), (0.9, " or no `average`")])
def test_what_takes_less_memory_is_a_list(average: float | None, end: str, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"average": average})
    ways = "a smaller network, smaller samples" if end else "a smaller network or smaller samples"
    with pytest.raises(OutOfMemory, match=f"(?m); try a device with more memory, {ways}{end}$"):
        train(network(), Small(0), recipe, dataset(train=16), out=tmp_path / "run")


@pytest.mark.parametrize("frozen", [False, True])
def test_only_a_norm_that_learns_measures_the_parts(frozen: bool, tmp_path: Path) -> None:
    sketch = Sketch("tiny", image=(1, 2, 2))
    sketch.add("flatten1", Flatten())
    sketch.add("batch_norm1", BatchNorm(), trainable=not frozen)
    sketch.add("dense1", Dense(units=3))
    with pytest.raises(OutOfMemory, match="a batch of 4 fits") as caught:
        train(sketch.graph(), Small(4), RECIPE, dataset(train=16), out=tmp_path / "run")
    assert ("batch norm then measures" in str(caught.value)) != frozen


def test_the_trainer_without_memory_is_gone_before_a_batch_is_tried(tmp_path: Path) -> None:
    """It can be part of a cycle of references, as a model and its compiled functions are."""
    alive: list[int] = []

    class Cyclic(Small):
        made: ClassVar[list[weakref.ref[Trainer]]] = []

        def trainer(self, task: Task) -> FakeTrainer:
            alive.append(sum(each() is not None for each in self.made))
            trainer = Trainer(task, self)
            trainer.itself = trainer
            self.made.append(weakref.ref(trainer))
            return trainer

    was = gc.isenabled()
    gc.disable()
    try:
        with pytest.raises(OutOfMemory, match="a batch of 2 fits"):
            train(network(), Cyclic(fits=3), RECIPE, dataset(train=16), out=tmp_path / "run")
    finally:
        if was:
            gc.enable()
    assert alive == [0, 0, 0]


@pytest.mark.parametrize(("first", "samples"), [(1, 16), (4, 80), (4, 16)])
def test_steps_are_tried_until_they_are_as_all_later_ones(first: int, samples: int, tmp_path: Path) -> None:
    """Also if an epoch has fewer steps."""

    class Warming(Small):
        steps: ClassVar[list[int]] = []

        def trainer(self, task: Task) -> FakeTrainer:
            script = self

            class Counting(Trainer):
                def warm_up(self) -> int:
                    return first

                def evaluate(self, batches: Iterator[Batch]) -> Tallies:
                    script.steps.append(self.steps)
                    return super().evaluate(batches)

            return Counting(task, self)

    script = Warming(fits=4)
    with pytest.raises(OutOfMemory, match="a batch of 4 fits"):
        train(network(), script, RECIPE, dataset(train=samples), out=tmp_path / "run")
    assert set(script.steps) == {max(first, memory.STEPS)}


def test_several_devices_try_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory, match="because several devices") as caught:
        train(network(), Small(2), RECIPE, dataset(train=16), out=tmp_path / "run", devices=2)
    assert "start again with --set train.batch=4 --set train.accumulate=2" in caught.value.__notes__[-1]


def test_parts_of_a_batch_are_equal() -> None:
    assert {batch: [*memory.parts(batch)] for batch in (1, 2, 12, 50, 97)} == {
        1: [],
        2: [1],
        12: [6, 3, 1],
        50: [25, 10, 5, 2, 1],
        97: [1],
    }
