"""Every wrong spec in the tests of the language, with each help that says what to write followed to the letter.

The problem is gone then, and the text is still YAML.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from tests.language.author import FILE, OPEN, unmarked
from tests.language.follow import can_be_followed, follow

FILES = sorted(Path(__file__).parent.rglob("test_*.py"))
FORMS = ("{}", "layers: [{}]", "layers:\n  - {}", "heads: {{}}\nlayers: [relu]")
"""Tables of the tests hold whole specs, or an item, or a head."""

# What stands beside the wrong key makes the right one a second of its kind.
EXEMPT = {"did you mean `input`?"}


def marked(file: Path) -> Iterator[str]:
    """The specs and parts of specs in a test, which hold a mark for the place of a diagnostic."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPEN in node.value:
            for form in FORMS:
                yield form.replace("{}", node.value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_help_that_is_followed_solves_its_problem(file: Path) -> None:
    seen = set()
    for text in marked(file):
        try:
            plain, _ = unmarked(text)
        except ValueError:
            continue  # the constant is part of a text that is put together
        for each in check_text(plain, FILE)[1]:
            key = (each.code.id, each.message, each.help)
            if key in seen or not can_be_followed(each, plain) or each.help in EXEMPT:
                continue
            seen.add(key)
            after = follow(plain, each)
            left = [
                other
                for other in after.left
                if other.code.id.startswith("NS00")
                or (other.code, other.message, other.span.line) == (each.code, each.message, each.span.line)
            ]
            assert not left, (
                f"{as_text([each], {FILE: plain})}\n{after.text}\n{as_text(left, {FILE: after.text})}"
            )
