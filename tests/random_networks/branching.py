"""Branches and joins: from the current tensor, and from what has a name."""

from __future__ import annotations

from typing import Any

from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.layers import an_op
from tests.random_networks.meeting import Item, meet
from tests.random_networks.recipes import RECIPES, made, resolved
from tests.random_networks.rooms import Room


def branches(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Branches from the current tensor, at times one from a tensor with a name, joined."""
    draw = author.draw
    count = draw.randint(1, 3)
    kinds = ["here"] * count + ["elsewhere"] * (count == 1 or draw.chance(0.35))
    rows = [
        _from_elsewhere(author, room, type_, depth)
        if kind == "elsewhere"
        else author.chain(room, type_, draw.randint(0, 2), depth)
        for kind in draw.shuffled(kinds)
    ]
    meeting = meet(draw, [after for _, after in rows])
    if meeting is None:
        return None
    listed = [_named(author, [*items, *way]) for (items, _), way in zip(rows, meeting.ways, strict=True)]
    argument: Any = {"branches": listed, **meeting.fields} if meeting.fields or draw.chance(0.2) else listed
    item, _ = author.named(room, {meeting.keyword: argument}, meeting.result)
    return [item], meeting.result


def _named(author: Author, row: list[Item]) -> Any:
    """A branch that only names a layer, at times as its name."""
    if len(row) != 1 or not isinstance(row[0], dict) or row[0].keys() != {"identity", "from"}:
        return row
    path = row[0]["from"]
    return row if path in author.blocks or author.draw.chance(0.4) else path


def _from_elsewhere(author: Author, room: Room, type_: Type, depth: int) -> Part:
    """A branch that starts from a name; one from the current tensor where there is no name yet."""
    draw = author.draw
    found = room.visible()
    if not found:
        return [], type_
    path = draw.choice(sorted(found))
    start = made(draw, draw.either("identity", "relu", "tanh", "dense", "batch_norm"), found[path])
    keyword = "identity" if start is None else "dense" if "units" in start[0] else draw.either("relu", "tanh")
    fields, after = ({}, found[path]) if start is None else start
    if keyword != "dense":
        fields, after = {}, found[path]
    items: list[Item] = [{keyword: fields or None, "from": path}]
    more, after = author.chain(room, after, draw.randint(0, 1), min(depth, 0))
    return [*items, *more], after


def all_repetitions(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A join of the current tensor and of a layer's outputs in all repetitions, by a path with a `*`."""
    draw = author.draw
    stars = [path for path, types in room.stars.items() if len(types) > 1]
    if not stars:
        return None
    path = draw.choice(stars)
    types = {f"one{at}_": each for at, each in enumerate(room.stars[path])}
    alike = len(set(types.values())) == 1
    keyword = draw.either("add", "average", "maximum", "minimum", "multiply") if alike else "concat"
    graph = author.attempt([{keyword: None, "from": list(types)}], types)
    meeting = None if graph is None else meet(draw, [type_, graph.types[graph.outputs[0].value]])
    if meeting is None:
        return None
    rows: list[list[Item]] = [list(meeting.ways[0]), [{keyword: None, "from": path}, *meeting.ways[1]]]
    argument: Any = {"branches": rows, **meeting.fields} if meeting.fields else rows
    return [{meeting.keyword: argument}], meeting.result


def join_names(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A layer with a name, and a join of it and others by `from`."""
    first = an_op(author, Room(taken=room.taken), type_, depth)
    if first is None:
        return None
    (*before, item), after = first
    item = {item: None} if isinstance(item, str) else dict(item)
    # A name that is known to no one yet: the room learns it below.
    name = item.get("name") or author.names.layer(room)
    room.values[name] = after
    others = author.draw.sample(sorted(room.visible()), min(len(room.visible()), author.draw.randint(1, 2)))
    names = [name, *(each for each in others if each != name)]
    names = names if len(names) > 1 else [name, name]
    known = room.visible()
    for keyword in author.draw.shuffled(
        ["add", "subtract", "multiply", "maximum", "minimum", "average", "concat"]
    ):
        fields = RECIPES[keyword](author.draw, after)
        op = resolved(keyword, fields, tuple(known[each] for each in names))
        if op is not None:
            result = op.outputs([known[each] for each in names])[0]
            return [*before, {**item, "name": name}, {keyword: fields or None, "from": names}], result
    return [*before, {**item, "name": name}], after


def drawn(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A sample, whose mean is a layer and whose log-variance is bounded, so that no number becomes large."""
    first = an_op(author, Room(taken=room.taken), type_, depth)
    if first is None:
        return None
    (*before, item), after = first
    item = {item: None} if isinstance(item, str) else dict(item)
    mean = item.get("name") or author.names.layer(room)
    log_variance = author.names.layer(room)
    room.values |= {mean: after, log_variance: after}
    sample = author.item("sample", RECIPES["sample"](author.draw, after))
    sample = {sample: None} if isinstance(sample, str) else dict(sample)
    bounded = {"tanh": None, "name": log_variance}
    return [*before, {**item, "name": mean}, bounded, {**sample, "from": [mean, log_variance]}], after


def like(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A crop, a border or an enlargement to the sizes of a layer with a name."""
    keyword = author.draw.either("crop", "pad", "upsample")
    fitting = [
        path
        for path, other in room.visible().items()
        if len(other.spatial) == len(type_.spatial) > 0 and _fits(keyword, type_, other)
    ]
    if not fitting:
        return None
    path = author.draw.choice(sorted(fitting))
    return [{keyword: {"like": path}}], Type(type_.channels, room.visible()[path].spatial)


def _fits(keyword: str, type_: Type, other: Type) -> bool:
    pairs = list(zip(type_.sizes, other.sizes, strict=True))
    return all(b <= a for a, b in pairs) if keyword == "crop" else all(a <= b for a, b in pairs)
