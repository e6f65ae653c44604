"""Products of tensors and reductions: costs by hand, letters, derivatives at 0, and which positions see what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netspec.analysis.receptive import fields
from netspec.backend import Learns, backends
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.product import Contract
from netspec.types import Type
from tests.building import Sketch
from tests.oracle import forward


def contract(axes: str) -> Contract:
    return Contract.model_validate({"axes": axes})


@pytest.mark.parametrize(
    ("axes", "shapes", "macs"),
    [
        ("c t, c k -> t k", ((4, 5), (4, 3)), 4 * 5 * 3),
        ("a, b -> a b", ((4,), (3,)), 12),
        ("c t, c s -> c", ((4, 5), (4, 3)), 4 * 5 * 3),
        ("c h w, c k, k d -> d w h", ((4, 5, 3), (4, 2), (2, 6)), 4 * 5 * 3 * 2 + 5 * 3 * 2 * 6),
    ],
)
def test_a_contraction_costs_the_sizes_of_all_its_axes(
    axes: str, shapes: tuple[tuple[int, ...], ...], macs: int
) -> None:
    types = tuple(Type(shape[0], shape[1:]) for shape in shapes)
    assert contract(axes).resolve(types).macs(types) == macs


def test_a_product_of_matrices_costs_as_many_as_it_has_rows_columns_and_terms() -> None:
    types = (Type(2, (3, 4)), Type(2, (4, 5)))
    op = OPS["matmul"]().resolve(types)
    assert op.macs(types) == 2 * 3 * 4 * 5
    assert op.outputs(types) == (Type(2, (3, 5)),)


@pytest.mark.parametrize(
    ("axes", "letters"),
    [
        ("c t, c k -> t k", "bct,bck->btk"),
        ("channels time, channels keys -> keys time", "bct,bck->bkt"),
        ("b a, b c -> c a", "nba,nbc->nca"),
        ("batch bees, batch n -> n bees", "cab,can->cnb"),
    ],
)
def test_the_letters_of_an_einsum(axes: str, letters: str) -> None:
    types = (Type(2, (3,)), Type(2, (4,)))
    assert contract(axes).names(types).letters() == letters


REACHES: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("contract", {"axes": "c t, c k -> t k"}, 2),
    ("contract", {"axes": "c t, c k -> k t"}, 2),
    ("contract", {"axes": "c t, d t -> c t"}, 2),
    ("contract", {"axes": "c t, d t -> t c"}, 2),
    ("contract", {"axes": "c t, d t -> c d"}, 2),
    ("contract", {"axes": "c t, d s -> c d t"}, 2),
    ("contract", {"axes": "c t, d s -> c"}, 2),
    ("contract", {"axes": "c t, c t -> c t"}, 2),
    ("where", {}, 3),
    ("reduce", {"by": "sum"}, 1),
    ("reduce", {"by": "mean", "axes": "channels"}, 1),
    ("reduce", {"by": "norm", "keep": True}, 1),
    ("tile", {"times": 3}, 1),
    ("tile", {"times": 2, "axis": "channels"}, 1),
    ("channel_shuffle", {"groups": 3}, 1),
    ("rotary", {"heads": 1, "fraction": 0.7}, 1),
)


@pytest.mark.parametrize(("keyword", "given", "count"), REACHES)
def test_a_position_sees_what_moves_it(keyword: str, given: dict[str, Any], count: int) -> None:
    """All weights and values are positive, so that nothing cancels; a mask sees, too, but moves nothing."""
    sketch = Sketch("reach", x=(1, 9))
    kernel = {"filters": 3, "kernel": 2, "bias": False}
    names = [sketch.add(f"conv{n}", Conv.model_validate(kernel), "x") for n in range(count)]
    op: Op = OPS[keyword].model_validate(given)
    sketch.add("layer", op, *names)
    graph = sketch.graph()
    weights = {each.name: np.full(each.shape, 0.5) for each in graph.weights}
    x = np.ones((10, 1, 9))
    x[1:, 0] += np.eye(9)
    y = np.asarray(forward(graph, weights, {"x": x}, training=False)["layer"])
    moved = np.abs(y[1:] - y[0]).max(1).reshape(9, -1) > 1e-9
    extents = [int(seen[-1] - seen[0] + 1) for column in moved.T for seen in [np.flatnonzero(column)]]
    found = fields(graph)["layer"]
    if found is None:
        assert keyword == "contract", "only a product can have its axes in two places"
        return
    assert found.size == (max(extents),)
    assert found.smallest == (min(extents),)


@pytest.mark.parametrize("by", ["std", "norm"])
def test_where_a_norm_or_a_deviation_is_0_so_is_its_derivative(by: str) -> None:
    sketch = Sketch("zero", x=(2, 3))
    sketch.add("before", Dense(units=2))
    sketch.add("layer", OPS["reduce"].model_validate({"by": by}))
    graph = sketch.graph()
    weights = {weight.name: np.zeros(weight.shape) for weight in graph.weights}
    for each in backends():
        if isinstance(each, Learns) and each.status().state == "ok":
            trial = each.trial(graph, weights, "float32")
            found = trial.gradients({"x": np.ones((1, 2, 3), "float32")}, {"output": np.ones((1, 2))})
            assert all((np.asarray(value) == 0).all() for value in found.values()), each.name


@pytest.mark.parametrize("by", ["max", "min"])
def test_equal_extremes_share_the_gradient(by: str) -> None:
    sketch = Sketch("ties", x=(1, 4))
    sketch.add("before", Dense(units=2))
    sketch.add("layer", OPS["reduce"].model_validate({"by": by, "axes": ["channels", "time"]}))
    graph = sketch.graph()
    weights = {weight.name: np.zeros(weight.shape) for weight in graph.weights}
    for each in backends():
        if isinstance(each, Learns) and each.status().state == "ok":
            trial = each.trial(graph, weights, "float32")
            found = trial.gradients({"x": np.ones((1, 1, 4), "float32")}, {"output": -np.ones((1, 1))})
            bias = np.asarray(found["before.bias"], "float64")
            np.testing.assert_allclose(bias, np.array([0.5, 0.5]), err_msg=each.name)
