"""A batch norm that is frozen for some epochs calculates as one with `trainable: false`, on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netspec.backend import Trains, usable
from netspec.diagnostics import Problems
from netspec.fit import Batch
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.recipe.optimizers import Sgd
from netspec.weights import starting
from tests.having import TRAINERS, needs
from tests.training.driving import classifier

SPEC = "netspec: 1\nname: net\ninput: [4]\nlayers: [{dense: 3}, {batch_norm: {}, name: norm%s}, {dense: 2}]\n"
STATISTICS = ("norm.running_mean", "norm.running_var")


def graph(more: str = "") -> Graph:
    built = graph_of_text(SPEC % more, "net.yaml", Problems())
    assert built is not None
    return built


def stepped(trainer: Any) -> tuple[float, dict[str, Any]]:
    """The loss of one step, and the weights after it."""
    draw = np.random.default_rng(3)
    batch = Batch({"input": draw.normal(size=(8, 4)).astype("float32")}, {"label": np.arange(8) % 2}, 8)
    losses: list[float] = []
    trainer.run(iter([[batch]]), iter([0.1]), lambda rows: losses.extend(rows[:, 0].tolist()), {})
    return losses[0], {name: np.asarray(array) for name, array in trainer.weights().items()}


@pytest.mark.parametrize("name", TRAINERS)
def test_a_frozen_batch_norm_keeps_its_statistics_and_uses_them(name: str) -> None:
    needs(name)
    backend = usable([name], Trains)[0]
    whole, still = graph(), graph(", trainable: false")
    weights = {
        **starting(whole, 0),
        "norm.running_mean": np.full(3, 0.5),
        "norm.running_var": np.full(3, 4.0),
    }
    task, fixed = (classifier(each, weights, Sgd(), precision="float64") for each in (whole, still))
    trainer = backend.trainer(task)
    trainer.freeze(frozenset(each for each in weights if each.startswith("norm.")))
    loss, after = stepped(trainer)
    wanted, expected = stepped(backend.trainer(fixed))
    assert loss == pytest.approx(wanted, rel=1e-12)
    for each, array in after.items():
        assert np.allclose(array, expected[each], rtol=1e-12, atol=1e-12), each
        assert np.array_equal(array, weights[each]) == each.startswith("norm."), each
    trainer.freeze(frozenset())
    _, moved = stepped(trainer)
    assert all(not np.array_equal(moved[each], after[each]) for each in STATISTICS)
    # Only a part of it is frozen: its statistics are measured as before.
    trainer.freeze(frozenset(["norm.weight"]))
    _, again = stepped(trainer)
    assert all(not np.array_equal(again[each], moved[each]) for each in STATISTICS)
    assert np.array_equal(again["norm.weight"], moved["norm.weight"])
