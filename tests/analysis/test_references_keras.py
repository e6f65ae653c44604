"""What `netspec shapes` counts, against Keras: its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.analysis import analyze
from netspec.weights import initialise
from netspec_keras import backend
from tests.structures import STRUCTURES, structure

pytest.importorskip("keras", reason="Keras is not installed")
GRAPHS = {name: structure(name) for name in STRUCTURES}
QUICK_KERAS = ("residual", "frozen", "heads", "repeated_ops")


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in QUICK_KERAS else pytest.mark.slow) for each in GRAPHS]
)
def test_parameters_are_those_of_keras(name: str) -> None:
    graph = GRAPHS[name]
    totals = analyze(graph).totals
    model = backend().build(graph, initialise(graph), device="cpu")
    measured = sum(
        int(np.prod(each.shape))
        for each in model.weights
        if each.path.rsplit("/", 1)[-1].startswith("moving_")
    )
    states = sum(int(np.prod(each.shape)) for each in model.weights if "seed" in each.path)
    assert model.count_params() - measured - states == totals.params
    assert sum(int(np.prod(each.shape)) for each in model.trainable_weights) == totals.trainable
