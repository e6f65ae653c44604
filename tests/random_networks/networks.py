"""Whole networks: inputs, layers, heads, embedded specs, included blocks, and what they expect of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.graph import Graph, verify
from netspec.loading import graph_of_file
from netspec.ops import OPS
from netspec.types import Type
from tests.random_networks.author import NODES, Author, Part, Refused
from tests.random_networks.draw import Draw
from tests.random_networks.kinds import KINDS
from tests.random_networks.meeting import Item, alike, meet
from tests.random_networks.rooms import Room
from tests.random_networks.sequences import look_up, words
from tests.random_networks.states import by_steps, counted_inputs
from tests.random_networks.text import MAIN, Document, Files, save, yaml_text
from tests.random_networks.walks import fields_in

WORDS = (
    "A random network",
    "two\nlines",
    "quotes ' and \" and a \\ backslash",
    "colon: {brace} # no comment",
    "émile × ∞ \u2028 end",
    "a tab\tand a bell \x07",
    '""" triple',
    "true",
    "7",
)
DEFAULTS: dict[str, dict[str, Any]] = {
    "conv": {"padding": "same", "bias": False, "activation": "relu"},
    "dense": {"activation": {"leaky_relu": 0.25}},
    "batch_norm": {"momentum": 0.875, "epsilon": 1e-3},
    "max_pool": {"padding": "same", "stride": 1},
    "avg_pool": {"count_padding": True},
    "upsample": {"mode": "linear"},
    "layer_norm": {"over": "everything"},
}


def graph_of(path: Path) -> Graph:
    """The graph of a spec that must be valid.

    Raises:
        Refused: it is not.
    """
    problems = Problems()
    graph = graph_of_file(path, problems)
    if graph is None:
        raise Refused(as_text(problems.in_order()))
    return verify(graph)


def random_network(seed: str, folder: Path) -> Files:
    """A random valid spec; its files lie in the folder afterwards.

    Raises:
        Refused: the compiler says of something valid that it is not.
    """
    draw = Draw(seed)
    author = Author(draw, folder, KINDS)
    _write(author, MAIN, draw.randint(1, 6), depth=3)
    return {MAIN: author.main, **author.files}


def _write(author: Author, name: str, length: int, depth: int) -> Graph:
    """Let one file grow, and save it."""
    draw = author.draw
    document = author.main
    document |= {"netspec": 1, "name": draw.choice(["net", "class_", "model", "layer", "torch", "Net2"])}
    if draw.chance(0.3):
        document["description"] = draw.choice(WORDS)
    room = Room()
    types = _inputs(author, room)
    if draw.chance(0.25):
        author.defaults = {key: DEFAULTS[key] for key in draw.part(list(DEFAULTS), 3)}
        document["defaults"] = author.defaults
    items, type_ = _start(author, room, types)
    more, _ = _longer(author, room, type_, length, depth)
    document["layers"] = _never_empty([*items, *more])
    _heads(author, room)
    graph = _checked(author, name)
    _lift(author)
    _expect(author, _checked(author, name))
    return graph


def _checked(author: Author, name: str) -> Graph:
    save({MAIN: author.main}, author.folder) if name == MAIN else (author.folder / name).write_text(
        yaml_text(author.main), encoding="utf-8"
    )
    return graph_of(author.folder / name)


def _never_empty(items: list[Item]) -> list[Item]:
    """The items, and one more where each of them may be left out."""
    sure = any(isinstance(item, str) or (next(iter(item)) in OPS and "when" not in item) for item in items)
    return items if sure else [*items, "identity"]


def _inputs(author: Author, room: Room) -> dict[str, Type]:
    """One input or several, with their types."""
    draw = author.draw
    rank = draw.weighted({0: 1.0, 1: 3.0, 2: 4.0, 3: 2.0})
    count = draw.weighted({1: 6.0, 2: 3.0, 3: 1.0})
    if count == 1 and draw.chance(0.15):
        return {"input": words(author)}
    if count == 2 and draw.chance(0.2):
        return counted_inputs(author, room)
    first = _shape(draw, rank)
    if count == 1 and draw.chance(0.8):
        types = {"input": first}
        author.main["input"] = list(first.shape)
    else:
        names = [author.names.layer(room) for _ in range(count)]
        types = {name: first if draw.chance(0.6) else _shape(draw, draw.either(rank, 0)) for name in names}
        author.main["inputs"] = {name: list(type_.shape) for name, type_ in types.items()}
    room.values |= types
    return types


