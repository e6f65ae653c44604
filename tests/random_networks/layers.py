"""Single layers: any op, and one that uses the weights of another."""

from __future__ import annotations

from netspec.ops.base import Op
from netspec.types import Type
from tests.random_networks.author import Author, Part
from tests.random_networks.recipes import BEFORE, RECIPES, SINGLE, made, resolved, takes
from tests.random_networks.rooms import Room

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
    "rbf": 1.5,
    "lstm": 1.5,
    "gru": 1.5,
    "conv_lstm": 2,
    "gated": 3,
    "attention": 2,
    "positions": 2,
    "rotary": 2,
    "repeat_vector": 4,
    "space_to_depth": 2,
}
"""How often an op is drawn, where that is not 1."""


def an_op(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """One layer."""
    keyword = author.draw.weighted({each: OFTEN.get(each, 1.0) for each in SINGLE if takes(each, type_)})
    found = made(author.draw, keyword, type_, author.defaults.get(keyword))
    if found is None:
        return None
    fields, result = found
    frozen = {"trainable": False} if author.draw.chance(0.07) else {}
    item, name = author.named(room, author.item(keyword, fields, **frozen), result)
    if name is not None and not frozen:
        author.remember(room, name, keyword, fields, type_)
    return [*([BEFORE[keyword]] if keyword in BEFORE else []), item], result


def a_shared_op(author: Author, room: Room, type_: Type, depth: int) -> Part | None:
    """A layer that uses the weights of an earlier one; its other fields may differ."""
    draw = author.draw
    if not room.owners:
        return None
    name = draw.choice(sorted(room.owners))
    owner = room.owners[name]
    before = bring(type_, owner.takes)
    if before is None:
        return None
    items, brought = before
    for _ in range(8):
        fields = {**owner.fields}
        if draw.chance(0.7) and takes(owner.keyword, brought):
            drawn = RECIPES[owner.keyword](draw, brought)
            fields |= {key: value for key, value in drawn.items() if key in LOOSE}
        op = resolved(owner.keyword, fields, (brought,))
        first = resolved(owner.keyword, owner.fields, (owner.takes,))
        if op is not None and first is not None and _shapes(op, brought) == _shapes(first, owner.takes) != []:
            item, _ = author.named(room, {owner.keyword: fields, "share": name}, op.outputs((brought,))[0])
            return [*items, item], op.outputs((brought,))[0]
    return None


LOOSE = frozenset({"stride", "padding", "dilation", "activation", "output_padding", "epsilon", "momentum"})
"""Fields that leave the weights alone."""


def _shapes(op: Op, type_: Type) -> list[tuple[int, ...]]:
    return [weight.shape for weight in op.weights((type_,))]


def bring(type_: Type, goal: Type) -> Part | None:
    """Items that give a tensor the channels and the number of axes of another; None where that is not plain."""
    if len(type_.spatial) != len(goal.spatial):
        return None
    return (
        ([], type_)
        if type_.channels == goal.channels
        else ([{"dense": goal.channels}], Type(goal.channels, type_.spatial))
    )
