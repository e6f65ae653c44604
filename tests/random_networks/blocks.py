"""Blocks: their parameters, calls with other arguments, calls that share, two inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netspec.types import Type
from tests.random_networks.author import Author, Block, Parameter, Part
from tests.random_networks.draw import Fields
from tests.random_networks.layers import bring
from tests.random_networks.meeting import Item, meet
from tests.random_networks.recipes import RECIPES, takes
from tests.random_networks.rooms import Called, Room
from tests.random_networks.walks import fields_in, has_key


def a_call(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A call of a block, a new one or one that is there, with the same arguments or others."""
    draw = author.draw
    blocks = [block for block in author.blocks.values() if block.inputs == 1]
    new = not blocks or (depth > 0 and draw.chance(0.4))
    block = _new_block(author, type_, depth) if new else draw.choice(blocks)
    if block is None:
        return None
    for _ in range(3):
        arguments = _arguments(author, block, vary=0.0 if new else 0.6)
        part = _placed(author, room, block, arguments, type_)
        if part is not None:
            return part
    return None


def _placed(author: Author, room: Room, block: Block, arguments: Fields, type_: Type) -> Part | None:
    call = author.item(block.name, arguments)
    if len(block.parameters) == 1 and arguments and author.draw.chance(0.5):
        call = {block.name: next(iter(arguments.values()))}
    name = author.names.layer(room) if author.draw.chance(0.5) else None
    if name is not None:
        call = {**(call if isinstance(call, dict) else {call: None}), "name": name}
    graph = author.attempt([call], {"input": type_})
    if graph is None:
        if name is not None:
            room.taken.discard(name)
        return None
    room.learn(graph, name)
    if name is not None:
        room.calls[name] = Called(block.name, arguments, (type_,))
    return [call], graph.types[graph.outputs[0].value]


def _new_block(author: Author, type_: Type, depth: int) -> Block | None:
    """A block that fits this type, put into the file."""
    draw = author.draw
    name = author.names.block()
    body, _ = author.chain(Room(), type_, draw.randint(1, 3), depth)
    if not body:
        return None
    return _write_block(author, name, body, type_)


def _write_block(
    author: Author, name: str, body: list[Item], type_: Type, inputs: tuple[str, ...] = ()
) -> Block:
    parameters = _lifted(author, body, type_)
    _conditions(author, body, parameters)
    required = [each for each in parameters if author.draw.chance(0.5)]
    values = {each.name: None if each in required else each.value for each in parameters}
    text = {
        **({"params": values} if parameters else {}),
        **({"inputs": list(inputs)} if inputs else {}),
        "layers": body,
    }
    author.main.setdefault("blocks", {})[name] = text
    author.blocks[name] = block = Block(name, parameters, len(inputs) or 1)
    return block


def _lifted(author: Author, body: list[Item], type_: Type) -> list[Parameter]:
    """Turn some fields of a body into parameters, in place."""
    draw = author.draw
    parameters: list[Parameter] = []
    for keyword, fields in list(fields_in(body)):
        for key, value in list(fields.items()):
            # The names of parts stand in what follows.
            if isinstance(value, dict) or key == "parts" or _is_formula(value) or not draw.chance(0.4):
                continue
            name = author.names.parameter({each.name for each in parameters})
            parameters.append(Parameter(name, value, _redraw(author, keyword, key, value, type_)))
            fields[key] = draw.either(f"${name}", f"${name}", f"${{{name}}}")
    return parameters


def _redraw(author: Author, keyword: str, key: str, value: Any, type_: Type) -> Callable[[], Any]:
    """Draws another value for a field, the old one where none comes."""

    def again() -> Any:
        for _ in range(4):
            if not takes(keyword, type_):
                break
            drawn = RECIPES[keyword](author.draw, type_).get(key, value)
            if drawn != value and not isinstance(drawn, dict):
                return drawn
        return value

    return again


def _conditions(author: Author, body: list[Item], parameters: list[Parameter]) -> None:
    """Let some items of a body be there by a parameter."""
    for number, item in enumerate(body):
        # A name in it may be used by what follows.
        if author.draw.chance(0.25) and not has_key(item, "when", "name"):
            name = author.names.parameter({each.name for each in parameters})
            parameters.append(Parameter(name, True, lambda: author.draw.chance(0.3)))
            whole = {item: None} if isinstance(item, str) else item
            body[number] = {**whole, "when": author.draw.either(f"${name}", f"${{not not {name}}}")}


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _arguments(author: Author, block: Block, vary: float) -> Fields:
    """Values for the parameters of a block, each at times another than the first."""
    wanted = author.main["blocks"][block.name].get("params", {})
    values = {}
    for parameter in block.parameters:
        value = parameter.again() if author.draw.chance(vary) else parameter.value
        if wanted[parameter.name] is None or value != parameter.value or author.draw.chance(0.3):
            values[parameter.name] = value
    return values


def two_inputs(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A block of two inputs, called with the current tensor and one with a name."""
    draw = author.draw
    others = sorted(room.visible())
    if not others:
        return None
    name = author.names.block()
    inside = Room()
    x, skip = author.names.layer(inside), author.names.layer(inside)
    other = draw.choice(others)
    types = {"one": type_, "other": room.visible()[other]}
    meeting = meet(draw, list(types.values()))
    if meeting is None:
        return None
    rows: list[list[Item]] = [list(meeting.ways[0]), [{"identity": None, "from": skip}, *meeting.ways[1]]]
    body, _ = author.chain(inside, meeting.result, draw.randint(0, 2), min(depth, 0))
    argument: Any = {"branches": rows, **meeting.fields} if meeting.fields else rows
    block = _write_block(author, name, [{meeting.keyword: argument}, *body], meeting.result, (x, skip))
    arguments = _arguments(author, block, vary=0.0)
    graph = author.attempt([{name: arguments or None, "from": list(types)}], types)
    if graph is None:
        return None
    current = author.names.layer(room)
    room.values[current] = type_
    items = [{"identity": None, "name": current}, {name: arguments or None, "from": [current, other]}]
    return items, graph.types[graph.outputs[0].value]


def a_shared_call(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A call that uses all weights of an earlier call of the block; its arguments and sizes may differ."""
    draw = author.draw
    if not room.calls:
        return None
    name = draw.choice(sorted(room.calls))
    call = room.calls[name]
    before = bring(type_, call.takes[0])
    if before is None:
        return None
    items, takes = before
    block = author.blocks[call.block]
    for vary in (0.5, 0.5, 0.3, 0.0):
        arguments = _arguments(author, block, vary) if vary else call.arguments
        again = {call.block: arguments or None, "share": name}
        graph = author.attempt(
            [{call.block: call.arguments or None, "from": "one_", "name": name}, {**again, "from": "two_"}],
            {"one_": call.takes[0], "two_": takes},
        )
        if graph is not None:
            after = graph.types[graph.outputs[0].value]
            item, _ = author.named(room, again, after)
            return [*items, item], after
    return None
