"""Settings of a recipe as an author writes them: what stands for nothing, the examples of messages, targets by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netspec.data
from netspec.check import check_text
from netspec.diagnostics import Problems
from netspec.language.document.settings import example
from netspec.language.reading.source import read
from netspec.language.reading.values import plain
from netspec.loading import graph_of_text
from netspec.model import Invalid
from netspec.recipe import CheckpointInterval, EarlyStop, Group, Normalise, Recipe
from netspec.recipe.augmentation import AUGMENTATIONS
from netspec.recipe.clipping import CLIPS
from netspec.recipe.data import BitsData, Data, TableData, TextData
from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES
from netspec.recipe.whitening import WHITENINGS
from netspec.training.heads import sources
from netspec.training.plan import plan
from netspec.weights import starting

HEAD = "netspec: 1\nname: net\ninput: [1, 2, 3]\nlayers: [flatten, {dense: 3}]\n"
EMPTY = {
    "checkpoint: {}": "`checkpoint` needs `epochs`, `steps` or `minutes`, but none is given",
    "checkpoint: {minutes: }": "`checkpoint` needs `epochs`, `steps` or `minutes`, but none is given",
    "checkpoint: {epochs: 0}": "`epochs` must be a whole number of epochs from 1, not `0`",
    "losses: {}": "`losses` must be a mapping, not an empty one",
    "stop: {}": "`after` is missing in `stop`",
    "schedule: {}": "`schedule` must be one name, not several",
    # None of these is stated: as in the language, that is the same as leaving them out.
    "augment: []": None,
    "groups: []": None,
    "l2: {}": None,
    "checkpoint: ": None,
}


@pytest.mark.parametrize("setting", EMPTY)
def test_an_empty_setting(setting: str) -> None:
    _, problems = check_text(f"{HEAD}train:\n  data: ./own.npz\n  {setting}\n", "n.yaml")
    message = EMPTY[setting]
    assert [each.message for each in problems] == ([] if message is None else [message])


def models() -> Iterator[tuple[Any, str]]:
    families: Any = (AUGMENTATIONS, CLIPS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, WHITENINGS)
    others: Any = (
        Recipe,
        CheckpointInterval,
        EarlyStop,
        Group,
        Normalise,
        Data,
        TableData,
        TextData,
        BitsData,
    )
    for model in (*others, *(model for family in families for model in family.values())):
        for field, about in model.model_fields.items():
            if about.description and field != "normalise":  # the others have examples with their readers
                yield model, field


def test_a_setting_takes_the_example_of_its_message() -> None:
    refused = []
    for model, field in models():
        try:
            value = read(example(model, field), "n.yaml", Problems())
            model.model_validate({field: None if value is None else plain(value)})
        except Invalid as error:
            refused += [(model, field) for detail in error.details if detail["loc"][0] == field]
    assert not refused


NAMED: Mapping[str, str] = {
    "data": "data: {train: PATH, targets: {output: other}}",
    "loss": "data: PATH, loss: {cross_entropy: {target: other}}",
    "losses": "data: PATH, losses: {output: {focal: {target: other}}}",
    "all": "data: {train: PATH, targets: {output: other}}, loss: {cross_entropy: {target: other}}",
    "usual": "data: PATH",
}


@pytest.mark.parametrize("case", NAMED)
def test_a_target_is_the_array_that_the_recipe_names(case: str, tmp_path: Path) -> None:
    path, images = tmp_path / "own.npz", np.ones((6, 1, 2, 3), np.uint8)
    labels = {"labels": np.arange(6) % 3, "other": np.arange(6)[::-1] % 3}
    arrays: dict[str, Any] = {
        f"{part}_{key}": array for part in ("train", "test") for key, array in labels.items()
    }
    np.savez(path, train_images=images, test_images=images, **arrays)
    recipe_ = NAMED[case].replace("PATH", str(path))
    problems = Problems()
    graph = graph_of_text(f"{HEAD}train: {{{recipe_}, batch: 6, workers: 0}}\n", "n.yaml", problems)
    assert graph is not None
    assert graph.train is not None
    assert graph.train.recipe is not None
    recipe = graph.train.recipe
    parts = netspec.data.load(sources(graph, recipe))
    made = plan(graph, recipe, parts, starting(graph, 0), "cpu", problems)
    assert made is not None, [*problems]
    key = "labels" if case == "usual" else "other"
    assert made.preparation.outputs["output"].key == key
    (batch,) = made.feed.part("test")
    assert batch.targets["output"].tolist() == labels[key].tolist()


def test_one_of_several_targets_is_not_chosen(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, images=np.ones((6, 1, 2, 3)), labels=np.arange(6) % 3, targets=np.arange(6) % 3)
    problems = Problems()
    graph = graph_of_text(f"{HEAD}train: {{data: {path}}}\n", "n.yaml", problems)
    assert graph is not None
    recipe = Recipe(data=str(path))
    assert plan(graph, recipe, netspec.data.load(str(path)), starting(graph, 0), "cpu", problems) is None
    (problem,) = problems
    assert problem.message == "nothing says which array of own.npz belongs to the output `output` of `net`"


def test_a_target_of_one_output_is_not_that_of_another(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, images=np.ones((6, 4)), labels=np.arange(6) % 3, aux=np.arange(6) % 3)
    text = (
        "netspec: 1\nname: net\ninput: [4]\nlayers: [{dense: 3, name: x}]\n"
        "heads: {main: {layers: [{dense: 3}]}, aux: {from: x, layers: [{dense: 3}]}}\n"
        f"train: {{data: {path}, losses: {{main: cross_entropy, aux: {{cross_entropy: {{target: aux}}}}}}}}\n"
    )
    problems = Problems()
    graph = graph_of_text(text, "n.yaml", problems)
    assert graph is not None
    assert graph.train is not None
    assert graph.train.recipe is not None
    recipe = graph.train.recipe
    parts = netspec.data.load(sources(graph, recipe))
    assert plan(graph, recipe, parts, starting(graph, 0), "cpu", problems) is None
    (problem,) = problems
    assert problem.message == "nothing says which array of own.npz belongs to the output `main` of `net`"
    assert "not used: labels" in problem.notes
