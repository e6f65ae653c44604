"""Follows what a diagnostic advises, as a newcomer would who does just that, and checks the spec again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from netspec.check import check_text
from netspec.diagnostics import Diagnostic
from netspec.graph import Graph
from tests.language.author import FILE

QUOTED = re.compile(r"`([^`]*)`")
WRITTEN = re.compile(r"(?:write|use|did you mean) `([^`]*)`")
"""How a help starts whose quoted text takes the place of what the caret marks."""


@dataclass(frozen=True)
class Followed:
    """The spec after the advice, its graph if it is valid now, and what is still said about it."""

    text: str
    graph: Graph | None
    left: tuple[Diagnostic, ...]


def can_be_followed(diagnostic: Diagnostic, text: str = "") -> bool:
    """Whether the help says a whole text to write, without a part that is left to the author.

    A help in the form of an item with its dash does not fit into brackets; with `text` that counts.
    """
    written = WRITTEN.match(diagnostic.help or "")
    if written is None or "…" in written.group():
        return False
    if not text or not written.group(1).startswith("- "):
        return True
    return text.split("\n")[diagnostic.span.line - 1].lstrip().startswith("- ")


def follow(text: str, diagnostic: Diagnostic) -> Followed:
    """Write what the help says where the caret stands."""
    written = WRITTEN.match(diagnostic.help or "")
    assert written is not None, diagnostic.help
    changed = _written(text, diagnostic, written.group(1))
    graph, left = check_text(changed, FILE)
    return Followed(changed, graph, tuple(left))


def follow_all(text: str, most: int = 20) -> Followed:
    """Follow the last advice, check again, and so on until nothing is wrong or nothing can be followed."""
    graph, found = check_text(text, FILE)
    for _ in range(most):
        here = [each for each in found if each.severity == "error" and can_be_followed(each)]
        if not here:
            break
        step = follow(text, here[-1])
        text, graph, found = step.text, step.graph, list(step.left)
    return Followed(text, graph, tuple(found))


def _written(text: str, diagnostic: Diagnostic, new: str) -> str:
    span = diagnostic.span
    lines = text.split("\n")
    first, last = lines[span.line - 1], lines[span.end_line - 1]
    before, after = first[: span.column - 1], last[span.end_column - 1 :]
    key = re.match(r"-? *([\w]+):(?= |$)", new)
    item = re.match(r"( *- )(?:\{?)$", before)
    if new.startswith("- "):
        return _as_item(lines, diagnostic, new)
    if key and item and after.startswith(":"):
        # A whole item stands in the place of a whole item.
        return _as_item(lines, diagnostic, f"- {new}")
    if key and re.search(rf"\b{key.group(1)}: *$", before):
        before = before[: before.rindex(key.group(1))]
    lines[span.line - 1 : span.end_line] = [before + new + after]
    return "\n".join(lines)


def _as_item(lines: list[str], diagnostic: Diagnostic, new: str) -> str:
    """Put an item in the place of the one at the caret: its line, and deeper ones below it."""
    start = diagnostic.span.line - 1
    while not lines[start].lstrip().startswith("- "):
        start -= 1
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and lines[end].strip() and len(lines[end]) - len(lines[end].lstrip()) > indent:
        end += 1
    return "\n".join([*lines[:start], " " * indent + new, *lines[end:]])


def quoted_items(help: str) -> Iterator[str]:
    """What a help quotes that is a whole text to write."""
    for found in QUOTED.finditer(help):
        if "…" not in found.group():
            yield found.group(1)
