"""Generated Keras in its framework: saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs.proofs import ROWS, Row
from netspec.graph import Graph
from netspec.weights import initialise

keras = pytest.importorskip("keras")

QUICK = ("lenet5_1998", "super_resolution")
"""In the default suite: a table, a learnt scale and distances; values moved from channels to positions."""


def marked(row: Row) -> Any:
    return pytest.param(row, id=row.spec, marks=() if row.spec in QUICK else pytest.mark.slow)


def text_of(graph: Graph) -> str:
    from netspec_keras import backend

    return backend().source(graph).text


def model_of(text: str, graph: Graph) -> Any:
    """The model that a text makes, with the weights that the graph starts from."""
    from netspec_keras.runtime import execute, write

    model = execute(text, graph, "float32", "cpu")
    write(model, graph, initialise(graph))
    return model


def outputs(model: Any, graph: Graph) -> dict[str, Any]:
    """What a model gives for inputs of the sizes of a graph."""
    from netspec_keras.runtime import inward

    draw = np.random.default_rng(0)
    shapes = [(each.name, each.type) for each in graph.inputs]
    given = {
        name: inward(draw.standard_normal((2, *type_.shape)).astype("float32"), type_)
        for name, type_ in shapes
    }
    found = model.predict_on_batch(given if len(given) > 1 else next(iter(given.values())))
    named = found if isinstance(found, dict) else {"output": found}
    return {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in named.items()}


def equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


# TensorFlow's variables turn into arrays in a way of which NumPy warns.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("row", [marked(row) for row in ROWS])
def test_a_saved_model_loads_without_custom_objects(row: Row, tmp_path: Path) -> None:
    graph = row.graph(full=False)
    model = model_of(text_of(graph), graph)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    equal(outputs(loaded, graph), outputs(model, graph))
