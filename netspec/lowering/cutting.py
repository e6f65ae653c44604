"""Cuts the text of a helper to the parts that a network needs."""

from __future__ import annotations

from collections.abc import Collection

Parts = Collection[str]
"""The parts of helpers that a network needs."""

MARK = "  #: "
"""Before the condition of a line: `a !b | c`, for a network that needs `a` and not `b`, or `c`."""


def cut(text: str, parts: Parts, **words: str) -> str:
    """The lines of a text whose condition holds, without the conditions; `$word` stands for one of the words."""
    from string import Template  # most networks need no helper

    rows = (line.partition(MARK) for line in text.split("\n"))
    kept = "\n".join(code for code, _, condition in rows if _holds(condition, parts))
    return Template(kept).substitute(words).rstrip("\n")


def _holds(condition: str, parts: Parts) -> bool:
    return any(
        all((word[1:] not in parts) if word.startswith("!") else word in parts for word in each.split())
        for each in condition.split("|")
    )