def _shape(draw: Draw, rank: int) -> Type:
    most = {0: 0, 1: 12, 2: 8, 3: 5}[rank]
    return Type(
        draw.randint(1, 5), tuple(draw.randint(1 if draw.chance(0.2) else 3, most) for _ in range(rank))
    )


def _start(author: Author, room: Room, types: dict[str, Type]) -> Part:
    """Items that make one tensor of the inputs."""
    draw = author.draw
    if list(types) == ["input"]:
        type_ = types["input"]
        return look_up(author, room, type_) if type_.kind == "indices" else ([], type_)
    if any(each.kind == "indices" for each in types.values()):
        return by_steps(author, room, types)
    if len(types) == 1:
        ((name, type_),) = types.items()
        return [{"identity": None, "from": name}], type_
    meeting = meet(draw, list(types.values()))
    assert meeting is not None, "small inputs can be joined"
    plain = not any(meeting.ways)
    keys: dict[str, Any] = {"from": list(types)}
    if plain and draw.chance(0.7):
        return [{meeting.keyword: meeting.fields or None, **keys}], meeting.result
    rows = [
        [{draw.either("identity", "tanh", "relu"): None, "from": name}, *way]
        for name, way in zip(types, meeting.ways, strict=True)
    ]
    return [{meeting.keyword: {"branches": rows, **meeting.fields}}], meeting.result


def _longer(author: Author, room: Room, type_: Type, length: int, depth: int) -> Part:
    """A chain with embedded networks and included blocks among its parts, as far as a network may grow."""
    items: list[Item] = []
    for _ in range(length):
        part: Part | None
        if depth > 1 and author.draw.chance(0.12):
            embed = author.draw.either(_embedded, _embedded, _embedded_repeat)
            part = embed(author, room, type_)
        else:
            part = author.chain(room, type_, 1, depth)
        if part is not None and part[0]:
            items += part[0]
            type_ = part[1]
        if sum(1 for _ in fields_in(items)) > NODES:
            break
    return items, type_


def _embedded(author: Author, room: Room, type_: Type) -> Part | None:
    """A whole spec in the place of a layer, cut at times; a second call shares its weights at times."""
    draw = author.draw
    inner = Author(draw, author.folder, author.kinds, author.files)
    part = f"part{len(author.files)}.yaml"
    own = Room()
    inner.main |= {"netspec": 1, "name": "part", "input": list(type_.shape)}
    items, _ = inner.chain(own, type_, draw.randint(1, 4), 2)
    inner.main["layers"] = _never_empty(items)
    if own.values and draw.chance(0.3):
        _heads(inner, own)
    graph = _checked(inner, part)
    author.files[part] = inner.main
    fields: dict[str, Any] = {"spec": part}
    kept = [node.name for node in graph.nodes if not _of_a_head(node.name, inner.main)]
    if kept and draw.chance(0.6):
        fields["until"] = draw.choice(kept)
    name = author.names.layer(room)
    item: dict[str, Any] = {"network": fields if len(fields) > 1 or draw.chance(0.5) else part, "name": name}
    if draw.chance(0.2):
        item["trainable"] = False
    found = author.attempt([item], {"input": type_})
    if found is None:
        room.taken.discard(name)
        return None
    after = found.types[found.outputs[0].value]
    room.learn(found, name)
    if draw.chance(0.3) and (after.channels, len(after.spatial)) == (type_.channels, len(type_.spatial)):
        again = {"network": fields, "share": name, "name": author.names.layer(room)}
        both = author.attempt([item, again], {"input": type_})
        if both is not None:
            return [item, again], both.types[both.outputs[0].value]
    return [item], after


