"""What every renderer of a whole run takes, and how text is made safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from netspec.diagnostics.diagnostic import Diagnostic

Report: TypeAlias = Sequence[tuple[str, Sequence[Diagnostic]]]
"""Each file that was checked, by its path as shown, with what was found in it; clean files too."""


def is_ok(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether a file holds: warnings do not count against it."""
    return all(each.severity != "error" for each in diagnostics)


def printable(text: str) -> str:
    """The text without control characters and halves of surrogate pairs, which a spec could quote."""
    if text.isprintable():
        return text
    return "".join(each if each == "\n" or _is_safe(each) else _escape(each) for each in text)


def _is_safe(sign: str) -> bool:
    # Format and private characters are strange but harmless; control characters steer the terminal.
    return sign.isprintable() or (sign.isspace() and ord(sign) >= 0xA0)


def _escape(sign: str) -> str:
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
