"""Many steps in one compiled call of Keras, and several devices, are those of single steps on one device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netspec.backend import NoDevice, Trains, Unsupported, usable
from netspec.fit import Batch, Term
from netspec.proof.conditions import start
from netspec.recipe.metrics import AreaUnderCurve, Confusion, Measured, RootMeanSquare
from tests.having import TRAINERS
from tests.training.learning import TRAININGS, Training, graph

pytestmark = pytest.mark.skipif("keras" not in TRAINERS, reason="it needs Keras")
CLASSES = next(each for each in TRAININGS if each.row.loss.kind == "cross_entropy")
NUMBERS = next(each for each in TRAININGS if each.row.loss.kind == "mse")
BITS = next(
    each for each in TRAININGS if each.row.loss.kind == "binary_cross_entropy" and each.row.shape == (1,)
)
FEW = [CLASSES, NUMBERS, BITS]


def learner() -> Trains:
    return usable(["keras"], Trains)[0]


def metrics(training: Training) -> tuple[Measured, ...]:
    output = training.task("float64").graph.outputs[0].name
    if training is CLASSES:
        return (Measured("confusion", output, "t", Confusion()),)
    if training is BITS:
        return (Measured("auc", output, "t", AreaUnderCurve(), reading="bits"),)
    return (Measured("rmse", output, "t", RootMeanSquare(), reading="numbers"),)


def learnt(training: Training, **settings: Any) -> dict[str, Any]:
    task = replace(training.task("float64"), metrics=metrics(training), **settings)
    trainer = learner().trainer(task)
    losses: list[float] = []
    steps = _with_a_small_one(training.batches())
    tallies = trainer.run(steps, training.rates(), lambda rows: losses.extend(rows[:, 0]), {})
    measured = trainer.evaluate(batch for step in training.batches() for batch in step[:1])
    return {
        **{f"weights/{name}": each for name, each in trainer.weights().items()},
        **{f"trained/{name}": each for name, each in tallies.items()},
        **{f"measured/{name}": each for name, each in measured.items()},
        "losses": np.array(losses),
    }


def _with_a_small_one(steps: Iterator[list[Batch]]) -> Iterator[list[Batch]]:
    """One step has fewer samples, as at the end of an epoch."""
    for number, step in enumerate(steps):
        yield [_first(batch, 5) for batch in step] if number == 20 else step


def _first(batch: Batch, count: int) -> Batch:
    inputs = {name: array[:count] for name, array in batch.inputs.items()}
    return Batch(inputs, {name: array[:count] for name, array in batch.targets.items()}, count)


def worst(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(float(np.max(np.abs(one[key] - other[key]) / np.maximum(1, np.abs(one[key])))) for key in one)


@pytest.mark.parametrize(
    "training", [CLASSES, NUMBERS, pytest.param(BITS, marks=pytest.mark.slow)], ids=lambda each: each.name
)
def test_many_steps_in_one_call_are_single_steps(training: Training) -> None:
    if pytest.importorskip("keras").backend.backend() == "torch":
        with pytest.raises(Unsupported, match="`steps_per_call: 7` is not obeyed"):
            learnt(training, steps_per_call=7)
        return
    plain, many = learnt(training), learnt(training, steps_per_call=7)
    assert len(plain["losses"]) == 50
    assert worst(plain, many) <= 1e-12


@pytest.mark.parametrize("training", FEW, ids=lambda each: each.name)
def test_two_devices_are_one(training: Training) -> None:
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax":
        # In test_keras_devices.py TensorFlow has two devices; here it has one.
        refused = {"tensorflow": (NoDevice, "cpu:1"), "torch": (Unsupported, "several devices on Keras: ")}
        kind, reason = refused[keras.backend.backend()]
        with pytest.raises(kind, match=reason):
            learner().trainer(replace(training.task("float64"), devices=2))
        return
    if len(keras.distribution.list_devices("cpu")) < 2:
        pytest.skip("JAX has one device; XLA_FLAGS=--xla_force_host_platform_device_count=2")
    plain = learnt(training)
    batch = learner().trainer(replace(training.task("float64"), devices=2)).spread.batch(np.zeros((6, 4)), 0)  # type: ignore[attr-defined]
    assert [each.data.shape for each in batch.addressable_shards] == [(3, 4), (3, 4)]
    assert worst(plain, learnt(training, devices=2)) <= 1e-10
    assert worst(plain, learnt(training, devices=2, steps_per_call=7)) <= 1e-10


def test_two_devices_normalise_a_batch_as_one() -> None:
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax" or len(keras.distribution.list_devices("cpu")) < 2:
        pytest.skip("it needs JAX with two devices; XLA_FLAGS=--xla_force_host_platform_device_count=2")
    text = "input: [6]\nlayers: [{dense: 5}, batch_norm, relu, {dense: 4}]"
    weights = []
    for count in (1, 2):
        network = graph(text)
        task = replace(
            CLASSES.task("float64"), graph=network, weights=start(network, 1, "float64"), devices=count,
            terms=(Term(network.outputs[0].name, "t", CLASSES.row.loss),),
        )  # fmt: skip
        trainer = learner().trainer(task)
        trainer.run(CLASSES.batches(), CLASSES.rates(), lambda rows: None, {})
        weights.append(dict(trainer.weights()))
    assert worst(*weights) <= 1e-10
