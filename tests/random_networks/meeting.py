"""Brings tensors of several types together: what each passes first, and the op that joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netspec.types import Type
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.recipes import BEFORE, MERGES, RECIPES, is_small, outcome

Item = Any
"""An item of `layers`: a word, or a mapping."""


@dataclass(frozen=True)
class Meeting:
    """A join of several tensors."""

    ways: tuple[tuple[Item, ...], ...]
    """What each passes before."""
    keyword: str
    fields: Fields
    result: Type


def meet(draw: Draw, types: list[Type]) -> Meeting | None:
    """One way to join tensors of these types; None if it would become too large."""
    for _ in range(6):
        keyword = draw.choice(MERGES)
        how = draw.weighted({"as they are": 4.0, "alike": 3.0, "spread": 2.0, "vectors": 1.0})
        goal = draw.choice(types)
        steps = [_towards(draw, type_, goal, how) for type_ in types]
        found = _joined(draw, keyword, steps)
        if found is not None:
            return found
    found = _joined(draw, "concat", [_towards(draw, type_, types[0], "vectors") for type_ in types])
    # Flattened, they may have too many channels together.
    return found or _joined(draw, "concat", [_pooled(type_) for type_ in types])


def _pooled(type_: Type) -> tuple[list[Item], Type]:
    return (["global_avg_pool"], Type(type_.channels)) if type_.spatial else ([], type_)


def _joined(draw: Draw, keyword: str, steps: list[tuple[list[Item], Type]]) -> Meeting | None:
    fields = RECIPES[keyword](draw, steps[0][1])
    result = outcome(keyword, fields, tuple(type_ for _, type_ in steps))
    if result is None or not is_small(result):
        return None
    ways = [items for items, _ in steps]
    ways[-1] = [*ways[-1], BEFORE[keyword]] if keyword in BEFORE else ways[-1]
    return Meeting(tuple(map(tuple, ways)), keyword, fields, result)


def _towards(draw: Draw, type_: Type, goal: Type, how: str) -> tuple[list[Item], Type]:
    """Items that bring a tensor nearer to the type of another, and what they give."""
    if how == "vectors" or (
        how != "as they are" and type_.spatial and len(type_.spatial) != len(goal.spatial)
    ):
        return _vector(draw, type_, goal if how != "vectors" else None)
    if how == "spread" and type_ != goal and goal.spatial:
        if draw.chance(0.5):
            return _vector(draw, type_, goal)
        return alike(draw, type_, Type(1, goal.spatial)) if type_.spatial else _vector(draw, type_, goal)
    return alike(draw, type_, goal) if how != "as they are" else ([], type_)


def _vector(draw: Draw, type_: Type, goal: Type | None) -> tuple[list[Item], Type]:
    items: list[Item] = []
    if type_.spatial:
        word = (
            "flatten"
            if type_.elements <= 40 and draw.chance(0.4)
            else draw.either("global_avg_pool", "global_max_pool")
        )
        items.append(word)
        type_ = Type(type_.elements if word == "flatten" else type_.channels)
    if goal is not None and goal.channels != type_.channels:
        items.append({"dense": goal.channels})
        type_ = Type(goal.channels)
    return items, type_


def alike(draw: Draw, type_: Type, goal: Type) -> tuple[list[Item], Type]:
    """Items that bring a tensor to the sizes, if it has as many axes, and to the channels of another type."""
    items: list[Item] = []
    sizes, wanted = type_.sizes, goal.sizes
    if sizes and sizes != wanted:
        less = [min(pair) for pair in zip(sizes, wanted, strict=True)]
        if tuple(less) != sizes:
            items.append({"crop": {"size": less}})
        if tuple(less) != wanted:
            items.append({"upsample": {"size": list(wanted)}})
    if type_.channels != goal.channels:
        conv = bool(sizes) and draw.chance(0.5)
        items.append({"conv": {"filters": goal.channels, "kernel": 1}} if conv else {"dense": goal.channels})
    return items, Type(goal.channels, goal.spatial if sizes else ())
