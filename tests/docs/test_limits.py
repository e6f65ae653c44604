"""The table of limits in the description of the language has the numbers of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import SHOWN
from netspec.language.document import skeleton
from netspec.language.elaboration import arguments, walk
from netspec.language.expressions import expression, parser
from netspec.language.reading import build, source

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        f"{source.SIZE_LIMIT // 10**6} MB, {build.VALUE_LIMIT:,} values, {build.DEPTH_LIMIT} levels",
        f"| {walk.LAYER_LIMIT:,} layers",
        f"inside each other | {walk.DEPTH_LIMIT} |",
        f"or of a block | {skeleton.PARAMETER_LIMIT:,} |",
        f"| {arguments.VALUE_LIMIT:,} values, {arguments.NESTING} levels |",
        f"| {expression.LENGTH_LIMIT:,} characters, {parser.DEPTH_LIMIT} levels |",
        f"shows | {SHOWN} |",
    ],
)
def test_the_page_has_the_limits_of_the_code(words: str) -> None:
    assert words in PAGE
