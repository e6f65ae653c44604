"""Attention: its fields, and what it attends to."""

from __future__ import annotations

from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.meeting import Item
from tests.random_networks.rooms import Room
from tests.random_networks.starts import init


def attention(draw: Draw, type_: Type) -> Fields:
    """The fields of an `attention` of a tensor to itself."""
    rank, channels = len(type_.spatial), type_.channels or 1
    heads = draw.choice([each for each in (1, 2, 3, 4, 6) if channels % each == 0])
    fields: Fields = {"heads": heads}
    fields |= draw.some(
        0.25,
        kv_heads=lambda: draw.choice([each for each in range(1, heads + 1) if heads % each == 0]),
        scale=lambda: draw.choice([0.25, 0.5, 2.0]),
        dropout=lambda: draw.choice([0.25, 0.5]),
    )
    if rank == 1 and draw.chance(0.5):
        fields |= draw.some(0.6, causal=lambda: draw.chance(0.8), window=lambda: draw.randint(1, 4))
    elif draw.chance(0.4):
        fields["blocks"] = [
            draw.choice([each for each in range(1, size + 1) if size % each == 0]) for size in type_.sizes
        ]
        fields |= draw.some(0.6, shift=lambda: [draw.randint(0, each - 1) for each in fields["blocks"]])
    if draw.chance(0.2) and "blocks" not in fields:
        return {**fields, "project": False, **draw.some(0.3, output=lambda: "none")}
    return fields | draw.some(
        0.25,
        head_size=lambda: draw.randint(1, 4),
        output=lambda: draw.either("none", draw.randint(1, 6)),
        bias=lambda: draw.chance(0.3),
        init=lambda: init(draw),
        bias_init=lambda: init(draw),
        project=lambda: True,
    )


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
        queries = 1
        for size in type_.sizes:
            queries *= size
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
