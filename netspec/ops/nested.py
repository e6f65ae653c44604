"""Numbers in lists in each other, as a spec gives a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netspec.ops.fields import refusal

Nested = tuple[Any, ...] | float
"""A number, or lists of lists of numbers, all of one length at each depth."""


def nested(value: object) -> Nested:
    """Lists in lists as tuples.

    Raises:
        RefusedValue: lists beside each other differ in length, or something is not a finite number.
    """
    if isinstance(value, list | tuple):
        items = tuple(nested(each) for each in value)
        if not items or len({shape_of(each) for each in items}) > 1:
            raise refusal(
                "numbers",
                "lists beside each other must have equal lengths, and none can be empty",
                "give each list as many values as the ones beside it",
            )
        return items
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        advice = "write a finite number; the largest float32 is 3.4e38"
        raise refusal("numbers", f"`{value!r}` is not a finite number", advice)
    return float(value)


def shape_of(value: Nested) -> tuple[int, ...]:
    """The shape of nested lists: the length of the outermost list first; () for a number."""
    return (len(value), *shape_of(value[0])) if isinstance(value, tuple) else ()


def flat(value: Nested) -> Iterator[float]:
    """The numbers in row-major order: the last axis varies fastest."""
    if isinstance(value, tuple):
        for each in value:
            yield from flat(each)
    else:
        yield value
