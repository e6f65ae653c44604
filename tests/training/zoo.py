"""The recipes of the zoo, and data of a few samples in the form of each: numbers that mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from docs.proofs import ROWS
from netspec.data.arrays import of_arrays
from netspec.data.parts import Parts
from netspec.graph import Graph
from netspec.language.reading.locations import RECIPES, recipes, zoo
from netspec.loading import load
from netspec.recipe import Recipe
from netspec.recipe.augmentation import RandomCrop
from netspec.recipe.data import Data
from netspec.types import Type

SMALL = {row.spec: row.small for row in ROWS}
UNTRAINED = {
    "bert_base": "its losses are of words that a mask hides and of pairs of texts, which no data set here has",
    "dcgan_generator": "it learns against a discriminator",
    "gpt2_small": "no data set of texts in its words, pairs of bytes; that of its paper is not public",
    "inception_module": "it is a part of a network",
    "pointnet": "no data set of points",
    "vae": "its loss has a divergence, which is no loss of a recipe",
    "vit_b_16": "its paper trains it on 14 million images and more; the data sets here are too small for it",
    "yolov2": "no loss of detectors",
    "yolov3": "no loss of detectors",
    "ssd300": "no loss of detectors",
}
"""The specs of the zoo without a recipe, each with the reason."""
IN_A_FILE = frozenset(name.removeprefix(RECIPES) for name in recipes())
NAMES = sorted(zoo().keys() - UNTRAINED.keys())


def path_of(name: str) -> str:
    """What `netspec train` takes for the recipe of a spec."""
    return f"zoo:{RECIPES if name in IN_A_FILE else ''}{name}"


def reduced(name: str) -> tuple[Graph, Recipe]:
    """The network with the small sizes of its proof, and its recipe for one epoch of two steps."""
    graph = load(path_of(name), **SMALL[name])
    assert graph.train is not None
    recipe = graph.train.recipe
    assert recipe is not None
    sizes = graph.inputs[0].type.sizes
    changes: dict[str, Any] = {"batch": 2, "epochs": 1, "steps": None, "pad": 0}
    changes["augment"] = tuple(
        each.model_copy(update={"size": sizes}) if isinstance(each, RandomCrop) else each
        for each in recipe.augment
    )
    return graph, recipe.model_copy(update=changes)


def samples(graph: Graph, recipe: Recipe, trained: int = 4) -> Parts:
    """Samples to train on, and two for each other part, under the keys of the recipe."""
    data = recipe.data if isinstance(recipe.data, Data) else Data(train="made")
    settings = Data(train="made", inputs=data.inputs, targets=data.targets, ignore=data.ignore)
    random = np.random.default_rng(0)
    losses: dict[str, Any] = dict(recipe.losses) or {graph.outputs[0].name: recipe.loss}
    found = {}
    for part, count in (("train", trained), ("validation", 2), ("test", 2)):
        arrays = {
            data.inputs.get(each.name, "images"): _input(each.type, each.vocabulary, count, random)
            for each in graph.inputs
        }
        for head, loss in losses.items():
            key = data.targets.get(head, "labels")
            if key not in arrays:
                value = next(each.value for each in graph.outputs if each.name == head)
                arrays[key] = _target(graph.types[value], loss, count, random)
        found[part] = arrays
    return of_arrays(found, settings, name="made", where="made", own=False)


def _input(type_: Type, vocabulary: int | None, count: int, random: np.random.Generator) -> Any:
    shape = (count, *type_.shape)
    return random.random(shape, np.float32) if vocabulary is None else random.integers(1, vocabulary, shape)


def _target(type_: Type, loss: Any, count: int, random: np.random.Generator) -> Any:
    if loss is None or loss.targets == "classes":
        return random.integers(0, max(type_.channels or 1, 2), (count, *type_.sizes))
    return random.integers(0, 2, (count, *type_.shape)).astype(np.float32)
