"""The page of the settings of a recipe, from the models: what each takes, its default, and what is calculated."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from netspec.model import Model
from netspec.recipe import (
    CheckpointInterval,
    EarlyStop,
    Group,
    Normalise,
    Recipe,
    augmentation,
    clipping,
    whitening,
)
from netspec.recipe import losses as loss_models
from netspec.recipe import metrics as metric_models
from netspec.recipe import optimizers as optimizer_models
from netspec.recipe import schedules as schedule_models
from netspec.recipe.augmentation import AUGMENTATIONS
from netspec.recipe.clipping import CLIPS
from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS
from netspec.recipe.model import Augment, GradientClip, Loss, Metric, Named, Schedule
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES
from netspec.recipe.whitening import WHITENINGS

FAMILIES: tuple[tuple[str, str, ModuleType, type[Named], Mapping[str, type[Any]]], ...] = (
    ("Losses", "loss", loss_models, Loss, LOSSES),
    ("Optimisers", "optimizer", optimizer_models, Named, OPTIMIZERS),
    ("Schedules", "schedule", schedule_models, Schedule, SCHEDULES),
    ("Whitening", "whiten", whitening, Named, WHITENINGS),
    ("Limits of gradients", "clip", clipping, GradientClip, CLIPS),
    ("Metrics", "metrics", metric_models, Metric, METRICS),
    ("Augmentation", "augment", augmentation, Augment, AUGMENTATIONS),
)
"""Title, key in a recipe, module, base and kinds of each family."""

LINKED = {
    "data": "the name of a set, a path, or a mapping: [data](data.md)",
    "normalise": "`{mean: …, std: …}`, `measured` or `sample`: [below](#normalise)",
    "whiten": "a name, or a name with its settings: [whitening](#whitening)",
    "augment": "a list of names, or names with settings: [augmentation](#augmentation)",
    "loss": "a name, or a name with its settings: [losses](#losses)",
    "losses": "a mapping from heads to losses",
    "optimizer": "a name, or a name with its settings: [optimisers](#optimisers)",
    "schedule": "a name, or a name with its settings: [schedules](#schedules)",
    "clip": "one [limit](#limits-of-gradients)",
    "groups": "a list of [groups](#groups)",
    "metrics": "a list of names, or names with settings: [metrics](#metrics)",
    "stop": "[early stopping](#stop)",
    "checkpoint": "[how often](#checkpoint)",
}
"""What the settings take that are models themselves."""

PARTS: tuple[tuple[str, type[Model]], ...] = (
    ("normalise", Normalise),
    ("groups", Group),
    ("stop", EarlyStop),
    ("checkpoint", CheckpointInterval),
)


def recipe_page(notice: str) -> Iterator[str]:
    """All settings, then each family."""
    yield "# The settings of a recipe"
    yield notice
    yield (
        "These are all settings of `train:` in a spec ([training](training.md) says how to use them). A setting without"
        " a default is absent unless it is given. What has a family is a name, or a name with settings:"
        " `optimizer: sgd`, `optimizer: {sgd: {momentum: 0.9}}`."
    )
    yield "## All settings"
    yield _prose(Recipe)
    yield _settings(Recipe, Recipe.model_fields)
    for key, model in PARTS:
        yield f"### {key}"
        yield _prose(model)
        yield _settings(model, model.model_fields)
    for title, key, module, base, kinds in FAMILIES:
        yield from _family(title, key, module, base, kinds)


def _family(
    title: str, key: str, module: ModuleType, base: type[Named], kinds: Mapping[str, type[Any]]
) -> Iterator[str]:
    yield f"## {title}"
    # It begins with what the module is.
    about = re.split(" as data[.:] ", inspect.cleandoc(module.__doc__ or ""), maxsplit=1)[-1]
    yield about[:1].upper() + about[1:]
    common = {name for name in base.model_fields if all(name in kind.model_fields for kind in kinds.values())}
    if common:
        yield f"Every one of `{key}` has these settings:"
        yield _settings(base, common)
    for name, kind in kinds.items():
        yield f"### {key}: {name}"
        yield _prose(kind)
        own = [field for field in kind.model_fields if field not in common]
        if kind.main is not None:
            yield f"`{name}: VALUE` is short for `{name}: {{{kind.main}: VALUE}}`."
        if own:
            yield _settings(kind, own)


def _prose(model: type[Model]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _settings(model: type[Model], names: Any) -> str:
    rows = []
    for name, field in model.model_fields.items():
        if name in names:
            takes = LINKED.get(name, "") if model is Recipe else ""
            rows.append((f"`{name}`", takes or field.description or "", _default(field)))
    return _table(("setting", "takes", "default"), rows)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if isinstance(value, Named):
        return f"`{value.kind}`"
    if isinstance(value, Model):
        given = {key: each for key, each in value.model_dump().items() if each is not None}
        return f"`{{{', '.join(f'{key}: {each}' for key, each in given.items())}}}`"
    if value is None or value in ((), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
