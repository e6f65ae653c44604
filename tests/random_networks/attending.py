"""How the fields of attention are drawn."""

from __future__ import annotations

from netspec.types import Type
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.starts import init


def turned(draw: Draw) -> Fields:
    """How `rotary` turns the channels of heads."""
    return draw.some(
        0.5,
        base=lambda: draw.choice([50.0, 500000]),
        pairs=lambda: draw.choice(["halves", "neighbours"]),
        fraction=lambda: draw.choice([0.25, 0.5, 0.7, 1]),
        start=lambda: draw.randint(0, 20),
    )


def attention(draw: Draw, type_: Type) -> Fields:
    """The fields of an `attention` of a tensor to itself."""
    rank, channels = len(type_.spatial), type_.channels or 1
    heads = draw.choice([each for each in (1, 2, 3, 4, 6) if channels % each == 0])
    fields: Fields = {"heads": heads}
    fields |= draw.some(
        0.25,
        kv_heads=lambda: draw.choice([each for each in range(1, heads + 1) if heads % each == 0]),
        scale=lambda: draw.choice([0.25, 0.5, 2.0]),
        dropout=lambda: draw.choice([0.25, 0.5]),
    )
    if rank == 1 and draw.chance(0.5):
        fields |= draw.some(0.6, causal=lambda: draw.chance(0.8), window=lambda: draw.randint(1, 4))
        fields |= draw.some(0.5, rotary=lambda: draw.either(True, turned(draw)))
    elif draw.chance(0.4):
        fields["blocks"] = [
            draw.choice([each for each in range(1, size + 1) if size % each == 0]) for size in type_.sizes
        ]
        fields |= draw.some(0.6, shift=lambda: [draw.randint(0, each - 1) for each in fields["blocks"]])
    if draw.chance(0.2) and "blocks" not in fields:
        return {**fields, "project": False, **draw.some(0.3, output=lambda: "none")}
    return fields | draw.some(
        0.25,
        head_size=lambda: draw.randint(1, 4),
        output=lambda: draw.either("none", draw.randint(1, 6)),
        bias=lambda: draw.chance(0.3),
        init=lambda: init(draw),
        bias_init=lambda: init(draw),
        project=lambda: True,
    )
