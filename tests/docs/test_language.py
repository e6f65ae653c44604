"""Every spec that docs/language.md shows holds; a block whose first line is `# name.yaml` is that file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.check import check_file
from netspec.expectations import FORMS
from netspec.language.document.item import RESERVED
from netspec.language.document.skeleton import Skeleton
from netspec.language.expressions.parser import parse
from netspec.language.expressions.tree import Formula
from netspec.ops.fields import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = [
    text
    for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if "netspec: 1" in text
]


def named(text: str, number: int) -> str:
    """The file of an example."""
    found = re.match(r"# (\S+\.yaml)\n", text)
    return found[1] if found else f"example{number}.yaml"


NAMES = [named(text, number) for number, text in enumerate(EXAMPLES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples as files."""
    root = tmp_path_factory.mktemp("language")
    for name, text in zip(NAMES, EXAMPLES, strict=True):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("name", NAMES)
def test_the_example_holds(name: str, folder: Path) -> None:
    graph, diagnostics = check_file(folder / name)
    assert not diagnostics, "\n".join(each.message for each in diagnostics)
    assert (graph is None) == name.startswith("parts/")


@pytest.mark.parametrize(
    "key", [*RESERVED, *(info.alias or name for name, info in Skeleton.model_fields.items())]
)
def test_every_key_is_told(key: str) -> None:
    assert re.search(rf"^\| [^|]*`{key}`", PAGE, re.MULTILINE)


@pytest.mark.parametrize("word", [*WORDS, *FORMS])
def test_every_word_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE


def told_operators() -> list[str]:
    """An expression for each operator in the table of the page."""
    rows = re.findall(r"^\| (?:arithmetic|comparison, logic) \| (.*) \|$", PAGE, re.MULTILINE)
    parts = [part for row in rows for part in re.findall(r"`([^`]*)`", row)]
    signs = [sign for part in parts if " if " not in part for sign in part.split()]
    choices = [part for part in parts if " if " in part]
    return [*("not a" if sign == "not" else f"a {sign} b" for sign in signs), *choices]


def test_the_operators_of_the_table_are_found() -> None:
    assert {"a + b", "a ** b", "a >= b", "a and b", "not a", "a if c else b"} <= set(told_operators())


@pytest.mark.parametrize("text", told_operators())
def test_every_operator_that_is_told_can_be_read(text: str) -> None:
    assert isinstance(parse(text), Formula)


def test_a_wrong_example_would_fail(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(EXAMPLES[0].replace("max_pool: 2", "max_pool: 99"), encoding="utf-8")
    assert check_file(tmp_path / "wrong.yaml")[1]
