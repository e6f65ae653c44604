"""Repeats that carry several tensors, and blocks that call themselves."""

from __future__ import annotations

from typing import Any

from netspec.types import Type
from tests.random_networks.author import Author, Block, Part
from tests.random_networks.meeting import Item, alike, meet
from tests.random_networks.rooms import CLOSED, Called, Room

KEEPING = ("relu", "tanh", "batch_norm", "identity", "elu", "sigmoid")
"""Ops of any map that keep its type."""


def a_carry(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A block of two or three inputs, repeated: inputs go round, stay, or swap; most outputs are used afterwards."""
    draw = author.draw
    others = draw.part(sorted(room.visible()), 2) if room.visible() else []
    if not others:
        return None
    types = [type_, *(room.visible()[path] for path in others)]
    block = _cell(author, types)
    if block is None:
        return None
    name, inputs, outputs = block
    start, loop = author.names.layer(room), author.names.layer(room)
    calls = room.calls
    item: dict[str, Any] = {name: None, "from": [start, *others], "repeat": draw.randint(1, 3)}
    item |= {"carry": _carry(author, types, inputs, outputs), "name": loop}
    if draw.chance(0.2):
        item["when"] = draw.either("${index != 1}", "${index < 2}")
    sources = {f"one{at}_": each for at, each in enumerate(types)}
    first = author.names.layer(room)
    before: list[Item] = []
    if draw.chance(0.3):
        # All repetitions use the weights of a call before them.
        before = [{name: None, "from": [start, *others], "name": first}]
        item |= {"share": first}
    ends: list[Any] = [[{"identity": None, "from": f"{loop}.{output}"}] for output in outputs]
    ends = [[{"identity": None, "from": loop}], *ends[1:]] if draw.chance(0.5) else ends
    if item["repeat"] > 1 and not before and "when" not in item and draw.chance(0.4):
        # Nothing takes a state of the last repetition.
        at = draw.choice(range(1, len(outputs)))
        if outputs[at] in item["carry"].values():
            ends[at] = [{"identity": None, "from": others[at - 1]}]
    renamed = dict(zip([start, *others], sources, strict=True))
    tried = [_renamed(each, renamed) for each in [*before, item]]
    attempted = author.attempt([{"identity": None, "from": "one0_"}, *tried, "identity"], sources)
    if attempted is None:
        return None
    meeting = meet(draw, [types[0], *types[1:]])
    if meeting is None:
        return None
    rows = [[*row, *way] for row, way in zip(ends, meeting.ways, strict=True)]
    listed = [_short(author, row) for row in rows]
    argument: Any = {"branches": listed, **meeting.fields} if meeting.fields else listed
    used = [{"add": [[], [{"identity": None, "from": first}]]}] if before else []
    whole = [{"identity": None, "name": start}, *before, *used, item, {meeting.keyword: argument}]
    room.values[start] = type_
    calls.pop(first, None)
    return whole, meeting.result


def _renamed(item: Item, names: dict[str, str]) -> Item:
    return {**item, "from": [names[path] for path in item["from"]]}


def _short(author: Author, row: list[Item]) -> Any:
    """A branch that only names a layer, at times as its name, unless a block has the same name."""
    if len(row) == 1 and author.draw.chance(0.5) and row[0]["from"] not in author.blocks:
        return row[0]["from"]
    return row


def _cell(author: Author, types: list[Type]) -> tuple[str, list[str], list[str]] | None:
    """A block that takes tensors of these types and gives as many, of the same types in the same order."""
    draw = author.draw
    inside = Room()
    meeting = meet(draw, types)
    if meeting is None:
        return None
    name = author.names.block()
    inputs = [author.names.layer(inside) for _ in types]
    outputs = [author.names.layer(inside) for _ in types]
    mix = author.names.layer(inside)
    rows = [[{"identity": None, "from": each}, *way] for each, way in zip(inputs, meeting.ways, strict=True)]
    argument: Any = {"branches": rows, **meeting.fields} if meeting.fields else rows
    body: list[Item] = [{meeting.keyword: argument, "name": mix}]
    for number, (source, output, goal) in enumerate(zip(inputs, outputs, types, strict=True)):
        keeping = draw.choice(KEEPING)
        ranks_fit = len(meeting.result.spatial) == len(goal.spatial)
        ways, after = alike(draw, meeting.result, goal) if ranks_fit else ([], meeting.result)
        mixes = after == goal
        if number == 0 and not mixes:
            return None
        items = ways if mixes else []
        start = mix if mixes else source
        body += [{"layers": [{draw.choice(KEEPING): None}, *items, keeping], "from": start, "name": output}]
    text = {"inputs": inputs, "outputs": outputs, "layers": body}
    author.main.setdefault("blocks", {})[name] = text
    author.blocks[name] = Block(name, [], len(inputs))
    return name, inputs, outputs


def _carry(author: Author, types: list[Type], inputs: list[str], outputs: list[str]) -> dict[str, str]:
    """For each further input what it takes: its output, an output of the same type, or itself."""
    draw = author.draw
    carry: dict[str, str] = {}
    for at, name in enumerate(inputs):
        fitting = [output for output, type_ in zip(outputs, types, strict=True) if type_ == types[at]]
        if at == 0 and draw.chance(0.6):
            continue
        carry[name] = draw.either(outputs[at], name, draw.choice(fitting), *([outputs[at]] * 2))
    return carry or {inputs[1]: outputs[1]}


def a_recursion(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A block that calls itself until a number is used up, within a branch or between layers."""
    draw = author.draw
    name, number = author.names.block(), author.names.parameter(set())
    call: Item = {name: draw.either(f"${{{number} - 1}}", {number: f"${{{number} - 1}}"})}
    call |= {"when": draw.either(f"${{{number} > 1}}", f"${{{number} != 1}}")}
    if draw.chance(0.3):
        call["else"] = [draw.choice(KEEPING)]
    before, _ = author.chain(Room(), type_, draw.randint(0, 2), 0)
    before = [] if author.result(before, type_) != type_ else before
    grown = {
        "dense": {
            "units": draw.either("${in.channels}", f"${{in.channels + {number}}}", "${block.in.channels}")
        }
    }
    inner: list[Item] = [grown, call, draw.choice(KEEPING)]
    if draw.chance(0.5):
        inner = [{"concat": [[], [draw.choice(KEEPING), {"dense": 2}, call]]}]
    body = [*before, *inner]
    author.main.setdefault("blocks", {})[name] = {"params": {number: None}, "layers": body}
    author.blocks[name] = Block(name, [], 9)  # no other call fits it
    item: dict[str, Any] = {name: draw.either(draw.randint(1, 3), {number: draw.randint(1, 3)})}
    if draw.chance(0.4):
        item["name"] = author.names.layer(room)
    graph = author.attempt([item], {"input": type_})
    if graph is None:
        return None
    if "name" in item:
        room.learn(graph, item["name"])
        arguments = item[name] if isinstance(item[name], dict) else {number: item[name]}
        room.calls[item["name"]] = Called(name, arguments, (type_,))
    return [item], graph.types[graph.outputs[0].value]


def counted(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A repeat in a repeat, each layer of another width by the numbers of both, and one by the size of a layer."""
    draw = author.draw
    outer, units = author.names.layer(room), draw.randint(1, 4)
    if outer in CLOSED:
        return None
    inner = {"dense": {"units": f"${{{units} + {outer}.index + 2 * index}}"}, "repeat": draw.randint(1, 2)}
    items: list[Item] = [
        {"layers": [inner, draw.choice(KEEPING)], "repeat": draw.randint(1, 3), "name": outer}
    ]
    # A word of expressions is not read as a name, anywhere in a path.
    found = [
        path
        for path, other in room.visible().items()
        if (other.channels or 99) <= 8 and CLOSED.isdisjoint(path.split("."))
    ]
    if found and draw.chance(0.7):
        items.append({"dense": {"units": f"${{{draw.choice(sorted(found))}.channels}}"}})
        known = room.visible()
        last = items[-1]["dense"]["units"][2:].split(".channels")[0]
        return (items, Type(known[last].channels, type_.spatial)) if last != outer else None
    graph = author.attempt(items, {"input": type_})
    if graph is None:
        return None
    room.learn(graph, outer)
    return items, graph.types[graph.outputs[0].value]
