"""Max pools whose values go back to where they were found."""

from __future__ import annotations

from typing import Any

from netspec.ops.pool import MaxPool
from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.layers import bring
from tests.random_networks.meeting import Item
from tests.random_networks.recipes import RECIPES, resolved
from tests.random_networks.rooms import Room

TRIES = 12


def pooled_and_back(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A pool, layers behind it, and a max unpool of what they give; at times the pool ends a group that has the name.

    The indices go to a block of two inputs at times.
    """
    draw = author.draw
    found = _pool(author, type_)
    if found is None:
        return None
    fields, pool = found
    pooled, positions = pool.outputs((type_,))
    inside, after = author.chain(Room(taken=room.taken), pooled, draw.randint(0, 2), 0)
    way = bring(after, pooled) if after.spatial == pooled.spatial else None
    if way is None:
        inside, way = [], ([], pooled)
    items: list[Item] = []
    name, values = author.names.layer(room), author.names.layer(room)
    pooling: Item = {"max_pool": fields}
    if draw.chance(0.4):
        items.append({"layers": ["tanh", pooling], "name": name})
    else:
        items.append({**pooling, "name": name})
    items += [*inside, *way[0], {draw.either("identity", "tanh"): None, "name": values}]
    result = resolved("max_unpool", {}, (pooled, positions))
    assert result is not None, "the windows lie apart"
    source = [values, f"{name}.indices"]
    if depth > 0 and draw.chance(0.4):
        block = author.names.block()
        x, where = author.names.layer(own := Room()), author.names.layer(own)
        body: dict[str, Any] = {"inputs": [x, where], "layers": [{"max_unpool": None, "from": [x, where]}]}
        author.main.setdefault("blocks", {})[block] = body
        items.append({block: None, "from": source})
    else:
        items.append({"max_unpool": None, "from": source})
    room.values |= {name: pooled, values: pooled}
    return items, result.outputs((pooled, positions))[0]


def _pool(author: Author, type_: Type) -> tuple[dict[str, Any], MaxPool] | None:
    """A pool that fits and whose windows do not overlap, with its fields, which override all defaults of the file."""
    if not type_.spatial:
        return None
    for _ in range(TRIES):
        fields = {
            "rounding": "floor",
            "dilation": 1,
            "padding": "valid",
            **RECIPES["max_pool"](author.draw, type_),
        }
        fields.setdefault("stride", fields["kernel"])
        pool = resolved("max_pool", fields, (type_,))
        if isinstance(pool, MaxPool) and resolved("max_unpool", {}, pool.outputs((type_,))) is not None:
            return fields, pool
    return None