def _embedded_repeat(author: Author, room: Room, type_: Type) -> Part | None:
    """A whole spec of two inputs, repeated: its output also goes to its second input, or that one stays the same."""
    draw = author.draw
    found = {path: each for path, each in room.visible().items() if each.kind == "numbers"}
    if not found:
        return None
    beside = draw.choice(sorted(found))
    other = found[beside]
    meeting = meet(draw, [type_, other])
    if meeting is None or len(meeting.result.spatial) != len(type_.spatial):
        return None
    back, after = alike(draw, meeting.result, type_)
    if after != type_:
        return None
    inner, part = Author(draw, author.folder, author.kinds, author.files), f"part{len(author.files)}.yaml"
    names = [inner.names.layer(own := Room()), inner.names.layer(own)]
    inner.main |= {"netspec": 1, "name": "part"}
    inner.main["inputs"] = {name: list(each.shape) for name, each in zip(names, (type_, other), strict=True)}
    rows = [[{"identity": None, "from": name}, *way] for name, way in zip(names, meeting.ways, strict=True)]
    argument: Any = {"branches": rows, **meeting.fields} if meeting.fields else rows
    inner.main["layers"] = [{meeting.keyword: argument}, *back, draw.either("tanh", "identity")]
    _checked(inner, part)
    author.files[part] = inner.main
    start, name = author.names.layer(room), author.names.layer(room)
    second = draw.either("output", names[1]) if type_ == other else names[1]
    carry = {names[1]: second}
    if draw.chance(0.2):
        carry[names[0]] = draw.either("output", names[0])
    item: Item = {"network": part, "from": [start, beside], "repeat": draw.randint(1, 3), "carry": carry}
    item["name"] = name
    room.values |= {start: type_, name: type_}
    return [{"identity": None, "name": start}, item], type_


def _of_a_head(path: str, document: Document) -> bool:
    return path.split(".")[0] in document.get("heads", {})


def _heads(author: Author, room: Room) -> None:
    """Further outputs, each from a name or from the end."""
    draw = author.draw
    heads: dict[str, Any] = {}
    for _ in range(draw.weighted({0: 6.0, 1: 2.0, 2: 1.0})):
        found = room.visible()
        if not found:
            break
        path = draw.choice(sorted(found))
        if draw.chance(0.3) and path not in (*heads, "input", *author.main.get("inputs", {})):
            name = path if "." not in path else author.names.layer(room)
            heads[name] = draw.either(path, {"from": path, "layers": []})
            continue
        items, _ = author.chain(Room(taken=set(room.taken)), found[path], draw.randint(1, 2), 1)
        heads[author.names.layer(room)] = {"from": path, "layers": items}
    if heads:
        author.main["heads"] = heads


def _lift(author: Author) -> None:
    """Turn some numbers of the layers into parameters of the file, or into formulas of the same value."""
    draw = author.draw
    parameters: dict[str, Any] = {}
    for _, fields in fields_in(author.main["layers"]):
        for key, value in list(fields.items()):
            if type(value) is not int or not draw.chance(0.08):
                continue
            name = author.names.parameter(set(parameters))
            parameters[name] = value
            fields[key] = draw.either(f"${name}", f"${{{name} * 1}}", f"${{2 * {name} - {value}}}")
    if parameters:
        author.main["params"] = parameters


def _expect(author: Author, graph: Graph) -> None:
    """What the network is held to: its shapes, and those of layers anywhere in it."""
    draw = author.draw
    if not draw.chance(0.5):
        return
    outputs = {each.name: list(graph.types[each.value].shape) for each in graph.outputs}
    expect: dict[str, Any] = {"output": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
    places = {**{node.name: node.name for node in graph.nodes}, **{s.path: s.output for s in graph.scopes}}
    wanted = draw.part(sorted(places), 3)
    expect["layers"] = {path: list(graph.types[places[path]].shape) for path in wanted}
    expect["params"] = sum(_count(weight.shape) for weight in graph.weights if not weight.statistic)
    author.main["expect"] = expect


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
