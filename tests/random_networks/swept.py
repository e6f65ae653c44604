"""How the fields of recurrent layers are drawn."""

from __future__ import annotations

from typing import Any

from netspec.types import Type
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.starts import init


def _axis(draw: Draw, type_: Type) -> Fields:
    """The axis along which a layer runs, by name or by number."""
    if not type_.spatial or (len(type_.spatial) == 1 and draw.chance(0.6)):
        return {}
    number = draw.randrange(len(type_.spatial))
    return {"axis": number if draw.chance(0.4) else type_.axes[number]}


def _swept(draw: Draw) -> Fields:
    fields = draw.some(
        0.3,
        direction=lambda: draw.choice(["forward", "backward", "both", "both"]),
        bias=lambda: draw.chance(0.3),
        init=lambda: init(draw),
        recurrent_init=lambda: init(draw),
        bias_init=lambda: init(draw),
    )
    fields |= draw.some(0.4, **{"return": lambda: draw.choice(["sequence", "last", "state"])})
    if fields.get("direction") == "both":
        fields |= draw.some(0.6, merge=lambda: draw.choice(["concat", "sum", "average", "multiply"]))
    return fields


def _cells(draw: Draw, type_: Type) -> Fields:
    fields = {"units": draw.randint(1, 3), **_axis(draw, type_), **_swept(draw)}
    fields |= draw.some(0.25, layers=lambda: draw.randint(1, 2), variational=lambda: draw.chance(0.7))
    if fields.get("layers", 1) > 1 or fields.get("variational"):
        fields |= draw.some(0.5, dropout=lambda: draw.choice([0.25, 0.5]))
    return fields


def rnn(draw: Draw, type_: Type) -> Fields:
    """The fields of an `rnn`."""
    fields = _cells(draw, type_)
    return {**fields, **draw.some(0.5, activation=lambda: draw.choice(["tanh", "relu", "sigmoid"]))}


def gru(draw: Draw, type_: Type) -> Fields:
    """The fields of a `gru`."""
    return {**_cells(draw, type_), **draw.some(0.6, reset=lambda: draw.choice(["before", "after"]))}


def lstm(draw: Draw, type_: Type) -> Fields:
    """The fields of an `lstm`."""
    fields = _cells(draw, type_)
    fields |= draw.some(
        0.25,
        peepholes=lambda: draw.chance(0.8),
        coupled=lambda: draw.chance(0.8),
        projection=lambda: draw.randint(1, 4),
    )
    return {**fields, **_forget_bias(draw, fields)}


def _forget_bias(draw: Draw, fields: Fields) -> Fields:
    return draw.some(0.3 if fields.get("bias", True) else 0, forget_bias=lambda: draw.choice([0, 1, 2.5]))


def _conv(draw: Draw, type_: Type) -> Fields:
    rank = max(len(type_.spatial) - 1, 1)
    each = (1, 2, 3)
    fields: Fields = {"filters": draw.randint(1, 3), **_axis(draw, type_), **_swept(draw)}
    fields["kernel"] = draw.one_or_each(rank, lambda _: draw.choice(each))
    fields |= draw.some(
        0.3,
        recurrent_kernel=lambda: draw.one_or_each(rank, lambda _: draw.choice(each)),
        stride=lambda: draw.one_or_each(rank, lambda _: draw.choice(each)),
        dilation=lambda: draw.one_or_each(rank, lambda _: draw.choice(each)),
        activation=lambda: draw.choice(["tanh", "relu", "sigmoid"]),
        recurrent_activation=lambda: draw.choice(["sigmoid", "hard_sigmoid"]),
    )
    words: list[Any] = ["same", "half", "valid", 1, [draw.choice([[0, 1], [2, 1]]) for _ in range(rank)]]
    return {**fields, **draw.some(0.7, padding=lambda: draw.choice(words))}


def conv_gru(draw: Draw, type_: Type) -> Fields:
    """The fields of a `conv_gru`."""
    return {**_conv(draw, type_), **draw.some(0.5, reset=lambda: draw.choice(["before", "after"]))}


def conv_lstm(draw: Draw, type_: Type) -> Fields:
    """The fields of a `conv_lstm`."""
    fields = {**_conv(draw, type_), **draw.some(0.3, peepholes=lambda: draw.chance(0.8))}
    return {**fields, **_forget_bias(draw, fields)}
