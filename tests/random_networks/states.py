"""Recurrent layers that start with the states of another one, and what takes the lengths of sequences."""

from __future__ import annotations

from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.meeting import Item
from tests.random_networks.recipes import RECIPES, is_small, resolved, takes
from tests.random_networks.rooms import Room

STATES = {
    "rnn": ("state",),
    "gru": ("state",),
    "lstm": ("state", "cell"),
    "conv_gru": ("state",),
    "conv_lstm": ("state", "cell"),
}
"""The states of each recurrent layer."""
FREE = ("return", "merge", "bias", "init", "recurrent_init", "bias_init", "activation", "reset")
"""Fields that do not decide of which type the states are."""


def passed_on(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Two recurrent layers on one tensor: the second one starts with the last states of the first."""
    draw = author.draw
    keyword = draw.choice(list(STATES))
    if not takes(keyword, type_):
        return None
    fields = RECIPES[keyword](draw, type_)
    first = resolved(keyword, fields, (type_,))
    if first is None:
        return None
    outputs = first.outputs((type_,))
    other: Fields = {key: value for key, value in fields.items() if key not in FREE}
    other |= {key: value for key, value in RECIPES[keyword](draw, type_).items() if key in FREE}
    if other.get("direction") != "both":
        other.pop("merge", None)
    second = resolved(keyword, other, (type_, *outputs[1:]))
    if second is None or not all(map(is_small, (*outputs, *second.outputs((type_,))))):
        return None
    start, encoder, decoder = (author.names.layer(room) for _ in range(3))
    states = [f"{encoder}.{port}" for port in STATES[keyword]]
    room.values |= {start: type_, encoder: outputs[0], decoder: second.outputs((type_,))[0]}
    room.values |= {
        f"{encoder}.{port}": each for port, each in zip(STATES[keyword], outputs[1:], strict=True)
    }
    items: list[Item] = [
        {draw.either("identity", "tanh"): None, "name": start},
        {keyword: fields, "name": encoder},
        {keyword: other, "from": [start, *states], "name": decoder},
    ]
    result = second.outputs((type_,))[0]
    if draw.chance(0.4):
        repeated = {**items[-1], **_round(draw, keyword)}
        graph = author.attempt([*items[:-1], repeated], {"input": type_})
        if graph is not None:
            items[-1], result = repeated, graph.types[graph.outputs[0].value]
            room.learn(graph, decoder)
    if draw.chance(0.4):
        port = draw.choice(STATES[keyword])
        items.append({draw.either("tanh", "identity"): None, "from": f"{decoder}.{port}"})
        return items, outputs[1 + STATES[keyword].index(port)]
    return items, result


def _round(draw: Draw, keyword: str) -> Item:
    """A repeat of a layer that starts with states: each goes round, swaps with the other, or stays the same."""
    ports = STATES[keyword]
    carry = {port: draw.either(port, port, draw.choice(ports)) for port in draw.part(ports, len(ports))}
    if draw.chance(0.2):
        carry["sequence"] = "sequence"
    return {"repeat": draw.randint(1, 3), "carry": carry}


def counted_inputs(author: Author, room: Room) -> dict[str, Type]:
    """A sequence and, for each sample, its length, a step, or a list of steps."""
    draw = author.draw
    steps = draw.randint(2, 6)
    x, count = author.names.layer(room), "steps_of"
    listed = (draw.randint(1, 4),) if draw.chance(0.3) else ()
    vocabulary = steps if listed or draw.chance(0.3) else steps + 1
    author.main["inputs"] = {
        x: [(channels := draw.randint(1, 4)), steps],
        count: {"shape": list(listed), "vocabulary": vocabulary},
    }
    return {x: Type(channels, (steps,)), count: Type(None, listed, "int", vocabulary=vocabulary)}


def by_steps(author: Author, room: Room, types: dict[str, Type]) -> Part:
    """A layer that takes a sequence, and its lengths or steps; at times a second one starts with its states."""
    draw = author.draw
    (sequence, indices), names = types.values(), list(types)
    is_length = not indices.spatial and (indices.vocabulary or 0) > sequence.sizes[0]
    keyword = "gather"
    fields: Fields = {}
    if not indices.spatial and (is_length or draw.chance(0.5)):
        keyword = draw.choice(["take", "rnn", "gru", "lstm", "lstm", "attention"])
        fields = {"position": -1} if keyword == "take" else RECIPES[keyword](draw, sequence)
    op = resolved(keyword, fields, (sequence, indices))
    if op is None:
        keyword, fields = ("take", {"position": -1}) if is_length else ("gather", {})
        op = resolved(keyword, fields, (sequence, indices))
    assert op is not None
    outputs = op.outputs((sequence, indices))
    item: Item = {keyword: fields or None, "from": names}
    if keyword not in STATES or draw.chance(0.4):
        return [item], outputs[0]
    encoder = author.names.layer(room)
    states = [f"{encoder}.{port}" for port in STATES[keyword]]
    second: Item = {keyword: fields, "from": [names[0], *states, names[1]]}
    return [{**item, "name": encoder}, second], outputs[0]
