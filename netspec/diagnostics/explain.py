"""Explains a code: its story, an example with the problem, and the report for this example."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from netspec.diagnostics.catalogue import CODES
from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import printable
from netspec.diagnostics.render.text import as_text

EXAMPLE_FILE = "example.yaml"
"""The file name of an example in a report."""

_WIDTH = 88


class UnknownCode(LookupError):
    """No diagnostic has this code; the message names the most similar codes."""


def explain(code: str, check: Callable[[str, str], Sequence[Diagnostic]]) -> str:
    """The title, story and example of a code, and the problems that `check(text, file)` finds in the example.

    Raises UnknownCode.
    """
    told = CODES.get(code.strip().upper())
    if told is None:
        raise UnknownCode(_unknown(code))
    parts = [f"{told.id}: {told.title}", "\n".join(textwrap.wrap(told.story, _WIDTH))]
    if told.example:
        found = as_text(check(told.example, EXAMPLE_FILE), {EXAMPLE_FILE: told.example})
        parts += ["For example", _indented(_lines(told.example)), "gives", _indented(found)]
    return "\n\n".join(parts)


def _lines(example: str) -> str:
    return "\n".join(printable(line.replace("\t", "→   ")) for line in example.splitlines())


def _indented(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ")


def _unknown(code: str) -> str:
    near = get_close_matches(code.strip().upper(), CODES, n=3)
    hint = f"; similar codes are {', '.join(near)}" if near else "; codes look like NS0301"
    return f"there is no code `{printable(code)[:40]}`{hint}"
