"""The positioned values of a spec: each value with its place in the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from netspec.dataclass import dataclass
from netspec.diagnostics.span import Span


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, a number, a boolean or nothing. `text` is the text as written, without quotes."""

    value: str | int | float | bool | None
    span: Span
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A YAML list; its span starts at the bracket or at the first dash."""

    items: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping."""

    key_span: Span
    value: Value


@dataclass(frozen=True, slots=True)
class Mapping:
    """A YAML mapping; its span starts at the brace or at the first key."""

    entries: dict[str, Entry]
    span: Span


Value: TypeAlias = Scalar | Listing | Mapping


def plain(value: Value) -> object:
    """The value as dicts, lists and Python's scalars."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Listing):
        return [plain(item) for item in value.items]
    return {key: plain(entry.value) for key, entry in value.entries.items()}


def locate(value: Value, loc: Sequence[str | int]) -> Span:
    """The span of a pydantic location, or of the nearest enclosing value that exists."""
    return _walk(value, loc)[1].span


def locate_key(value: Value, loc: Sequence[str | int]) -> Span:
    """The span of the last key of a pydantic location; for a list, that of the item."""
    key_span, found = _walk(value, loc)
    return key_span or found.span


def _walk(value: Value, loc: Sequence[str | int]) -> tuple[Span | None, Value]:
    key_span: Span | None = None
    for part in loc:
        if isinstance(value, Mapping):
            entry = value.entries.get(str(part))
            if entry is None:
                return None, value
            key_span, value = entry.key_span, entry.value
        elif isinstance(value, Listing) and isinstance(part, int):
            if not 0 <= part < len(value.items):
                return None, value
            key_span, value = None, value.items[part]
        # A word next to a list or a scalar is pydantic's name for a member of a union: not a step in the text.
    return key_span, value
