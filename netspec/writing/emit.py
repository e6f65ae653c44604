"""Writes plain data as one line of YAML that reads back as the same data."""

from __future__ import annotations

import re
from collections.abc import Mapping

from netspec.language.reading.scalars import OutOfRange, interpret

# Words that are plain text everywhere in YAML, also in brackets: no special character, no space at an end.
_PLAIN = re.compile(r"[A-Za-z_](?:[\w .;()×/–-]*[\w.;()×/–-])?", re.ASCII)
_ESCAPES = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def emit(value: object) -> str:
    """The YAML of None, a boolean, a number, a text, a list or a mapping of them, in flow style."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{emit(key)}: {emit(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(emit, value)) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A text: without quotes if it reads back as text, else in quotes; unprintable characters are escaped."""
    if _PLAIN.fullmatch(text) and _is_word(text):
        return text
    if text.isprintable() and "'" not in text:
        return f"'{text}'"
    return '"' + "".join(map(_sign, text)) + '"'


def _is_word(text: str) -> bool:
    try:
        return interpret(text) == text
    except OutOfRange:
        return False


def _sign(sign: str) -> str:
    if sign in _ESCAPES or sign.isprintable():
        return _ESCAPES.get(sign, sign)
    number = ord(sign)
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )
