"""Every kind of network that a recipe trains: the same losses and figures on every backend, and mismatches told."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Trains, usable
from netspec.data.own import of_samples
from netspec.data.parts import Parts
from netspec.diagnostics import Problems, SpecError
from netspec.graph import Graph
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_text
from netspec.recipe import Recipe
from netspec.recipe.data import Data
from netspec.training.run import Run, train
from tests.having import ready
from tests.training.fakes import FakeBackend

COUNT = 20


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def images(*shape: int) -> Any:
    return draw().integers(0, 256, (COUNT, *shape), dtype=np.uint8)


# For each kind: input(s) and layers, the recipe, the arrays of the samples.
SEGMENTER = (
    "input: [3, 6, 8]\n"
    "layers: [{conv: {filters: 4, kernel: 3, padding: same}}, relu, {conv: {filters: 3, kernel: 1}}, softmax]",
    {
        "loss": {"cross_entropy": {"ignore": 255, "class_weights": "median_frequency"}},
        "metrics": ["accuracy", "class_accuracy", "iou", "per_class"],
        "augment": ["flip", {"shift": 1}],
    },
    {
        "images": images(3, 6, 8),
        "labels": np.where(draw(1).random((COUNT, 6, 8)) < 0.1, 255, draw(2).integers(0, 3, (COUNT, 6, 8))),
    },
)
AUTOENCODER = (
    "input: [1, 4, 4]\nlayers: [flatten, {dense: 5}, tanh, {dense: 16}, sigmoid, {reshape: [1, 4, 4]}]",
    {"loss": {"mse": {"target": "images"}}, "metrics": ["mae", "rmse"]},
    {"images": images(1, 4, 4)},
)
BITS = (
    "input: [2, 5]\nlayers: [{lstm: 4}, {conv: {filters: 1, kernel: 1}}]",
    {"loss": "binary_cross_entropy", "metrics": ["accuracy", "auc"]},
    {
        "samples": draw().standard_normal((COUNT, 2, 5)).astype("float32"),
        "labels": draw(1).integers(0, 2, (COUNT, 1, 5)),
    },
)
REGRESSION = (
    "input: [6]\nlayers: [{dense: 4}, tanh, {dense: 2}]",
    {"loss": {"huber": {"delta": 0.5}}, "l2": {"dense*": 0.01}, "clip": {"norm": 1.0}, "average": 0.9},
    {
        "samples": draw().standard_normal((COUNT, 6)).astype("float32"),
        "targets": draw(1).standard_normal((COUNT, 2)).astype("float32"),
    },
)
HEADS = (
    """input: [1, 6, 6]
layers:
  - conv: {filters: 3, kernel: 3}
  - flatten
heads:
  digit: {layers: [{dense: 4}, softmax]}
  box: {layers: [{dense: 4}]}""",
    {
        "losses": {"digit": {"cross_entropy": {"smoothing": 0.1}}, "box": {"mae": {"weight": 0.25}}},
        "metrics": ["accuracy", "box_iou"],
        "best": "validation_box_iou",
        "groups": [{"layers": "conv1", "rate": 0.5, "freeze": 1}],
    },
    {
        "images": images(1, 6, 6),
        "digit": draw(1).integers(0, 4, COUNT),
        "box": np.sort(draw(2).random((COUNT, 4)).astype("float32")),
    },
)
STEPS = (
    """inputs:
  text: {shape: [5], vocabulary: 7}
  count: {shape: [], vocabulary: 6}
