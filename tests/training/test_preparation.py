"""How samples are prepared: `normalise: sample` and `whiten`, held against NumPy in float64, on every backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Trains, usable
from netspec.data.parts import Parts
from netspec.data.source import Arrays, Purpose, numbered
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_text
from netspec.training.plan import plan
from netspec.training.preparation import FILE, Preparation
from netspec.training.run import train
from netspec.weights import starting
from tests.having import TRAINERS, needs

SPEC = "netspec: 1\nname: net\ninput: {shape}\nlayers: [{layer}]\ntrain: {{data: ./own.npz, {recipe}}}\n"
DRAW = np.random.default_rng(0)
BYTES = (DRAW.normal(size=(60, 2, 3, 4)).cumsum(axis=-1) * 20 + 120).clip(0, 255).astype("uint8")
BYTES[5] = 77  # constant
ALL = np.arange(len(BYTES))


def graph(recipe: str, shape: str = "[2, 3, 4]", layer: str = "identity") -> Graph:
    problems = Problems()
    built = graph_of_text(SPEC.format(recipe=recipe, shape=shape, layer=layer), "net.yaml", problems)
    assert built is not None, list(problems)
    return built


def parts(**arrays: Any) -> Parts:
    roles = dict.fromkeys(arrays, Purpose.target) | {"images": Purpose.input}
    return Parts("own", "own", Arrays(arrays, roles, numbered("own")))


def standardised(x: Any) -> Any:
    flat = x.reshape(len(x), -1)
    deviation = flat.std(axis=1)
    deviation[deviation == 0] = 1
    shape = (-1, 1, 1, 1)
    return (x - flat.mean(axis=1).reshape(shape)) / deviation.reshape(shape)


def whitened(x: Any, epsilon: float) -> Any:
    flat = x.reshape(len(x), -1)
    mean = flat.mean(axis=0)
    u, s, _ = np.linalg.svd((flat - mean).T @ (flat - mean) / len(x))
    return ((flat - mean) @ (u / np.sqrt(s + epsilon)) @ u.T).reshape(x.shape)


# The recipe, and what becomes of x, the bytes divided by 255.
PREPARED = {
    "by sample": ("normalise: sample", standardised),
    "whitened": ("whiten: zca", lambda x: whitened(x, 0.01)),
    "both": (
        "normalise: sample, whiten: {zca: {epsilon: 0.5}}",
        lambda x: whitened(standardised(x), 0.5),
    ),
    "channels, then whitened": (
        "normalise: {mean: [0.1, 0.2], std: [0.5, 0.25]}, whiten: {zca: 0.5}",
        lambda x: whitened((x - np.reshape([0.1, 0.2], (2, 1, 1))) / np.reshape([0.5, 0.25], (2, 1, 1)), 0.5),
    ),
}


@pytest.mark.parametrize("name", TRAINERS)
def test_samples_are_prepared_as_numpy_does(name: str) -> None:
    needs(name)
    backend = usable([name], Trains)[0]
    for case, (settings, wanted) in PREPARED.items():
        for pad in (0, 1):
            more = f"loss: mse, metrics: [], precision: float64, pad: {pad}"
            whole = graph(f"{settings}, {more}", f"[2, {3 + 2 * pad}, {4 + 2 * pad}]")
            problems = Problems()
            recipe = settle(whole.train, problems)
            assert recipe is not None
            targets = np.zeros((len(BYTES), *whole.inputs[0].type.shape), "float32")
            data = parts(images=BYTES, targets=targets)
            planned = plan(whole, recipe, data, starting(whole, 0), "cpu", problems)
            assert planned is not None, list(problems)
            given = backend.trainer(planned.task).predict({"input": BYTES})["output"]
            inner = given[..., 1:-1, 1:-1] if pad else given
            tolerance = 2e-4 if "whiten" in settings else 1e-12  # the matrix is kept in float32
            assert np.abs(inner - wanted(BYTES / 255)).max() < tolerance, (case, pad)
            # The border: black before `normalise`, and the mean after `whiten`.
            if pad and "whiten" in settings:
                assert not given[..., 0, :].any(), case
            elif pad:
                flat = (BYTES / 255).reshape(len(BYTES), -1)
                deviation = np.where(flat.std(1) == 0, 1, flat.std(1))
                assert np.allclose(given[:, 0, 0, 0], -flat.mean(1) / deviation), case


def test_a_run_keeps_its_whitening(tmp_path: Path) -> None:
    from tests.training.fakes import FakeBackend

    network = graph("whiten: zca, batch: 60, epochs: 1", layer="flatten, {dense: 3}")
    recipe = settle(network.train, Problems())
    assert recipe is not None
    backend = FakeBackend([1.0], [{}])
    train(network, backend, recipe, parts(images=BYTES, labels=ALL % 3), out=tmp_path / "run")
    kept = Preparation.read(tmp_path / "run" / FILE).inputs["input"].conversion
    asked = backend.tasks[0].conversions["input"]
    assert kept is not None
    assert kept.whiten is not None
    assert asked.whiten is not None
    assert np.array_equal(kept.whiten.matrix, asked.whiten.matrix)
    assert np.array_equal(kept.whiten.mean, asked.whiten.mean)
    assert kept.unit == asked.unit


def test_a_whitening_that_is_too_large_is_refused() -> None:
    from netspec.check import check_text

    text = SPEC.format(recipe="whiten: zca", shape="[3, 64, 64]", layer="flatten, {dense: 3}")
    _, problems = check_text(text, "net.yaml")
    assert [each.message for each in problems] == [
        "`whiten` mixes all numbers of a sample, and one for the input `input` has 12,288: "
        "their covariance would take 1,152 MiB, and at most 4,096 are taken"
    ]
