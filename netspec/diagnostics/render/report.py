"""The input of the renderers of a whole run, and escaping of text that is not safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from netspec.diagnostics.diagnostic import Diagnostic

DiagnosticsByFile: TypeAlias = Sequence[tuple[str, Sequence[Diagnostic]]]
"""The checked files: the path as shown and the diagnostics of each file, including files without any."""


def is_ok(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether a file has no errors; warnings do not count."""
    return all(each.severity != "error" for each in diagnostics)


def printable(text: str) -> str:
    """The text with control characters and halves of surrogate pairs escaped; a spec can contain them."""
    if text.isprintable():
        return text
    return "".join(each if each == "\n" or _is_safe(each) else _escape(each) for each in text)


def _is_safe(sign: str) -> bool:
    # Format and private characters are harmless; control characters can control the terminal.
    return sign.isprintable() or (sign.isspace() and ord(sign) >= 0xA0)


def _escape(sign: str) -> str:
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
