"""Generated Keras in its framework: saved, and loaded by a process that has only the generated module."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs.proofs import ROWS, Row
from netspec.graph import Graph
from netspec.weights import initialise
from tests.building import without_draws

keras = pytest.importorskip("keras")
# TensorFlow's variables turn into arrays in a way of which NumPy warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

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


def inputs_of(graph: Graph) -> dict[str, Any]:
    """Two samples of each input, as a Keras model takes them: numbers, or indices of its vocabulary."""
    from netspec_keras.runtime import inward

    draw = np.random.default_rng(0)
    return {
        each.name: inward(
            draw.standard_normal((2, *each.type.shape)).astype("float32")
            if each.vocabulary is None
            else draw.integers(0, each.vocabulary, (2, *each.type.shape)),
            each.type,
        )
        for each in graph.inputs
    }


PREDICT = """
def outputs(model, inputs):
    found = model.predict_on_batch(inputs if len(inputs) > 1 else next(iter(inputs.values())))
    named = found if isinstance(found, dict) else {"output": found}
    return {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in named.items()}
"""
LOAD = (
    """
import importlib.util, json, sys, traceback, warnings
from pathlib import Path
import keras, numpy as np
warnings.simplefilter("ignore")
"""
    + PREDICT
    + """
def load(folder):
    # Nothing of an earlier row is registered.
    keras.saving.get_custom_objects().clear()
    spec = importlib.util.spec_from_file_location("generated", folder / "generated.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    with np.load(folder / "inputs.npz") as inputs:
        np.savez(folder / "outputs.npz", **outputs(keras.models.load_model(folder / "model.keras"), dict(inputs)))

for line in sys.stdin:
    try:
        load(Path(json.loads(line)))
        why = ""
    except Exception:
        why = traceback.format_exc()
    print("@" + json.dumps(why), flush=True)
"""
)
"""Loads a model from each folder that it reads: first the generated module, as docs/proof.md says, then the model."""


def outputs(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a model predicts; a model with one output does not name it."""
    space: dict[str, Any] = {"np": np, "keras": keras}
    exec(PREDICT, space)
    found: dict[str, Any] = space["outputs"](model, inputs)
    return found


@pytest.fixture(scope="module")
def load() -> Iterator[Callable[[Path], dict[str, Any]]]:
    """Load the model of a folder in a process that has never made one; give what it predicts."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LOAD], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def loaded(folder: Path) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(str(folder)), file=process.stdin, flush=True)
            why = json.loads(next(line for line in process.stdout if line.startswith("@"))[1:])
            assert not why, why
            with np.load(folder / "outputs.npz") as found:
                return dict(found)

        yield loaded
        process.stdin.close()


def equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("row", [marked(row) for row in ROWS])
def test_a_saved_model_loads_without_custom_objects(
    row: Row, tmp_path: Path, load: Callable[[Path], dict[str, Any]]
) -> None:
    graph = without_draws(row.graph(full=False))
    text, inputs = text_of(graph), inputs_of(graph)
    model = model_of(text, graph)
    model.save(tmp_path / "model.keras")
    (tmp_path / "generated.py").write_text(text, encoding="utf-8")
    np.savez(tmp_path / "inputs.npz", **inputs)
    equal(load(tmp_path), outputs(model, inputs))


@pytest.mark.slow
def test_a_model_whose_layers_are_not_registered_does_not_load(
    tmp_path: Path, load: Callable[[Path], dict[str, Any]]
) -> None:
    """The process that loads knows no layer from anywhere else."""
    graph = next(row for row in ROWS if row.spec == QUICK[0]).graph(full=False)
    model_of(text_of(graph), graph).save(tmp_path / "model.keras")
    (tmp_path / "generated.py").write_text("", encoding="utf-8")
    np.savez(tmp_path / "inputs.npz", **inputs_of(graph))
    with pytest.raises(AssertionError, match="Could not locate class"):
        load(tmp_path)
