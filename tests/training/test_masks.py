"""Masks as targets: what does not count, and what is no class, is reported before a framework meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netspec.data
from netspec.data.bounds import DataError
from netspec.data.parts import Parts
from netspec.diagnostics import Problems
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_text
from netspec.training.heads import heads
from netspec.training.wiring import wired
from tests.data.test_pictures import scenes

SPEC = """\
netspec: 1
name: net
input: [3, 4, 6]
layers: [{{conv: {{filters: 3, kernel: 1}}}}]
train: {{data: {{train: ., {data}}}, loss: {loss}}}
"""


def fitted(folder: Path, data: str, loss: str) -> tuple[Parts | None, list[str]]:
    """The parts as they are wired to the network, and the errors."""
    problems = Problems()
    graph = graph_of_text(SPEC.format(data=data, loss=loss), str(folder / "n.yaml"), problems)
    assert graph is not None
    recipe = settle(graph.train, problems)
    assert recipe is not None, list(problems)
    found = heads(graph, recipe, problems)
    assert found is not None, list(problems)
    done = wired(graph, recipe, found, netspec.data.load(recipe.data, base=folder), problems)
    return done[1] if done else None, [f"{each.message} | {each.help}" for each in problems]


@pytest.mark.parametrize("data", ["layout: first", "classes: 4"])
def test_a_mask_with_a_class_that_the_network_does_not_have(data: str, tmp_path: Path) -> None:
    scenes(tmp_path, value=3)
    parts, errors = fitted(tmp_path, data, "cross_entropy")
    assert (errors, parts is None) == ([], False)
    assert parts is not None
    with pytest.raises(DataError) as caught:
        parts.train.take(np.array([1]))
    assert str(caught.value).endswith(
        "1.jpg: has the value in masks 3 (training part), and there are 3 classes, 0 to 2"
    )
    assert "`loss: {cross_entropy: {ignore: …}}`" in caught.value.help


def test_a_class_that_does_not_count(tmp_path: Path) -> None:
    scenes(tmp_path, value=3)
    parts, errors = fitted(tmp_path, "classes: 3, ignore: 3", "{cross_entropy: {ignore: 3}}")
    assert errors == []
    assert parts is not None
    assert (parts.train.take(np.array([1]))["masks"] == 3).all()


def test_the_loss_ignores_what_the_data_do_not_count(tmp_path: Path) -> None:
    scenes(tmp_path, value=3)
    assert fitted(tmp_path, "classes: 3, ignore: 3", "cross_entropy") == (
        None,
        [
            "the class 3 of `masks` does not count, but the loss of `output` counts it | "
            "write `loss: {cross_entropy: {ignore: 3}}`"
        ],
    )
