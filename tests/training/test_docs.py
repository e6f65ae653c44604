"""docs/training.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.diagnostics import Problems
from netspec.language.document.recipe import read
from netspec.language.reading import source
from netspec.language.reading.values import Mapping
from netspec.recipe import Recipe
from netspec.recipe.optimizers import OPTIMIZERS

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row[1:]
    for row in (re.findall(r"(?<=\| )[^|]*(?= \|)", line) for line in PAGE.splitlines())
    if row
}


def test_the_example_is_a_recipe() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    problems = Problems()
    value = source.read(text, "training.md", problems)
    assert isinstance(value, Mapping)
    train = value.entries["train"].value
    assert isinstance(train, Mapping)
    assert read(train, problems) is not None, list(problems)


@pytest.mark.parametrize("name", Recipe.model_fields)
def test_every_setting_has_its_row(name: str) -> None:
    field = Recipe.model_fields[name]
    takes, *rest = ROWS[f"`{name}`"]
    if field.description is not None:
        assert takes.strip("`") == field.description.strip("`")
    if isinstance(field.default, int | str):
        assert rest[0] == f"`{field.default}`"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_has_its_row(name: str) -> None:
    settings = ", ".join(
        f"`{key}` {str(field.default).lower()}" for key, field in OPTIMIZERS[name].model_fields.items()
    )
    assert ROWS[f"`{name}`"] == [settings]
