"""Products of tensors with names, and a choice between two by a third."""

from __future__ import annotations

from typing import Any

from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.draw import Draw
from tests.random_networks.meeting import Item
from tests.random_networks.recipes import is_small, outcome
from tests.random_networks.rooms import Room


def multiplied(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """The current tensor with itself or with another one of its type: as matrices, or by the names of the axes."""
    draw = author.draw
    first, second = author.names.layer(room), author.names.layer(room)
    other: list[Item] = [{draw.either("tanh", "sigmoid"): None, "name": second}]
    right = type_
    if draw.chance(0.5) and type_.spatial:
        axes = ["channels", *type_.axes]
        axes[-2:] = reversed(axes[-2:])
        other.insert(0, {"permute": axes})
        right = Type(*_split([type_.shape[("channels", *type_.axes).index(axis)] for axis in axes]))
        keyword, fields = "matmul", {}
    else:
        keyword, fields = "contract", {"axes": _contraction(draw, type_)}
    result = outcome(keyword, fields, (type_, right))
    if result is None or not is_small(result):
        return None
    room.values |= {first: type_, second: right}
    argument: Any = fields["axes"] if fields and draw.chance(0.6) else fields or None
    items: list[Item] = [{"tanh": None, "name": first}, *other]
    return [*items, {keyword: argument, "from": [first, second]}], result


def _split(shape: list[int]) -> tuple[int, tuple[int, ...]]:
    return shape[0], tuple(shape[1:])


def _contraction(draw: Draw, type_: Type) -> str:
    """A text for two tensors of one type."""
    words = draw.either(["channels", "time", "rows", "columns"], ["c", "t", "h", "w"])[: type_.rank]
    own = [word if draw.chance(0.7) else f"{word}2" for word in words]
    left = draw.shuffled(list(dict.fromkeys([*words, *own])))
    made = left[: draw.randint(1, min(4, len(left)))]
    return f"{' '.join(words)}, {' '.join(own)} -> {' '.join(made)}"


def chosen(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """One of two tensors, by the steps of a third."""
    draw = author.draw
    names = [author.names.layer(room) for _ in range(3)]
    room.values |= dict.fromkeys(names, type_)
    source, one, other = names
    rows: list[Item] = [{"identity": None, "name": source}]
    if draw.chance(0.5):
        rows += [
            {"step": draw.choice([0.375, -0.25]), "name": one},
            {"tanh": None, "from": source, "name": other},
        ]
        return [*rows, {"where": None, "from": [one, other, source]}], type_
    rows += [{"scale_by": 0.5, "name": one}, {"tanh": None, "from": source, "name": other}]
    return [*rows, {"where": None, "from": names}], type_
