"""The kinds of field that several ops share: one number or one an axis, paddings, whole numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from netspec.ops.nearest import did_you_mean

Pair = tuple[int, int]
Pads = tuple[Pair, ...]

PaddingWord = Literal["valid", "same", "half", "full", "causal"]
WORDS: tuple[str, ...] = ("valid", "same", "half", "full", "causal")


def _per_axis(value: object) -> object:
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, int) else value


Positive = Annotated[int, Field(ge=1)]
PerAxis = Annotated[tuple[Positive, ...], BeforeValidator(_per_axis), Field(min_length=1, max_length=3)]
"""`3`, or one an axis: `[3, 5]`."""

Natural = Annotated[int, Field(ge=0)]
Counts = Annotated[tuple[Natural, ...], BeforeValidator(_per_axis), Field(min_length=1, max_length=3)]
"""As `PerAxis`, from 0."""


def _tuples(value: object) -> object:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


Table = Annotated[tuple[tuple[Natural, ...], ...], BeforeValidator(_tuples)]
"""A list of whole numbers for each of several things."""


def _padding(value: object) -> object:
    """A word, a number, one an axis, or a pair an axis; numbers become pairs."""
    if isinstance(value, str) and value not in WORDS:
        text = f"no padding is called `{value}`{did_you_mean(value, WORDS)}"
        raise PydanticCustomError("padding", "{text}", {"text": text})
    if isinstance(value, str | tuple):
        return value
    if not isinstance(value, list):
        return _pair(value)[0]
    return tuple(_pair(part) for part in value)


def _pair(part: object) -> Pair:
    """`2` is a pair of equal pads; `[2, 1]` says both."""
    match part if isinstance(part, list) else [part, part]:
        case [int() as lo, int() as hi] if (
            not isinstance(lo, bool) and not isinstance(hi, bool) and min(lo, hi) >= 0
        ):
            return lo, hi
    raise PydanticCustomError(
        "padding",
        "padding is a word (valid, same, half, full, causal), a whole number from 0, one an axis, or a pair an axis",
    )


def _amounts(value: object) -> object:
    return value if isinstance(value, str) else _padding(value)


Amounts = Annotated[int | Pads, BeforeValidator(_amounts)]
"""What is added or taken at both ends: a number, one an axis, or a pair an axis."""

Padding = Annotated[PaddingWord | int | Pads, BeforeValidator(_padding)]
