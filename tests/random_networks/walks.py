"""Walks through items as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from netspec.ops import OPS
from tests.random_networks.draw import Fields
from tests.random_networks.meeting import Item


def fields_in(items: list[Item]) -> Iterator[tuple[str, Fields]]:
    """The mapping of fields of every op below these items, to be changed in place."""
    for item in items:
        if not isinstance(item, dict):
            continue
        for key, value in item.items():
            if key in ("layers", "else"):
                yield from fields_in(value)
            elif key in OPS and OPS[key].merges:
                rows = value.get("branches", []) if isinstance(value, dict) else value or []
                for row in rows:
                    yield from fields_in(row)
            elif key in OPS and isinstance(value, dict):
                yield key, value


def has_key(item: Item, *keys: str) -> bool:
    """Whether one of the keys stands anywhere in an item, or in a list of items."""
    if isinstance(item, list):
        return any(has_key(each, *keys) for each in item)
    if not isinstance(item, dict):
        return False
    return any(key in item for key in keys) or any(has_key(each, *keys) for each in item.values())
