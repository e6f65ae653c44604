"""The names that an expression can use: values by name, and sizes of layers by their paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netspec.language.expressions.refusal import Refusal

Find = Callable[[tuple[str, ...], str], object]
"""Gives a property (`height`) of what a path of names refers to. Raises Refusal, without columns, if it has none."""

AXES_OF_POSITIONS = ("time", "depth", "height", "width")
PROPERTIES = ("channels", *AXES_OF_POSITIONS, "index", "count")
"""What an expression can ask of a name: sizes of a tensor, the number of a repetition, the calls of a block so far."""


class KnownNames(dict[str, object]):
    """Values by name, and the function that finds layers."""

    __slots__ = ("find",)

    def __init__(self, values: Mapping[str, object], find: Find) -> None:
        super().__init__(values)
        self.find = find


def property_of(names: Mapping[str, object], path: tuple[str, ...], part: str) -> object:
    """The property of what a path refers to, or None if it cannot be used: for notes."""
    try:
        return names.find(path, part) if isinstance(names, KnownNames) else None
    except Refusal:
        return None
