"""Words of other libraries in a recipe: each leads to what it means here, or is said to be missing."""

from __future__ import annotations

import pytest
import yaml

from netspec.diagnostics import Problems
from netspec.language.document import recipe_words as words
from netspec.language.document.recipe import read
from netspec.language.reading import source
from netspec.language.reading.values import Mapping
from netspec.model import Model
from netspec.ops.words import Lead, WordTable, lead
from netspec.recipe import EarlyStop, Group, Normalise, Recipe
from netspec.recipe.augmentation import AUGMENTATIONS
from netspec.recipe.clipping import CLIPS
from netspec.recipe.data import Data, TableData, TextData
from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES

# Where a word of the table of settings stands: in the first model that has our setting.
HOLDERS: dict[str, type[Model]] = {
    **{f"{{optimizer: {{{name}: {{%s: ~}}}}}}": each for name, each in OPTIMIZERS.items()},
    **{f"{{loss: {{{name}: {{%s: ~}}}}}}": each for name, each in LOSSES.items()},
    **{f"{{schedule: {{{name}: {{%s: ~}}}}}}": each for name, each in SCHEDULES.items()},
    **{f"{{augment: {{{name}: {{%s: ~}}}}}}": each for name, each in AUGMENTATIONS.items()},
    "{groups: {%s: ~}}": Group,
    "{stop: {%s: ~}}": EarlyStop,
}
SETTINGS = [name for model in HOLDERS.values() for name in model.model_fields]
DATA_SETTINGS: dict[str, type[Model]] = {
    "{data: {%s: ~}}": Data,
    "{data: {table: {%s: ~}}}": TableData,
    "{data: {text: {%s: ~}}}": TextData,
}
# The table, our names, and where the word stands in a recipe.
TABLES: dict[str, tuple[WordTable, list[str]]] = {
    "setting": (words.RECIPE, [*Recipe.model_fields]),
    "optimizer": (words.OPTIMIZERS, [*OPTIMIZERS]),
    "schedule": (words.SCHEDULES, [*SCHEDULES]),
    "clip": (words.CLIPS, [*CLIPS]),
    "augment": (words.AUGMENTATIONS, [*AUGMENTATIONS]),
    "family setting": (words.SETTINGS, SETTINGS),
    "normalise": (words.NORMALISE, [*Normalise.model_fields]),
    "loss": (words.LOSSES, [*LOSSES]),
    "metrics": (words.METRICS, [*METRICS]),
    "data": (words.DATA_SETTINGS, [name for each in DATA_SETTINGS.values() for name in each.model_fields]),
}


def written(kind: str, word: str, ours: str) -> dict[str, object]:
    """A recipe that has the word where a word of that kind stands."""
    if kind in ("optimizer", "schedule", "clip", "augment", "loss", "metrics"):
        return {kind: word}
    if kind == "normalise":
        return {"normalise": {"mean": 0.5, "std": 0.25, ours: None, word: 0.5}}
    by_kind: dict[str, dict[str, type[Model]]] = {
        "setting": {"{%s: ~}": Recipe},
        "family setting": HOLDERS,
        "data": DATA_SETTINGS,
    }
    holders = by_kind[kind]
    found: dict[str, object] = yaml.safe_load(
        next(
            text
            for text, model in holders.items()
            if ours in model.model_fields and (word == ours or word not in model.model_fields)
        )
        % word
    )
    return found


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
    # `alpha` is a setting of one loss, and the rate of an optimiser elsewhere.
    assert word not in known or kind == "family setting"
    known = [each for each in known if each != word]
    found = lead(word, known, table)
    assert isinstance(found, Lead)
    if found.ours is not None:  # the same thing by another name: followed, it is no longer unknown
        assert found.ours in known
        assert any(f"`{found.ours}`" in help for help in said(written(kind, word, found.ours)))
        assert not unknown(written(kind, found.ours, found.ours))


def unknown(recipe: dict[str, object]) -> list[str]:
    """The messages that a name of a setting, or of one of a family, is unknown."""
    problems = Problems()
    value = source.read(yaml.safe_dump(recipe), "r.yaml", problems)
    assert isinstance(value, Mapping)
    read(value, problems)
    return [each.message for each in problems if str(each.code) in ("NS0501", "NS0504")]


# What a word must not be taken for, and what is said instead.
NEVER = {
    "optimizer: AdamW": "write `adamw`",
    "optimizer: Adam": "write `adam`",
    "optimizer: torch.optim.SGD": "write `sgd`",
    "loss: BCEWithLogitsLoss": "write `binary_cross_entropy`: this is the name in netspec; it takes logits",
    "loss: categorical_crossentropy": "write `{cross_entropy: {soft: true}}` for targets that are distributions",
    "loss: SmoothL1Loss": "it is the Huber loss divided by its delta: write `{huber: {delta: 1.0}}`",
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
    "{weight_decay: 0.1}": (
        "it is a setting of the optimiser: write `optimizer: {adam: {weight_decay: 0.1}}`;"
        " `l2` adds λ · Σ w² to the loss"
    ),
    "{validation_split: 0.1}": "it is a part of the data: write `data: {train: mnist, validation: 0.1}`",
    "{patience: 3}": "write `stop: {after: 3}`",
    "{clipnorm: 2.0}": "write `clip: {norm: 2.0}`",
    "schedule: CosineAnnealingLR": "write `cosine`: this is the name in netspec",
    "augment: mixup": "this version of netspec has no augmentation of this name",
    "{batch_size: 4}": "write `batch`: this is the name in netspec",
    "{optimizer: {adam: {betas: [0.8, 0.9]}}}": "write `beta1: 0.8` and `beta2: 0.9`",
    "{optimizer: {adam: {beta_1: 0.8}}}": "write `beta1`",
    "data: kmnist": (
        "this version of netspec has no data set of this name, although it has `mnist` and `fashion-mnist`; save yours "
        "as an .npz file, and give its path; for a file or folder write its path with a slash: `./kmnist`"
    ),
    "data: imagenet": (
        "this version of netspec has no data set of this name; save yours as an .npz file, and give its path; "
        "for a file or folder write its path with a slash: `./imagenet`"
    ),
    "data: FashionMNIST": (
        "write `fashion-mnist`; for a file or folder write its path with a slash: `./FashionMNIST`"
    ),
    "metrics: [f1_score]": "write `f1`: this is the name in netspec",
}


@pytest.mark.parametrize("text", NEVER)
def test_what_a_word_is_not_taken_for(text: str) -> None:
    assert said(yaml.safe_load(text)) == [NEVER[text]]
