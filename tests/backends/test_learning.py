"""Both backends learn the same: the losses of 50 steps in float64, for everything that a recipe says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netspec_keras
import netspec_torch
from netspec.recipe.losses import LOSSES
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES
from netspec_keras import engine
from tests.training.learning import QUICK, STEPS, TRAININGS, Training
from tests.training.losses import FLAT
from tests.training.optimizers import EVERY

pytest.importorskip("torch")
pytest.importorskip("keras")
# Keras keeps float64 only on TensorFlow.
WIDE = engine.chosen() == "tensorflow"
FAR = 1e-9 if WIDE else 1e-3


def learnt(backend: Any, training: Training) -> tuple[Any, Any]:
    """The losses of all steps, and the weights after them."""
    task = training.task("float64" if WIDE else "float32")
    trainer, losses = backend.trainer(task), []
    trainer.run(training.batches(), training.rates(), lambda rows: losses.extend(rows[:, 0].tolist()), {})
    return np.array(losses), trainer.weights()


ROWS = [
    pytest.param(each, id=each.name, marks=() if each in QUICK else pytest.mark.slow) for each in TRAININGS
]


@pytest.mark.parametrize("training", ROWS)
def test_losses_of_both_backends_are_equal(training: Training) -> None:
    (ours, weights), (theirs, others) = (
        learnt(each.backend(), training) for each in (netspec_torch, netspec_keras)
    )
    assert len(ours) == len(theirs) == STEPS
    assert np.isfinite(ours).all()
    assert len(set(ours.tolist())) > STEPS // 2, "it learns"
    np.testing.assert_allclose(theirs, ours, rtol=FAR)
    for name, weight in weights.items():
        np.testing.assert_allclose(others[name], weight, rtol=FAR, atol=FAR)


def test_everything_that_a_recipe_can_say_has_a_row() -> None:
    rows = TRAININGS
    assert {each.row.loss.kind for each in rows} == set(LOSSES)
    assert {each.optimizer.kind for each in rows} == set(OPTIMIZERS)
    assert {each.schedule.kind for each in rows} == set(SCHEDULES)
    assert [each.row for each in rows] == [row for _, row in FLAT]
    assert {repr(each.optimizer) for each in rows} == set(map(repr, EVERY))
    assert {each.clip.kind for each in rows if each.clip} == {"norm", "each", "value"}
    assert {each.accumulate for each in rows} == {1, 3}
    for setting in ("grouped", "average"):
        assert len({getattr(each, setting) for each in rows}) == 2


@pytest.mark.slow
def test_a_loss_is_calculated_before_the_update_however_tensorflow_orders_a_graph() -> None:
    """The slopes of this loss do not depend on the last layer; TensorFlow orders the graph by chance."""
    training = next(each for each in TRAININGS if each.row.loss.kind == "distances")
    wanted, _ = learnt(netspec_torch.backend(), training)
    for _ in range(20):
        found, _ = learnt(netspec_keras.backend(), training)
        np.testing.assert_allclose(found, wanted, rtol=FAR)
