"""Groups and repeats, there or not by a condition, another each time by the index."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.blocks import a_call
from tests.random_networks.branching import branches
from tests.random_networks.layers import an_op
from tests.random_networks.rooms import Room
from tests.random_networks.walks import has_key


def a_group(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Items in a parenthesis, or with a name in a scope; there or not by a condition."""
    draw = author.draw
    name = author.names.layer(room) if draw.chance(0.6) else None
    sometimes = draw.chance(0.3)
    # What may be left out gives no names to what follows.
    hidden = Room(outer=room, taken=room.taken if name is None else set())
    inside = hidden if name is not None or sometimes else room
    items, after = author.chain(inside, type_, draw.randint(1, 3), depth)
    if not items:
        return None
    group: dict[str, Any] = {"layers": items}
    if sometimes:
        others, _ = author.chain(Room(taken=set(inside.taken)), type_, draw.randint(1, 2), min(depth, 0))
        channels = type_.channels or 0
        if draw.chance(0.5):
            group |= {"when": draw.either(True, f"${{in.channels == {channels}}}", "${1 < 2}")}
            group |= {"else": others} if draw.chance(0.5) else {}
        else:
            group = {
                "layers": others,
                "when": draw.either(False, f"${{in.channels > {channels}}}"),
                "else": items,
            }
    if draw.chance(0.1) and not has_key(items, "share"):
        group["trainable"] = False
        inside.owners.clear()
    if name is not None:
        group["name"] = name
    if name is not None and not sometimes:
        room.values[name] = after
        room.values |= {f"{name}.{path}": each for path, each in inside.values.items()}
    return [group], after


def a_repeat(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Something several times, at times another each time."""
    draw = author.draw
    alone = Room()
    kind = draw.weighted({an_op: 2.0, a_group: 2.0, a_call: 4.0, branches: 2.0})
    part = kind(author, alone, type_, min(depth, 1))
    if part is None or len(part[0]) != 1 or (isinstance(part[0][0], dict) and "share" in part[0][0]):
        return None
    item = part[0][0]
    item = {item: None} if isinstance(item, str) else deepcopy(item)
    item.pop("name", None)
    item["repeat"] = draw.randint(1, 3)
    if draw.chance(0.5):
        varied = _by_index(author, item)
        if author.result([varied], type_) is not None:
            item = varied
    name = author.names.layer(room) if draw.chance(0.7) else None
    if name is not None:
        item["name"] = name
    graph = author.attempt([item], {"input": type_})
    if graph is None:
        return None
    room.learn(graph, name)
    return [item], graph.types[graph.outputs[0].value]


def _by_index(author: Author, item: dict[str, Any]) -> dict[str, Any]:
    """The item with one of its numbers dependent on the repetition."""
    keyword, argument = next(iter(item.items()))
    fields = dict(argument) if isinstance(argument, dict) else {}
    numbers = [key for key, value in fields.items() if type(value) is int]
    if keyword == "layers" or not numbers:
        return item
    key = author.draw.choice(numbers)
    value = fields[key]
    text = author.draw.either(
        f"${{{value} + index}}", f"${{{value} if index == 0 else 1}}", f"${{max(1, {value} - index)}}"
    )
    return {**item, keyword: {**fields, key: text}}
