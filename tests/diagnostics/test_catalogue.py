"""Every code has a failing example, which fails with exactly that code, and its exact text beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from netspec.check import check_text
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.catalogue import CODES, FAMILIES
from netspec.diagnostics.code import Code
from netspec.diagnostics.explain import EXAMPLE_FILE
from netspec.diagnostics.render import as_text
from tests.diagnostics.special_cases import SPECIAL_CASES

GOLDEN = Path(__file__).parent / "golden"
SHOWN = [code for code in CODES.values() if code.example]


def hold(code: str, diagnostics: Sequence[Diagnostic], text: str, update: bool) -> None:
    """The diagnostics are of this code alone, and read as the golden file says."""
    assert {each.code.id for each in diagnostics} == {code}, text
    golden = GOLDEN / f"{code}.txt"
    if update:
        golden.write_text(text + "\n", encoding="utf-8")
    assert golden.exists(), f"no {golden.name}: run pytest with --update-golden, and read what it writes"
    assert text + "\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", SHOWN, ids=str)
def test_the_example_fails_with_its_code_and_text(code: Code, request: pytest.FixtureRequest) -> None:
    _, diagnostics = check_text(code.example, EXAMPLE_FILE)
    text = as_text(diagnostics, {EXAMPLE_FILE: code.example})
    hold(code.id, diagnostics, text, request.config.getoption("--update-golden"))


@pytest.mark.parametrize("code", SPECIAL_CASES)
def test_the_situation_fails_with_its_code_and_text(
    code: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    diagnostics = SPECIAL_CASES[code](Path("folder"))
    text = as_text(diagnostics).replace(str(tmp_path), "…")
    hold(code, diagnostics, text, request.config.getoption("--update-golden"))


def test_every_code_is_shown_once() -> None:
    assert set(SPECIAL_CASES).isdisjoint(code.id for code in SHOWN)
    assert set(CODES) == set(SPECIAL_CASES) | {code.id for code in SHOWN}


def test_no_id_is_given_twice() -> None:
    ids = [each.id for family in FAMILIES for each in vars(family).values() if isinstance(each, Code)]
    assert len(ids) == len(set(ids)) == len(CODES)


def test_every_golden_file_is_of_a_code() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=str)
def test_a_code_is_told_in_sentences(code: Code) -> None:
    assert code.id.startswith("NS")
    assert len(code.id) == 6
    assert code.title
    assert not code.title.endswith(".")
    assert len(code.story.split()) >= 12, "a story says what it means, why, and how to repair it"
    assert code.story.endswith((".", "`"))
