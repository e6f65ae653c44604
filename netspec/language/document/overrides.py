"""Settings from the command line, laid over what an author wrote, with a place of their own."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.diagnostics import Span
from netspec.language.reading import values
from netspec.language.reading.values import Entry, Listing, Scalar, Value

ONE_NAME = "optimizer"
"""The setting that is a mapping of one name."""


def given_as(key: str) -> str:
    """What a setting from outside is called where a diagnostic has the name of a file."""
    return f"train.{key}"


def overlay(written: values.Mapping | None, overrides: Mapping[str, object], file: str) -> values.Mapping:
    """What was written with these settings in place; a dotted key goes inside, and what is in its way yields.

    A recipe has one optimiser: a setting of another one than is written takes the place of the whole.
    """
    whole = written if written is not None else values.Mapping({}, Span(file, 1, 1, 1, 1))
    for key, value in overrides.items():
        span = Span(given_as(key), 0, 0, 0, 0)
        path = key.split(".")
        if path[0] == ONE_NAME and len(path) > 1 and ONE_NAME in whole.entries:
            written_one = whole.entries[ONE_NAME].value
            if isinstance(written_one, values.Mapping) and path[1] not in written_one.entries:
                whole = _put(whole, path[:1], values.Mapping({}, span), span)
        whole = _put(whole, path, positioned(value, span), span)
    return whole


def positioned(value: object, span: Span) -> Value:
    """A plain value as one that has a place."""
    if isinstance(value, dict):
        return values.Mapping(
            {str(key): Entry(span, positioned(each, span)) for key, each in value.items()}, span
        )
    if isinstance(value, list | tuple):
        return Listing(tuple(positioned(each, span) for each in value), span)
    if isinstance(value, bool):
        return Scalar(value, span, str(value).lower())
    if isinstance(value, str | int | float):
        return Scalar(value, span, str(value))
    return Scalar(None, span, "" if value is None else str(value))


def _put(target: Value, path: list[str], value: Value, span: Span) -> values.Mapping:
    entries = dict(target.entries) if isinstance(target, values.Mapping) else {}
    place = target.span if isinstance(target, values.Mapping) else span
    head, *rest = path
    old = entries[head].value if head in entries else values.Mapping({}, span)
    entries[head] = Entry(span, _put(old, rest, value, span) if rest else value)
    return values.Mapping(entries, place)
