"""Tensors that attend to others."""

from __future__ import annotations

from math import prod

from netspec.types import Type
from tests.random_networks.attending import attention
from tests.random_networks.author import Author, Part
from tests.random_networks.meeting import Item
from tests.random_networks.rooms import Room


def attended(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A tensor that attends to a sequence that is made of it, or to several; at times with biases of the scores."""
    draw = author.draw
    if not type_.spatial:
        return None
    fields = {key: value for key, value in attention(draw, type_).items() if key not in ALONE}
    start = author.names.layer(room)
    items: list[Item] = [{draw.either("identity", "tanh"): None, "name": start}]
    room.values[start] = type_
    sources, keys = [start], type_
    steps = draw.randint(1, 5)
    for _ in range(draw.randint(0, 2)):
        channels = type_.channels or 1
        if fields.get("project", True):
            channels = draw.randint(1, 6)
        else:
            fields.pop("kv_heads", None)
        keys = Type(channels, (steps,))
        sources.append(_made(author, room, items, keys, start))
    if draw.chance(0.5):
        queries = prod(type_.sizes)
        count = queries if len(sources) == 1 else steps
        heads = draw.either(1, fields["heads"])
        if heads * queries * count <= LARGEST:
            sources.append(_made(author, room, items, Type(heads, (queries, count)), start))
    if len(sources) == 1:
        return None
    items.append({"attention": fields, "from": sources})
    graph = author.attempt(items, {"input": type_})
    if graph is None:
        return None
    return items, graph.types[graph.outputs[0].value]


LARGEST = 600
"""The most values of a bias of scores."""
ALONE = frozenset({"causal", "window", "blocks", "shift"})
"""Fields that need equally many queries and keys, or no memory."""


def _made(author: Author, room: Room, items: list[Item], type_: Type, start: str) -> str:
    """A trainable tensor of a type; its name."""
    name = author.names.layer(room)
    items.append({"parameter": list(type_.shape), "from": start, "name": name})
    room.values[name] = type_
    return name
