"""Rotations by position: those of complex numbers, and what they leave as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.ops.attention import Attention
from netspec.ops.rotary import Rotary
from tests.building import Sketch
from tests.oracle import forward

Floats = NDArray[np.float64]
RNG = np.random.default_rng(5)
HEADS, SIZE, LENGTH = 3, 8, 6
X = RNG.standard_normal((2, HEADS * SIZE, LENGTH))


def turned(x: Floats, **fields: Any) -> Floats:
    sketch = Sketch("turned", x=x.shape[1:])
    sketch.add("layer", Rotary.model_validate({"heads": HEADS, **fields}), "x")
    return np.asarray(forward(sketch.graph(), {}, {"x": x}, training=False)["layer"])


@pytest.mark.parametrize("pairs", ["halves", "neighbours"])
def test_pairs_are_complex_numbers_on_a_circle(pairs: str) -> None:
    """Equation 13 of Su et al. 2021: the pair of each place is multiplied by exp(i p θ)."""
    heads = X.reshape(2, HEADS, SIZE, LENGTH)
    first, second = (
        (heads[:, :, :4], heads[:, :, 4:]) if pairs == "halves" else (heads[:, :, ::2], heads[:, :, 1::2])
    )
    theta = 100.0 ** (-np.arange(4) / 4)
    product = (first + 1j * second) * np.exp(1j * theta[:, None] * (np.arange(LENGTH) + 2))
    both = np.stack([product.real, product.imag], axis=2 if pairs == "halves" else 3)
    wanted = both.reshape(X.shape)
    assert np.abs(turned(X, pairs=pairs, base=100.0, start=2) - wanted).max() < 1e-14


def test_the_channels_beyond_the_fraction_stay() -> None:
    heads = X.reshape(2, HEADS, SIZE, LENGTH)
    found = turned(X, fraction=0.5).reshape(heads.shape)
    part = turned(heads[:, :, :4].reshape(2, HEADS * 4, LENGTH)).reshape(2, HEADS, 4, LENGTH)
    assert np.array_equal(found[:, :, 4:], heads[:, :, 4:])
    assert np.array_equal(found[:, :, :4], part)


def test_attention_depends_on_how_far_positions_are_apart() -> None:
    """Later positions of queries and keys leave it as it is; without the rotation, it is another one."""
    values: dict[int | None, Floats] = {}
    for start in (0, 7, None):
        rotary = None if start is None else {"start": start}
        sketch = Sketch("attention", x=X.shape[1:])
        op = Attention.model_validate({"heads": HEADS, "kv_heads": 1, "rotary": rotary})
        sketch.add("layer", op, "x")
        graph = sketch.graph()
        draw = np.random.default_rng(3)
        weights = {each.name: draw.standard_normal(each.shape) for each in graph.weights}
        values[start] = np.asarray(forward(graph, weights, {"x": X}, training=False)["layer"], "float64")
    assert np.abs(values[0] - values[7]).max() < 1e-11
    assert np.abs(values[0] - values[None]).max() > 0.1
