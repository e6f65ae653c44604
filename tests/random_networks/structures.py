"""The structures of the language, each with what it gives: branches, groups, repeats, blocks, shares, taps.

Every kind is a function that takes the author, the room, the type of the current tensor and how deep it may go,
and gives items and the type after them; None when nothing fitted this time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from netspec.graph import Graph
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.types import Type
from tests.random_networks.author import Author, Block, Parameter
from tests.random_networks.draw import Fields
from tests.random_networks.meeting import Item, meet
from tests.random_networks.recipes import RECIPES, SINGLE, made, resolved
from tests.random_networks.rooms import Called, Room

Part = tuple[list[Item], Type]
Kind = Callable[[Author, Room, Type, int], Part | None]

OFTEN: dict[str, float] = {
    "conv": 5,
    "conv_transpose": 4,
    "avg_pool": 4,
    "batch_norm": 4,
    "upsample": 4,
    "depthwise_conv": 3,
    "separable_conv": 3,
    "dense": 3,
    "max_pool": 3,
    "pad": 2,
    "crop": 2,
    "layer_norm": 2,
    "group_norm": 2,
    "global_avg_pool": 0.5,
    "global_max_pool": 0.5,
    "flatten": 0.5,
    "rbf": 0.5,
}
"""How often an op is drawn, where that is not 1."""


def chain(author: Author, room: Room, type_: Type, length: int, depth: int) -> Part:
    """So many parts, one after the other; fewer where nothing fits."""
    items: list[Item] = []
    for _ in range(length):
        kinds = KINDS if depth > 0 else FLAT
        kind = author.draw.weighted(kinds)
        part = kind(author, room, type_, depth - 1)
        if part is not None:
            items += part[0]
            type_ = part[1]
    return items, type_


def an_op(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """One layer."""
    keyword = author.draw.weighted({each: OFTEN.get(each, 1.0) for each in SINGLE})
    found = (
        made(author.draw, keyword, type_, author.defaults.get(keyword)) if _takes(keyword, type_) else None
    )
    if found is None:
        return None
    fields, result = found
    frozen = {"trainable": False} if author.draw.chance(0.07) else {}
    item, name = author.named(room, author.item(keyword, fields, **frozen), result)
    if name is not None and not frozen:
        author.remember(room, name, keyword, fields, type_)
    return [item], result


def _takes(keyword: str, type_: Type) -> bool:
    """Whether a recipe can be asked: most that slide a window want a map."""
    return bool(type_.spatial) or keyword not in MAPS


MAPS = frozenset(
    (
        *("conv", "conv_transpose", "depthwise_conv", "separable_conv", "max_pool", "avg_pool"),
        *(
            "global_avg_pool",
            "global_max_pool",
            "upsample",
            "pad",
            "crop",
            "space_to_depth",
            "depth_to_space",
        ),
    )
)
"""Ops that refuse a vector."""


def branches(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Branches from the current tensor, at times one from a tensor with a name, joined."""
    draw = author.draw
    count = draw.randint(1, 3)
    kinds = ["here"] * count + ["elsewhere"] * (count == 1 or draw.chance(0.35))
    rows = [
        _from_elsewhere(author, room, type_, depth)
        if kind == "elsewhere"
        else chain(author, room, type_, draw.randint(0, 2), depth)
        for kind in draw.shuffled(kinds)
    ]
    meeting = meet(draw, [after for _, after in rows])
    if meeting is None:
        return None
    listed = [[*items, *way] for (items, _), way in zip(rows, meeting.ways, strict=True)]
    argument: Any = {"branches": listed, **meeting.fields} if meeting.fields or draw.chance(0.2) else listed
    item, _ = author.named(room, {meeting.keyword: argument}, meeting.result)
    return [item], meeting.result


