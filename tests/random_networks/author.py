"""Writes items: keeps the file that grows, the names, and asks the compiler itself what a block gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.graph import Graph
from netspec.loading import graph_of_file
from netspec.ops import OPS
from netspec.types import Type
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.meeting import Item
from tests.random_networks.recipes import is_small
from tests.random_networks.rooms import Names, Owner, Room
from tests.random_networks.text import Document, Files, yaml_text

NODES = 30
"""The most layers of a network."""
FITS_NOT = "NS03"
"""How the codes of what does not fit begin: a shape, weights that are shared."""
EMPTY = "NS0102"
"""The code of a network whose every layer is left out."""


class Refused(Exception):
    """The compiler refuses what should be valid. `str()` is the text and what was said of it."""


@dataclass
class Parameter:
    """A parameter of a block: what it was first, and how another value is drawn."""

    name: str
    value: Any
    again: Callable[[], Any]


@dataclass
class Block:
    """A block of the file: its parameters, and how many tensors it takes."""

    name: str
    parameters: list[Parameter]
    inputs: int = 1


Part = tuple[list[Item], Type]
"""Items, and the type after them."""
Kind = Callable[["Author", Room, Type, int], Part | None]
"""Writes one structure: takes the author, the room, the type of the current tensor and how deep it may go.

None when nothing fitted this time."""


@dataclass(frozen=True)
class Kinds:
    """How often each structure is drawn: where something may hold something else, and where it may not."""

    deep: Mapping[Kind, float]
    flat: Mapping[Kind, float]


@dataclass
class Author:
    """One file that grows. Files that it embeds or includes grow beside it in the same folder."""

    draw: Draw
    folder: Path
    kinds: Kinds
    files: Files = field(default_factory=dict)
    main: Document = field(default_factory=dict)
    defaults: dict[str, Fields] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.draw)

    def chain(self, room: Room, type_: Type, length: int, depth: int) -> Part:
        """So many parts, one after the other; fewer where nothing fits."""
        items: list[Item] = []
        for _ in range(length):
            kind = self.draw.weighted(self.kinds.deep if depth > 0 else self.kinds.flat)
            before = room.known()
            part = kind(self, room, type_, depth - 1)
            if part is None:
                # What it named on its way, such as in branches that cannot meet, is not in the network.
                room.forget(before)
            else:
                items += part[0]
                type_ = part[1]
        return items, type_

    def item(self, keyword: str, fields: Fields, **keys: Any) -> Item:
        """An op, or a call of a block with one parameter, in one of the forms that mean the same."""
        main = OPS[keyword].main if keyword in OPS else None
        if not fields and not keys and self.draw.chance(0.7):
            return keyword
        whole = keyword in OPS and OPS[keyword].whole
        if main is not None and list(fields) == [main] and (whole or self.draw.chance(0.6)):
            return {keyword: fields[main], **keys}
        return {keyword: fields or None, **keys}

    def named(self, room: Room, item: Item, type_: Type, probability: float = 0.3) -> tuple[Item, str | None]:
        """The item, at times with a name, which the room then knows."""
        if not self.draw.chance(probability):
            return item, None
        name = self.names.layer(room)
        item = {item: None} if isinstance(item, str) else item
        room.values[name] = type_
        return {**item, "name": name}, name

    def remember(self, room: Room, name: str, keyword: str, fields: Fields, takes: Type) -> None:
        """Let later layers of the room share the weights of this one."""
        room.owners[name] = Owner(keyword, {**self.defaults.get(keyword, {}), **fields}, takes)

    def attempt(self, items: list[Item], inputs: Mapping[str, Type]) -> Graph | None:
        """The graph of these items on these inputs; None if something does not fit, or grows too large.

        Raises:
            Refused: the compiler says something else against them.
        """
        types = {name: list(type_.shape) for name, type_ in inputs.items()}
        where = {"input": types["input"]} if list(types) == ["input"] else {"inputs": types}
        document = {"netspec": 1, "name": "attempt", **self.head(), **where, "layers": deepcopy(items)}
        path = self.folder / "attempt.yaml"
        text = yaml_text(document)
        path.write_text(text, encoding="utf-8")
        problems = Problems()
        graph = graph_of_file(path, problems)
        if graph is None:
            errors = [each for each in problems.in_order() if each.severity == "error"]
            if not all(each.code.id.startswith((FITS_NOT, EMPTY)) for each in errors):
                raise Refused(f"{text}\n{as_text(errors)}")
            return None
        small = all(is_small(type_) for node in graph.nodes for type_ in node.outputs)
        return graph if small and len(graph.nodes) <= NODES else None

    def result(self, items: list[Item], type_: Type) -> Type | None:
        """What these items give for this type; None if they do not fit."""
        graph = self.attempt(items, {"input": type_})
        return None if graph is None else graph.types[graph.outputs[0].value]

    def head(self) -> Document:
        """What stands before the layers: the defaults, and the blocks."""
        return {key: deepcopy(self.main[key]) for key in ("params", "defaults", "blocks") if key in self.main}
