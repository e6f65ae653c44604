"""Merges settings from the command line into the recipe of a spec; each keeps its own place for diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from netspec.diagnostics import Span
from netspec.language.reading import values
from netspec.language.reading.values import Entry, Listing, Scalar, Value

if TYPE_CHECKING:
    from netspec.language.document.settings import Family

Places: TypeAlias = Mapping[tuple[str, ...], Span]
"""The places of settings, by their paths of keys."""


def given_as(key: str) -> str:
    """The text that stands for the file name in a diagnostic about a setting from the command line."""
    return f"train.{key}"


def overlay(
    whole: values.Mapping, overrides: Mapping[str, object], choices: Mapping[str, Family]
) -> values.Mapping:
    """The recipe with these settings. A key with dots sets a nested value, and replaces a value in its way.

    `choices` are the settings that are one of a family. A recipe has one optimiser: a setting of another optimiser than
    the one in the recipe replaces the optimiser. `optimizer.momentum` is a setting of the one in the recipe.
    """
    for key, value in overrides.items():
        span = Span(given_as(key), 0, 0, 0, 0)
        path = key.split(".")
        if path[0] in choices and len(path) > 1:
            whole, path = _chosen(whole, path, choices[path[0]], span)
        whole = _put(whole, path, positioned_value(value, span), span)
    return whole


def _chosen(
    whole: values.Mapping, path: list[str], family: Family, span: Span
) -> tuple[values.Mapping, list[str]]:
    """The recipe and the path with the name of the one that is chosen in a family."""
    field, first, *rest = path
    entry = whole.entries.get(field)
    named = None if entry is None else entry.value
    if isinstance(named, Scalar) and isinstance(named.value, str):
        named = values.Mapping({named.value: Entry(named.span, Scalar(None, named.span, ""))}, named.span)
        whole = _put(whole, [field], named, span)
    present = list(named.entries) if isinstance(named, values.Mapping) else []
    if (
        family.model(first) is not None or rest
    ):  # another one, or a misspelt one, replaces the one in the recipe
        return (whole if first in present else _put(whole, [field], values.Mapping({}, span), span)), path
    return whole, [field, present[0] if present else family.default, first]


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
