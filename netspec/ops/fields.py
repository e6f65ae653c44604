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


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _padding(value: object) -> object:
    """A word, a number, one an axis, or a pair an axis; numbers become pairs."""
    if isinstance(value, str):
        if value not in WORDS:
            text = f"no padding is called `{value}`{did_you_mean(value, WORDS)}"
            raise PydanticCustomError("padding", "{text}", {"text": text})
        return value
    if isinstance(value, tuple):
        return value
    parts = value if isinstance(value, list) else [value]
    pads: list[Pair] = []
    for part in parts:
        pair = part if isinstance(part, list) and len(part) == 2 else [part, part]
        if not all(_whole(each) and each >= 0 for each in pair):
            raise PydanticCustomError(
                "padding",
                "padding is a word (valid, same, half, full, causal), a whole number from 0, one an axis, "
                "or a pair an axis",
            )
        pads.append((pair[0], pair[1]))
    # A lone number stands for every axis; a list is one an axis, so its length is checked against the input.
    return pads[0][0] if not isinstance(value, list) else tuple(pads)


Padding = Annotated[PaddingWord | int | Pads, BeforeValidator(_padding)]
