"""Inputs of indices, looked up, and tensors that are cut into parts and joined again."""

from __future__ import annotations

from typing import Any

from netspec.ops.split import Split
from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.draw import Fields
from tests.random_networks.meeting import Item
from tests.random_networks.recipes import RECIPES, is_small, outcome, resolved
from tests.random_networks.rooms import Room

PARTS = ("a", "b", "c")


def words(author: Author) -> Type:
    """The one input of the network, which holds indices."""
    draw = author.draw
    sizes = tuple(draw.randint(2, 6) for _ in range(draw.randint(1, 2)))
    count = draw.randint(3, 7)
    author.main["input"] = {"shape": list(sizes), "vocabulary": count}
    return Type(None, sizes, "int", vocabulary=count)


def look_up(author: Author, room: Room, type_: Type) -> Part:
    """Items that make numbers of indices, which may be moved before; the vectors may also give the scores."""
    draw = author.draw
    axis = draw.choice(type_.axes)
    moved: list[Item] = [
        {"reverse": axis},
        {"roll": {"shift": 1, "axis": axis}},
        {"slice": {"start": 1, "axis": axis}},
        {"gather": {"positions": [1, 0, 0], "axis": axis}},
    ]
    items = [draw.choice(moved)] if draw.chance(0.3) else []
    sizes = list(type_.sizes)
    for item in items:
        place = type_.axes.index(axis)
        sizes[place] = 3 if "gather" in item else sizes[place] - ("slice" in item)
    count = type_.vocabulary or 1
    if draw.chance(0.3):
        return [*items, "one_hot"], Type(count, tuple(sizes))
    fields = RECIPES["embedding"](draw, type_)
    name = author.names.layer(room)
    result = Type(fields["units"], tuple(sizes))
    room.values[name] = result
    items.append({"embedding": fields, "name": name})
    if draw.chance(0.4):
        scores = {"dense": {"units": count, "bias": False, "activation": "none"}, "share": name}
        items += [draw.either("tanh", "identity"), scores]
        result = Type(count, tuple(sizes))
    return items, result


def _one_part(author: Author, room: Room, type_: Type, fields: Fields, part: str) -> Part | None:
    """A split of which one part is used."""
    op = resolved("split", fields, (type_,))
    assert isinstance(op, Split)
    result = op.outputs((type_,))[[name for name, _ in op.parts].index(part)]
    if not is_small(result):
        return None
    split = author.names.layer(room)
    after = author.draw.either("identity", "tanh")
    return [{"split": fields, "name": split}, {after: None, "from": f"{split}.{part}"}], result


def cut_and_joined(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A split, of which each part is used by its name, in any order."""
    draw = author.draw
    fields = RECIPES["split"](draw, type_)
    given: Any = fields["parts"]
    if outcome("split", fields, (type_,)) is None:
        return None
    names = draw.shuffled(list(given))
    if draw.chance(0.2):
        return _one_part(author, room, type_, fields, names[0])
    equal = isinstance(given, list) or len(set(given.values())) == 1
    split, joined = author.names.layer(room), author.names.layer(room)
    if equal and draw.chance(0.5):
        keyword, keys = draw.either("add", "multiply", "maximum", "minimum"), {}
        result = outcome("split", fields, (type_,))
    else:
        keyword, keys, result = "concat", {"axis": fields["axis"]}, type_
    assert result is not None
    if not is_small(result):
        return None
    room.values[joined] = result
    join: Item = {keyword: keys or None, "from": [f"{split}.{name}" for name in names], "name": joined}
    return [{"split": fields, "name": split}, join], result