def _from_elsewhere(author: Author, room: Room, type_: Type, depth: int) -> Part:
    """A branch that starts from a name; one from the current tensor where there is no name yet."""
    draw = author.draw
    stars = [path for path, types in room.stars.items() if len(types) > 1]
    if stars and draw.chance(0.7):
        path = draw.choice(stars)
        equal = len(set(room.stars[path])) == 1
        keyword = draw.either("add", "average", "maximum", "multiply") if equal else "concat"
        graph = author.attempt(
            [{keyword: None, "from": [f"s{n}" for n in range(len(room.stars[path]))]}],
            {f"s{n}": each for n, each in enumerate(room.stars[path])},
        )
        if graph is not None:
            return [{keyword: None, "from": path}], graph.types[graph.outputs[0].value]
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
    more, after = chain(author, room, after, draw.randint(0, 1), min(depth, 0))
    return [*items, *more], after


def join_names(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A layer with a name, and a join of it and others by `from`."""
    first = an_op(author, Room(taken=room.taken), type_, depth)
    if first is None:
        return None
    (item,), after = first
    item = {item: None} if isinstance(item, str) else dict(item)
    # A name that is known to no one yet: the room learns it below.
    name = item.get("name") or author.names.layer(room)
    room.values[name] = after
    others = author.draw.sample(sorted(room.visible()), min(len(room.visible()), author.draw.randint(1, 2)))
    names = [name, *(each for each in others if each != name)]
    names = names if len(names) > 1 else [name, name]
    known = room.visible()
    for keyword in author.draw.shuffled(["add", "subtract", "multiply", "maximum", "average", "concat"]):
        fields = RECIPES[keyword](author.draw, after)
        op = resolved(keyword, fields, tuple(known[each] for each in names))
        if op is not None:
            result = op.outputs([known[each] for each in names])[0]
            return [{**item, "name": name}, {keyword: fields or None, "from": names}], result
    return [{**item, "name": name}], after


def crop_like(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A crop to the sizes of a layer with a name."""
    fitting = [
        path
        for path, other in room.visible().items()
        if len(other.spatial) == len(type_.spatial) > 0
        and all(b <= a for a, b in zip(type_.sizes, other.sizes, strict=True))
    ]
    if not fitting:
        return None
    path = author.draw.choice(sorted(fitting))
    return [{"crop": {"like": path}}], Type(type_.channels, room.visible()[path].spatial)


def a_group(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """Items in a parenthesis, or with a name in a scope; there or not by a condition."""
    draw = author.draw
    name = author.names.layer(room) if draw.chance(0.6) else None
    sometimes = draw.chance(0.3)
    # What may be left out gives no names to what follows.
    hidden = Room(outer=room, taken=room.taken if name is None else set())
    inside = hidden if name is not None or sometimes else room
    items, after = chain(author, inside, type_, draw.randint(1, 3), depth)
    if not items:
        return None
    group: dict[str, Any] = {"layers": items}
    if sometimes:
        others, _ = chain(author, Room(taken=set(inside.taken)), type_, draw.randint(1, 2), min(depth, 0))
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
    if draw.chance(0.1) and not _has_key(items, "share"):
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
    _learn_paths(room, graph, name)
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
    _learn_paths(room, graph, name)
    if name is not None:
        room.calls[name] = Called(block.name, arguments, (type_,))
    return [call], graph.types[graph.outputs[0].value]


def _learn_paths(room: Room, graph: Graph, name: str | None) -> None:
    """Let the room know what lies below a name: paths, and those with a `*` for the repetitions."""
    if name is None:
        return
    room.values[name] = graph.types[graph.outputs[0].value]
    stars: dict[str, list[Type]] = {}
    for node in graph.nodes:
        if node.name.startswith(f"{name}."):
            room.values[node.name] = node.output
            parts = node.name.split(".")
            if len(parts) > 1 and parts[1].isdigit():
                stars.setdefault(".".join([name, "*", *parts[2:]]), []).append(node.output)
    room.stars |= {path: tuple(types) for path, types in stars.items()}


def _new_block(author: Author, type_: Type, depth: int) -> Block | None:
    """A block that fits this type, put into the file."""
    draw = author.draw
    name = author.names.block()
    body, _ = chain(author, Room(), type_, draw.randint(1, 3), depth)
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
            if isinstance(value, dict) or _is_formula(value) or not draw.chance(0.3):
                continue
            name = author.names.parameter({each.name for each in parameters})
            parameters.append(Parameter(name, value, _redraw(author, keyword, key, value, type_)))
            fields[key] = draw.either(f"${name}", f"${name}", f"${{{name}}}")
    return parameters


def _redraw(author: Author, keyword: str, key: str, value: Any, type_: Type) -> Callable[[], Any]:
    """Draws another value for a field, the old one where none comes."""

    def again() -> Any:
        for _ in range(4):
            if not _takes(keyword, type_):
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
        if author.draw.chance(0.15) and not _has_key(item, "when", "name"):
            name = author.names.parameter({each.name for each in parameters})
            parameters.append(Parameter(name, True, lambda: author.draw.chance(0.3)))
            whole = {item: None} if isinstance(item, str) else item
            body[number] = {**whole, "when": author.draw.either(f"${name}", f"${{not not {name}}}")}


def _has_key(item: Item, *keys: str) -> bool:
    """Whether one of the keys stands anywhere in an item, or in a list of items."""
    if isinstance(item, list):
        return any(_has_key(each, *keys) for each in item)
    if not isinstance(item, dict):
        return False
    return any(key in item for key in keys) or any(_has_key(each, *keys) for each in item.values())


def fields_in(items: list[Item]) -> Iterator[tuple[str, Fields]]:
    """The mapping of fields of every op below these items, to be changed in place."""
    for item in items:
        if not isinstance(item, dict):
            continue
        for key, value in item.items():
            if key in ("layers", "else"):
                yield from fields_in(value)
            elif key in OPS and OPS[key].merges:
                rows = value.get("branches", []) if isinstance(value, dict) else value or []
                for row in rows:
                    yield from fields_in(row)
            elif key in OPS and isinstance(value, dict):
                yield key, value


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
    body, _ = chain(author, inside, meeting.result, draw.randint(0, 2), min(depth, 0))
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


def a_shared_op(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A layer that uses the weights of an earlier one; its other fields may differ."""
    draw = author.draw
    if not room.owners:
        return None
    name = draw.choice(sorted(room.owners))
    owner = room.owners[name]
    before = _bring(type_, owner.takes)
    if before is None:
        return None
    items, takes = before
    for _ in range(8):
        fields = {**owner.fields}
        if draw.chance(0.7) and _takes(owner.keyword, takes):
            drawn = RECIPES[owner.keyword](draw, takes)
            fields |= {key: value for key, value in drawn.items() if key in LOOSE}
        op = resolved(owner.keyword, fields, (takes,))
        first = resolved(owner.keyword, owner.fields, (owner.takes,))
        if op is not None and first is not None and _shapes(op, takes) == _shapes(first, owner.takes) != []:
            item, _ = author.named(room, {owner.keyword: fields, "share": name}, op.outputs((takes,))[0])
            return [*items, item], op.outputs((takes,))[0]
    return None


LOOSE = frozenset({"stride", "padding", "dilation", "activation", "output_padding", "epsilon", "momentum"})
"""Fields that leave the weights alone."""


def _shapes(op: Op, type_: Type) -> list[tuple[int, ...]]:
    return [weight.shape for weight in op.weights((type_,))]


def _bring(type_: Type, goal: Type) -> Part | None:
    """Items that give a tensor the channels and the number of axes of another; None where that is not plain."""
    if len(type_.spatial) != len(goal.spatial):
        return None
    return (
        ([], type_)
        if type_.channels == goal.channels
        else ([{"dense": goal.channels}], Type(goal.channels, type_.spatial))
    )


def a_shared_call(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A call that uses all weights of an earlier call of the block; its arguments and sizes may differ."""
    draw = author.draw
    if not room.calls:
        return None
    name = draw.choice(sorted(room.calls))
    call = room.calls[name]
    before = _bring(type_, call.takes[0])
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


FLAT: dict[Kind, float] = {an_op: 6.0, a_shared_op: 1.0, join_names: 0.7, crop_like: 0.3}
"""What stands where nothing may hold anything else."""
KINDS: dict[Kind, float] = {
    an_op: 6.0,
    branches: 2.0,
    join_names: 0.8,
    crop_like: 0.3,
    a_group: 1.0,
    a_repeat: 2.0,
    a_call: 3.0,
    two_inputs: 0.5,
    a_shared_op: 1.0,
    a_shared_call: 2.5,
}
