"""Words of other libraries in a recipe: each leads to what it means here, or is said to be missing."""

from __future__ import annotations

import pytest
import yaml

from netspec.diagnostics import Problems
from netspec.language.document import recipe_words as words
from netspec.language.document.recipe import read
from netspec.language.reading import source
from netspec.language.reading.values import Mapping
from netspec.ops.words import Lead, WordTable, lead
from netspec.recipe import Normalise, Recipe
from netspec.recipe.optimizers import OPTIMIZERS

SETTINGS = [name for model in OPTIMIZERS.values() for name in model.model_fields]
# The table, our names, a recipe with a value under our name, and where the word stands in it.
TABLES: dict[str, tuple[WordTable, list[str]]] = {
    "setting": (words.RECIPE, [*Recipe.model_fields]),
    "optimizer": (words.OPTIMIZERS, [*OPTIMIZERS]),
    "optimizer setting": (words.SETTINGS, SETTINGS),
    "normalise": (words.NORMALISE, [*Normalise.model_fields]),
    "loss": (words.LOSSES, ["cross_entropy"]),
    "metric": (words.METRICS, ["accuracy"]),
}
VALUES = {
    "data": "mnist",
    "pad": 2,
    "normalise": {"mean": 0.5, "std": 0.25},
    "batch": 4,
    "epochs": 2,
    "seed": 1,
    "loss": "cross_entropy",
    "optimizer": "sgd",
    "metrics": ["accuracy"],
    "train_size": 9,
    "test_size": 9,
    "mean": 0.5,
    "std": 0.25,
    "learning_rate": 0.5,
    "beta1": 0.5,
    "beta2": 0.5,
    "epsilon": 0.5,
}


def written(kind: str, word: str, ours: str) -> dict[str, object]:
    """A recipe that has the word where a word of that kind stands."""
    value = VALUES.get(ours)
    return {
        "setting": {word: value},
        "optimizer": {"optimizer": word},
        "optimizer setting": {"optimizer": {"adam": {word: value}}},
        "normalise": {"normalise": {"mean": 0.5, "std": 0.25, ours: None, word: value}},
        "loss": {"loss": word},
        "metric": {"metrics": [word]},
    }[kind]  # type: ignore[return-value]


def said(recipe: dict[str, object]) -> list[str]:
    problems = Problems()
    value = source.read(yaml.safe_dump(recipe), "r.yaml", problems)
    assert isinstance(value, Mapping)
    read(value, problems)
    return [each.help or "" for each in problems]


WORDS = [(kind, word) for kind, (table, _) in TABLES.items() for word in table]


@pytest.mark.parametrize(("kind", "word"), WORDS)
def test_a_word_leads_somewhere(kind: str, word: str) -> None:
    table, known = TABLES[kind]
    assert word not in known
    found = lead(word, known, table)
    assert isinstance(found, Lead)
    if found.ours is not None:  # the same thing by another name: followed, it is accepted
        assert found.ours in known
        recipe = written(kind, word, found.ours)
        assert any(f"`{found.ours}`" in help for help in said(recipe)), said(recipe)
        if kind == "normalise":
            recipe = {"normalise": {"mean": 0.5, "std": 0.25}}
        else:
            recipe = written(kind, found.ours, found.ours)
        assert said(recipe) == []


# What a word must not be taken for, and what is said instead.
NEVER = {
    "optimizer: adamw": (
        "this version of netspec has no optimiser with weight decay: `adam` is Adam without it, which is a different "
        "optimiser"
    ),
    "optimizer: AdamW": (
        "this version of netspec has no optimiser with weight decay: `adam` is Adam without it, which is a different "
        "optimiser"
    ),
    "optimizer: Adam": "write `adam`",
    "optimizer: torch.optim.SGD": "write `sgd`",
    "loss: binary_cross_entropy": (
        "this version of netspec has no binary cross-entropy: its classes are not mutually exclusive"
    ),
    "loss: BCEWithLogitsLoss": (
        "this version of netspec has no binary cross-entropy: its classes are not mutually exclusive"
    ),
    "loss: sparse_categorical_crossentropy": (
        "write `cross_entropy`: this is the name in netspec; it takes logits, and labels as whole numbers"
    ),
    "loss: nn.CrossEntropyLoss": (
        "write `cross_entropy`: this is the name in netspec; it takes logits, and labels as whole numbers"
    ),
    "{lr: 0.5}": ("it is a setting of the optimiser: write `optimizer: {adam: {learning_rate: 0.5}}`"),
    "{lr: 0.5, optimizer: sgd}": (
        "it is a setting of the optimiser: write `optimizer: {sgd: {learning_rate: 0.5}}`"
    ),
    "{weight_decay: 0.1}": "this version of netspec has no weight decay",
    "{batch_size: 4}": "write `batch`: this is the name in netspec",
    "{optimizer: {adam: {betas: [0.8, 0.9]}}}": "write `beta1: 0.8` and `beta2: 0.9`",
    "{optimizer: {adam: {beta_1: 0.8}}}": "write `beta1`",
    "{optimizer: {sgd: {weight_decay: 0.1}}}": "this version of netspec has no weight decay",
    "data: emnist": (
        "this version of netspec has no data set of this name, although it has `mnist` and `fashion-mnist`; save yours "
        "as an .npz file, and give its path; for a file or folder write its path with a slash: `./emnist`"
    ),
    "data: cifar10": (
        "this version of netspec has no data set of this name; save yours as an .npz file, and give its path; "
        "for a file or folder write its path with a slash: `./cifar10`"
    ),
    "data: FashionMNIST": (
        "write `fashion-mnist`; for a file or folder write its path with a slash: `./FashionMNIST`"
    ),
    "metrics: [f1]": "this version of netspec has no metric of this name; it has `accuracy`",
}


@pytest.mark.parametrize("text", NEVER)
def test_what_a_word_is_not_taken_for(text: str) -> None:
    assert said(yaml.safe_load(text)) == [NEVER[text]]
