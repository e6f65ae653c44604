"""A loss that is no number: the step and the first layer that is not finite are told, on every backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from netspec.backend import Trains, Unsupported, unobeyed, usable
from netspec.data.samples import checked
from netspec.diagnostics import Problems, SpecError
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.recipe import Recipe
from netspec.recipe.optimizers import Sgd
from netspec.training.run import Diverged, train
from tests.having import TRAINERS, needs

SPEC = """\
netspec: 1
name: net
input: [4]
layers:
  - dense: 5
  - relu
  - {dense: 4, name: second}
  - relu
  - dense: 3
  - softmax
"""
DATA = checked(
    "own",
    np.random.default_rng(0).standard_normal((40, 4)).astype("float32"),
    np.arange(40) % 3,
    np.ones((3, 4), "float32"),
    np.arange(3),
    where="here",
)


def graph() -> Graph:
    built = graph_of_text(SPEC, "net.yaml", Problems())
    assert built is not None
    return built


@pytest.mark.parametrize("name", TRAINERS)
def test_the_first_layer_that_is_not_finite_is_told(name: str, tmp_path: Path) -> None:
    needs(name)
    recipe = Recipe(data="own", batch=10, epochs=3, optimizer=Sgd(learning_rate=1e30))
    with pytest.raises(Diverged) as caught:
        train(graph(), usable([name], Trains)[0], recipe, DATA, out=tmp_path / "run", device="cpu")
    notes = caught.value.__notes__
    assert notes[0].startswith("in step ")
    assert "the first that is not finite is the " in notes[0]
    assert "`second" in notes[0] or "`dense" in notes[0] or "`relu" in notes[0]
    assert notes[-1].startswith(f"the run is kept in {tmp_path / 'run'}")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["state"] == "failed"
    assert facts["reason"].startswith("the loss is ")


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize("precision", ["float64", "tf32", "bf16", "fp16"])
def test_every_precision_trains_or_is_refused(name: str, precision: str, tmp_path: Path) -> None:
    needs(name)
    recipe = Recipe.model_validate({"data": "own", "batch": 20, "epochs": 1, "precision": precision})
    backend = usable([name], Trains)[0]
    if unobeyed(backend, recipe, "cpu"):
        with pytest.raises(SpecError, match=f"`precision: {precision}` is not obeyed by {name}: "):
            train(graph(), backend, recipe, DATA, out=tmp_path / "run", device="cpu")
        with pytest.raises(
            (SpecError, Unsupported), match=f"`precision: {precision}` is not obeyed by {name}: "
        ):
            train(graph(), backend, recipe, DATA, out=tmp_path / "run")
        assert not (tmp_path / "run").exists()
        return
    done = train(graph(), backend, recipe, DATA, out=tmp_path / "run", device="cpu")
    assert len(done.losses) == 2
    assert np.isfinite(done.losses).all()
