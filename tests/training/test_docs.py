"""docs/training.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.check import checked
from netspec.diagnostics import Problems
from netspec.language.document.recipe import read
from netspec.language.reading import source
from netspec.language.reading.values import Mapping
from netspec.loading import load
from netspec.model import Model
from netspec.recipe import Recipe
from netspec.recipe.augmentation import AUGMENTATIONS
from netspec.recipe.clipping import CLIPS
from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row[1:]
    for row in (re.findall(r"(?<=\| )[^|]*(?= \|)", line) for line in PAGE.splitlines())
    if row
}


def test_the_examples_are_recipes(tmp_path: Path) -> None:
    text, file = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "letters.yaml").write_text(file)
    assert checked(tmp_path / "letters.yaml").diagnostics == []
    assert load(tmp_path / "letters.yaml").params == (("classes", 47),)
    problems = Problems()
    value = source.read(text, "training.md", problems)
    assert isinstance(value, Mapping)
    train = value.entries["train"].value
    assert isinstance(train, Mapping)
    assert read(train, problems) is not None, list(problems)


SETTINGS = (Path(__file__).parents[2] / "docs" / "recipe.md").read_text(encoding="utf-8")
MODELS: dict[str, type[Model]] = {
    "a recipe": Recipe,
    **{
        f"{noun} {name}": model
        for noun, family in (
            ("optimizer", OPTIMIZERS),
            ("loss", LOSSES),
            ("schedule", SCHEDULES),
            ("clip", CLIPS),
            ("augment", AUGMENTATIONS),
            ("metric", METRICS),
        )
        for name, model in family.items()
    },
}


@pytest.mark.parametrize("owner", MODELS)
def test_every_setting_is_on_the_page_of_settings(owner: str) -> None:
    for name in MODELS[owner].model_fields:
        assert f"| `{name}` |" in SETTINGS, name
