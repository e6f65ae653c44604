"""Functions of single values where they have none, or an infinite one: the same in every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netspec.backend import Runs, backends
from netspec.ops import OPS
from tests.building import Sketch

inf, nan = np.inf, np.nan
X = [0.0, -4.0, 4.0, inf, -inf, nan]
EDGES: tuple[tuple[str, dict[str, Any], list[float]], ...] = (
    ("exp", {}, [1, np.exp(-4), np.exp(4), inf, 0, nan]),
    ("log", {}, [-inf, nan, np.log(4), inf, nan, nan]),
    ("sqrt", {}, [0, nan, 2, inf, nan, nan]),
    ("square", {}, [0, 16, 16, inf, inf, nan]),
    ("abs", {}, [0, 4, 4, inf, inf, nan]),
    ("power", {"exponent": 2.5}, [0, nan, 32, inf, inf, nan]),
    ("power", {"exponent": 3}, [0, -64, 64, inf, -inf, nan]),
    ("power", {"exponent": -1}, [inf, -0.25, 0.25, 0, 0, nan]),
    ("clip", {"min": -1, "max": 3}, [0, -1, 3, 3, -1, nan]),
    ("clip", {"max": 0.1}, [0, -4, 0.1, 0.1, -inf, nan]),
    ("step", {}, [0, 0, 1, 1, 0]),
    ("step", {"threshold": 4.0}, [0, 0, 0, 1, 0]),
    ("softplus", {"beta": 2.0}, [np.log(2) / 2, np.log1p(np.exp(-8)) / 2, 4 + np.log1p(np.exp(-8)) / 2, inf, 0]),
)  # fmt: skip
RUNNING = [each for each in backends() if isinstance(each, Runs) and each.status().state == "ok"]


@pytest.mark.parametrize("backend", RUNNING, ids=lambda each: each.name)
def test_a_function_at_its_edges(backend: Runs) -> None:
    sketch = Sketch("edges", x=(1, len(X)))
    names = {
        number: sketch.add(f"layer{number}", OPS[keyword].model_validate(fields), "x")
        for number, (keyword, fields, _) in enumerate(EDGES)
    }
    graph = sketch.graph(**{name: name for name in names.values()})
    x = np.array(X).reshape(1, 1, -1).astype("float32")
    found = backend.trial(graph, {}, "float32").forward({"x": x})
    for number, (keyword, fields, wanted) in enumerate(EDGES):
        row = np.asarray(found[names[number]], "float64").ravel()[: len(wanted)]
        np.testing.assert_allclose(row, np.array(wanted), rtol=1e-6, err_msg=f"{keyword} {fields}")


@pytest.mark.parametrize("backend", RUNNING, ids=lambda each: each.name)
def test_a_division_by_zero(backend: Runs) -> None:
    sketch = Sketch("zero", a=(1, 5), b=(1, 5))
    sketch.add("layer", OPS["divide"](), "a", "b")
    a, b = np.array([1, -1, 0, 1, inf]), np.array([0, 0, 0, inf, inf])
    inputs = {"a": a.reshape(1, 1, -1), "b": b.reshape(1, 1, -1)}
    found = backend.trial(sketch.graph(), {}, "float64").forward(inputs)["layer"]
    np.testing.assert_array_equal(np.asarray(found).ravel(), [inf, -inf, nan, 0, nan])
