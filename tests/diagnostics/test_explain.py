"""`netspec explain`: the story, the example, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from netspec.diagnostics import Diagnostic, Problems
from netspec.diagnostics.explain import UnknownCode, explain
from netspec.language.reading.source import read


def check(text: str, file: str) -> Sequence[Diagnostic]:
    problems = Problems()
    read(text, file, problems)
    return problems.in_order()


def test_a_code_is_explained() -> None:
    text = explain("ns0007", check)
    assert text.startswith("NS0007: a tab in the indentation\n\nYAML allows only spaces for indentation")
    assert "For example\n\n    netspec: 1\n    name: tabbed\n" in text
    assert "    →   - relu\n\ngives\n\n    error[NS0007]: this line is indented with a tab\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_code_without_an_example_is_explained() -> None:
    text = explain("NS0001", check)
    assert "For example" not in text
    assert text.endswith("zoo.")


@pytest.mark.parametrize(
    ("code", "said"),
    [("NS0O07", "similar codes are NS0"), ("nonsense", "codes look like"), ("\x1b", "\\x1b")],
)
def test_an_unknown_code_is_told(code: str, said: str) -> None:
    with pytest.raises(UnknownCode) as raised:
        explain(code, check)
    assert said in str(raised.value)
