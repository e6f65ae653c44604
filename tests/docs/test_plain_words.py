"""Docs, messages, docstrings and comments are plain technical English: old turns of phrase do not come back.

CONTRIBUTING.md asks for short sentences and the words of docs/terms.md. A machine cannot check that, but it can find
the turns that made the old text hard to read. Each pattern has the words to use instead.
"""

from __future__ import annotations

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
]
SOURCES = [
    path for name in ("netspec", "cli", "backends", "docs") for path in sorted((ROOT / name).rglob("*.py"))
]

# A turn, as a pattern, and the words to use instead.
TURNS = {
    r"told|tell(?:s|ing)?(?!:)": "shows, reports, says",
    r"mend(?:s|ed|ing)?": "fix",
    r"alone": "only",
    r"(?:held|holds?) (?:it |them |itself |the network )?to\b(?! be)": "check, verify",
    r"speaks?(?: of)?": "supports, describes",
    r"learnt": "trained, trainable",
    r"anew": "again",
    r"(?<!there )(?:is|are|was|were) no (?!longer|more\b|less\b|such|current)": "is not a",
    r"stands? (?:twice|behind|beside|below|alone|inside each other)": "appears twice, is after, is nested",
    r"(?:one|number|value|line|pair) an? (?:axis|channel|sample|class|layer|step|epoch|file)": "one per axis",
    r"whoever|somebody|nobody|anybody|everybody": "name the one who acts",
    r"work(?:s|ed)? out": "compute, evaluate",
    r"blanks?(?! lines?)": "space",
    r"write(?:s|n)? over|written over": "overwrite",
    r"gives? back": "returns, restores",
    r"as (?:it|they) stands?": "unchanged, as written",
}
TURN = re.compile(
    "|".join(rf"(?P<t{number}>\b(?:{turn})\b)" for number, turn in enumerate(TURNS)), re.IGNORECASE
)
FIELD = re.compile(r"(?<!\{)\{[^{}]*\}")
"""What a format string puts in: code, and no prose."""
QUOTED = re.compile(r"`[^`]*`|“[^”]*”")


def found(text: str) -> Iterator[tuple[int, str]]:
    """The turns in a text, also across its lines: the line, and the words with what to use instead."""
    lines = [QUOTED.sub("`…`", line).strip() for line in text.split("\n")]
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    for match in TURN.finditer(" ".join(lines)):
        assert match.lastgroup is not None
        number = bisect_right(starts, match.start()) - 1
        yield number, f"{match.group()!r} (use: {list(TURNS.values())[int(match.lastgroup[1:])]})"


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a source, each with its line: strings, f-strings and comments."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            is_format = re.match(r"[rRbB]?[fF]", token.string)
            yield token.start[0], FIELD.sub("{}", token.string) if is_format else token.string


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_no_old_turns(path: Path) -> None:
    if path.name in EXEMPT:
        pytest.skip(EXEMPT[path.name])
    text = re.sub(
        r"^```.*?^```$",
        lambda code: "\n" * code[0].count("\n"),
        path.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    assert not [f"{path.name}:{number + 1}: {turn}" for number, turn in found(text)]


def test_the_sources_have_no_old_turns() -> None:
    turns = [
        f"{path.relative_to(ROOT)}:{line + number}: {turn}"
        for path in SOURCES
        for line, text in prose(path)
        for number, turn in found(text)
    ]
    assert not turns, "\n".join(turns)


def test_an_old_turn_would_be_found() -> None:
    """One example of each, in the words of the old text."""
    old = [
        "the others are told by name",
        "to mend it",
        "of sequences alone",
        "it was not held to what it expects",
        "this version speaks version 1",
        "a learnt slope",
        "it is written anew",
        "a boolean is no number",
        "a key stands twice",
        "one an axis",
        "whoever reads it",
        "it is worked out",
        "nothing but blanks",
        "files are written over",
        "it gives back the size",
        "taken as they stand",
    ]
    assert len(old) == len(TURNS)
    for pattern, text in zip(TURNS, old, strict=True):
        assert re.search(rf"\b(?:{pattern})\b", text), (pattern, text)
        assert list(found(text)), text
    assert [number for number, _ in found("it is\nwritten, one number\n    a sample")] == [1]
    assert not list(found("the figure is no longer unavailable; `told` is a name, and there is no such file"))


EXEMPT = {"terms.md": "it lists the words to avoid"}
