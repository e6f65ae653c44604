"""Merges settings from the command line into the recipe of a spec; each keeps its own place for diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from netspec.diagnostics import Span
from netspec.language.reading import values
from netspec.language.reading.values import Entry, Listing, Scalar, Value

Places: TypeAlias = Mapping[tuple[str, ...], Span]
"""The places of settings, by their paths of keys."""

ONE_NAME = "optimizer"
"""The setting that is a mapping with one name."""


def given_as(key: str) -> str:
    """The text that stands for the file name in a diagnostic about a setting from the command line."""
    return f"train.{key}"


def overlay(whole: values.Mapping, overrides: Mapping[str, object]) -> values.Mapping:
    """The recipe with these settings. A key with dots sets a nested value, and replaces a value in its way.

    A recipe has one optimiser: a setting of another optimiser than the one in the recipe replaces the optimiser.
    """
    for key, value in overrides.items():
        span = Span(given_as(key), 0, 0, 0, 0)
        path = key.split(".")
        if path[0] == ONE_NAME and len(path) > 1 and ONE_NAME in whole.entries:
            named = whole.entries[ONE_NAME].value
            if isinstance(named, values.Mapping) and path[1] not in named.entries:
                whole = _put(whole, path[:1], values.Mapping({}, span), span)
        whole = _put(whole, path, positioned_value(value, span), span)
    return whole


def positioned(
    settings: Mapping[str, object], span: Span, places: Places, path: tuple[str, ...] = ()
) -> values.Mapping:
    """Plain settings as a positioned mapping; a part without a place gets that of its parent."""
    entries = {}
    for key, value in settings.items():
        inner = (*path, key)
        place = places.get(inner, span)
        entry = (
            positioned(value, place, places, inner)
            if isinstance(value, dict)
            else positioned_value(value, place)
        )
        entries[key] = Entry(place, entry)
    return values.Mapping(entries, span)


def positioned_value(value: object, span: Span) -> Value:
    """A plain value as a positioned value; all its parts have the same place."""
    if isinstance(value, dict):
        entries = {str(key): Entry(span, positioned_value(each, span)) for key, each in value.items()}
        return values.Mapping(entries, span)
    if isinstance(value, list | tuple):
        return Listing(tuple(positioned_value(each, span) for each in value), span)
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