layers:
  - embedding: 3
    from: text
    name: embedded
  - gru: 4
    from: [embedded, count]
  - conv: {filters: 7, kernel: 1}
  - softmax""",
    {
        "loss": {"cross_entropy": {"lengths": "count"}},
        "metrics": ["accuracy", "perplexity"],
        "data": {
            "train": "./own",
            "inputs": {"text": "text", "count": "count"},
            "targets": {"output": "next"},
        },
    },
    {
        "text": draw().integers(0, 7, (COUNT, 5)),
        "count": draw(1).integers(1, 6, COUNT),
        "next": draw(2).integers(0, 7, (COUNT, 5)),
    },
)
KINDS: Mapping[str, Any] = {
    "heads": HEADS,
    "steps": STEPS,
    "segmenter": SEGMENTER,
    "autoencoder": AUTOENCODER,
    "bits": BITS,
    "regression": REGRESSION,
}


def graph(body: str) -> Graph:
    problems = Problems()
    built = graph_of_text(f"netspec: 1\nname: net\n{body}\n", "net.yaml", problems)
    assert built is not None, list(problems)
    return built


def recipe_of(settings: Mapping[str, Any]) -> Recipe:
    problems = Problems()
    given = {
        "data": "fashion-mnist-small",
        "batch": 5,
        "accumulate": 2,
        "epochs": 3,
        "precision": "float64",
        "optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.5}},
        **settings,
    }
    recipe = settle(None, problems, "net.yaml", given)
    assert recipe is not None, list(problems)
    return recipe


def parts_of(settings: Mapping[str, Any], arrays: Mapping[str, Any]) -> Parts:
    samples = [{key: array[at] for key, array in arrays.items()} for at in range(COUNT)]
    data = Data(
        train="own", **{key: value for key, value in settings.get("data", {}).items() if key != "train"}
    )
    return of_samples({"train": samples[:15], "validation": samples[15:], "test": samples[10:]}, data)


def learn(kind: str, name: str, folder: Path) -> Run:
    body, settings, arrays = KINDS[kind]
    backend = usable([name], Trains)[0]
    return train(
        graph(body), backend, recipe_of(settings), parts_of(settings, arrays), out=folder / name, device="cpu"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_alike(kind: str, tmp_path: Path) -> None:
    runs = [learn(kind, name, tmp_path) for name in ready(Trains, count=2)]
    for one, other in combinations(runs, 2):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)
        assert one.best == other.best or one.best is not None
        for mine, yours in zip(one.epochs, other.epochs, strict=True):
            assert mine.metrics.keys() == yours.metrics.keys()
            for figure, value in mine.metrics.items():
                assert value == pytest.approx(yours.metrics[figure], rel=1e-8), figure
        first, last = (float(str(one.epochs[at].metrics["train_loss"])) for at in (0, -1))
        assert last < first


# What does not fit: the kind, what is changed in its recipe and in its arrays, and what is told.
MISFITS: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any], str]] = {
    "a head that is not there": ("heads", {"losses": {"digits": "mse"}}, {}, "`losses` names `digits`"),
    "heads without losses": ("heads", {"losses": None}, {}, "does not say the loss of each"),
    "a metric of nothing": (
        "regression",
        {"metrics": ["iou"]},
        {},
        "`iou` does not measure what `net` gives",
    ),
    "a layer that is not there": (
        "regression",
        {"l2": {"conv*": 0.1}},
        {},
        "`l2` names `conv*`, but no layer",
    ),
    "a goal without a metric": (
        "regression",
        {"best": "validation_mae"},
        {},
        "nothing measures `validation_mae`",
    ),
    "a map of another size": ("segmenter", {}, {"labels": np.zeros((COUNT, 6, 7), int)}, "is 6×7 a sample"),
    "a label out of range": ("segmenter", {}, {"images": images(3, 5, 8)}, "is 3×5×8, but the input"),
    "labels that are no indices": (
        "segmenter",
        {},
        {"labels": np.zeros((COUNT, 6, 8), "float32")},
        "holds float32, but `cross_entropy` takes class indices",
    ),
    "a softmax for bits": (
        "segmenter",
        {"loss": "binary_cross_entropy"},
        {},
        "a softmax gives exclusive classes",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_misfit_is_told(case: str, tmp_path: Path) -> None:
    kind, changed, arrays, says = MISFITS[case]
    body, settings, held = KINDS[kind]
    stated = {**settings, "groups": None, **changed}
    recipe = recipe_of({key: value for key, value in stated.items() if value is not None})
    with pytest.raises(SpecError) as caught:
        train(
            graph(body),
            FakeBackend([], []),
            recipe,
            parts_of(settings, {**held, **arrays}),
            out=tmp_path / "run",
        )
    assert says in str(caught.value)
    assert not (tmp_path / "run").exists()
