"""What layers draw in training, on every framework: whole samples, the distribution, a new draw in each pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import Builds, capable
from netspec.graph import Graph
from netspec.ops import OPS
from tests.building import Sketch

Values = NDArray[np.float64]
Model = Callable[[Values, bool], Values]
"""A model that takes and gives arrays with the channels first, in training or not."""


def _torch(graph: Graph) -> Model:
    torch = pytest.importorskip("torch")
    model = capable("torch", Builds).build(graph, {})
    torch.manual_seed(0)

    def call(x: Values, training: bool) -> Values:
        with torch.no_grad():
            made = model.train(training)(torch.as_tensor(x, dtype=torch.float32))
        return np.asarray(made.numpy(), "float64")

    return call


def _keras(graph: Graph) -> Model:
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    model = capable("keras", Builds).build(graph, {})

    def call(x: Values, training: bool) -> Values:
        made: Any = model(np.moveaxis(x, 1, -1).astype("float32"), training=training)
        made = made.numpy(force=True) if keras.backend.backend() == "torch" else made
        return np.moveaxis(np.asarray(made, "float64"), -1, 1)

    return call


FRAMEWORKS = {"torch": _torch, "keras": _keras}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("sizes", [(), (5,), (4, 3), (2, 3, 2)], ids=lambda sizes: f"{len(sizes)}d")
def test_drop_path_drops_whole_samples_and_keeps_the_expectation(
    framework: str, sizes: tuple[int, ...]
) -> None:
    sketch = Sketch("dropped", x=(6, *sizes))
    sketch.add("layer", OPS["drop_path"].model_validate({"rate": 0.2}))
    model = FRAMEWORKS[framework](sketch.graph())
    x = np.random.default_rng(0).uniform(0.5, 1.5, (4000, 6, *sizes)).astype("float32").astype("float64")
    np.testing.assert_array_equal(model(x, False), x)
    first = model(x, True)
    factors = (first / x).reshape(len(x), -1)
    # Every value of a sample has one factor: 0, or 1 / (1 − 0.2).
    kept = factors[:, 0] > 0
    np.testing.assert_allclose(
        factors, np.where(kept, 1.25, 0.0)[:, None].repeat(factors.shape[1], 1), rtol=1e-6
    )
    assert abs(kept.mean() - 0.8) < 0.025, "the deviation of the mean is 0.0063"
    assert (model(x, True) != first).any(), "each pass draws anew"


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_a_sample_has_the_mean_and_the_variance_of_its_inputs(framework: str, training: bool) -> None:
    sketch = Sketch("drawn", x=(4, 3))
    # One tensor is the mean and the log-variance.
    sketch.add("layer", OPS["sample"].model_validate({}), "x", "x")
    model = FRAMEWORKS[framework](sketch.graph())
    x = np.random.default_rng(0).uniform(-2, 2, (1, 4, 3))
    drawn = model(x.repeat(40_000, axis=0), training)
    apart = (drawn - x) / np.exp(x / 2)
    # The deviations of these figures are 0.005, 0.0035, 0.012 and 0.024; normal numbers have 0, 1, 0 and 3.
    for power, wanted, most in ((1, 0, 0.025), (2, 1, 0.04), (3, 0, 0.1), (4, 3, 0.25)):
        assert np.abs((apart**power).mean(axis=0) - wanted).max() < most, power
    # Values, samples and passes are drawn by themselves.
    flat = apart.reshape(len(apart), -1)
    assert np.abs(np.corrcoef(flat.T) - np.eye(12)).max() < 0.03
    assert abs(np.corrcoef(apart[:-1].ravel(), apart[1:].ravel())[0, 1]) < 0.02
    assert (model(x.repeat(40_000, axis=0), training) != drawn).all(axis=(1, 2)).mean() > 0.99
