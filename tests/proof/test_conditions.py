"""What a comparison starts from, and how long its steps are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.graph import Graph
from netspec.language.reading.locations import zoo
from netspec.loading import load
from netspec.ops.activation import Relu
from netspec.ops.conv import Conv
from netspec.ops.norm import BatchNorm, L2Norm
from netspec.ops.scale import Scale
from netspec.proof.conditions import start, suited
from netspec.weights import initialise
from tests.building import Sketch
from tests.oracle import Oracle

Array = NDArray[Any]


def network() -> Graph:
    sketch = Sketch("small", image=(2, 6, 6))
    sketch.add("conv1", Conv.model_validate({"filters": 3, "kernel": 3}))
    sketch.add("norm1", BatchNorm())
    sketch.add("norm2", BatchNorm(scale=False))
    sketch.add("l2_norm1", L2Norm())
    sketch.add("scale1", Scale())
    return sketch.graph()


def test_what_starts_as_zeros_and_ones_is_drawn() -> None:
    drawn = start(network(), 0, "float64")
    within = {
        name: (low, high)
        for names, low, high in (
            (("conv1.bias", "norm1.bias", "scale1.bias"), 0.25, 0.5),
            (("norm1.weight", "scale1.weight"), 0.125, 0.375),
            (("norm2.bias",), 1, 2),
        )
        for name in names
    }
    for name, (low, high) in within.items():
        assert low <= drawn[name].min() < drawn[name].max() < high, name
    usual = initialise(network(), 0, "float64")
    assert list(drawn) == list(usual)
    for name in usual.keys() - within.keys():
        np.testing.assert_array_equal(drawn[name], usual[name])


def test_it_hangs_on_the_seed_and_is_rounded_to_the_dtype() -> None:
    first, again, other = (start(network(), seed, "float32")["norm1.bias"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == "float32"
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", ["lenet5_1998", "mobilenet_v2", "resnet18", "siamese"])
def test_no_weight_that_a_backend_could_forget_is_left_at_nothing(name: str) -> None:
    graph = load(zoo()[name])
    drawn = start(graph, 0, "float32")
    assert list(drawn) == [weight.name for weight in graph.weights]
    for weight in graph.weights:
        if weight.trainable:
            assert not np.isin(drawn[weight.name], (0, 1)).all(), weight.name


# How rounding grows. The network of docs/proof.md, on the oracle, from inputs that are nearly the same.


DEPTH = 40


def growth(weights: dict[str, Array], graph: Graph) -> float:
    """How much farther apart the last layer is than the first, from inputs that differ by 1e-9 of themselves.

    Some grow and some shrink: a normalisation would take back what they all do.
    """
    trial = Oracle().trial(graph, weights, "float64", None)
    image = np.random.default_rng(0).standard_normal((8, 16, 8, 8))
    nearly = image * (1 + 1e-9 * np.sign(image**2 - 1))
    sides: list[dict[str, Array]] = [dict(trial.forward({"image": each})) for each in (image, nearly)]
    apart = [float((sides[0][name] - sides[1][name]).std()) for name in ("norm1", f"norm{DEPTH}")]
    return apart[1] / apart[0]


def test_rounding_does_not_grow_with_the_depth() -> None:
    sketch = Sketch("deep", image=(16, 8, 8))
    for layer in range(1, DEPTH + 1):
        sketch.add(
            f"conv{layer}",
            Conv.model_validate({"filters": 16, "kernel": 3, "padding": "same", "init": "he_normal"}),
        )
        sketch.add(f"norm{layer}", BatchNorm())
        sketch.add(f"relu{layer}", Relu())
    graph = sketch.graph()
    usual, ours = (
        growth(weights, graph) for weights in (initialise(graph, 0, "float64"), start(graph, 0, "float64"))
    )
    assert usual > 100
    assert ours < 10


# The rates.


@pytest.mark.parametrize(("slope", "sgd", "adam"), [(1.0, -7, -10), (64.0, -12, -10), (2.0**20, -40, -20)])
def test_steep_gradients_are_walked_in_short_steps(slope: float, sgd: int, adam: int) -> None:
    """The loss is 2, and two weights have the slope: SGD's rate is 2 / (2 · slope²), Adam's 2 / (2 · slope)."""
    gradients = {"a": np.array([slope, 0.0]), "b": np.array([-slope])}
    assert [each.learning_rate for each in suited(2.0, gradients)] == [2.0**sgd, 2.0**adam]
