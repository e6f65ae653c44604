"""The input and output of a lowering, and the arguments that several lowerings write."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from netspec.lowering.parts import Argument, Slot
from netspec.lowering.tree import LiteralValue
from netspec.ops.base import Op
from netspec.ops.fields import Pads
from netspec.types import Type
from netspec_keras.layer import Keeps, LayerText, Lowered

Types = Sequence[Type]
Arguments = tuple[Argument, ...]
Lowering = Callable[[Any, Types], Lowered]


def first(value: LiteralValue, hint: str) -> Argument:
    """A positional argument."""
    return Argument(Slot(value, hint))


def option(keyword: str, value: LiteralValue, default: LiteralValue = "", hint: str = "") -> Argument:
    """A keyword argument, left out if it has its default."""
    return Argument(Slot(value, hint or keyword, default), keyword)


def count(value: int, hint: str) -> Argument:
    """A positional argument that counts channels."""
    return Argument(Slot(value, hint, channels=True))


def plain(cls: str, keeps: Keeps = "nothing") -> Callable[[Op, Types], Lowered]:
    """A lowering to a layer without arguments."""
    return lambda op, types: Lowered((LayerText(cls),), keeps=keeps)


def squeeze(values: tuple[int, ...]) -> LiteralValue:
    """One number if all axes agree, else the tuple."""
    return values[0] if len(set(values)) == 1 else values


def padded(pads: Pads) -> bool:
    """Whether there is any padding."""
    return any(lo or hi for lo, hi in pads)


def border(pads: Pads, hint: str = "padding") -> Argument:
    """A padding or cropping in the form of Keras' layers: one number, one per axis, or one pair per axis."""
    if any(lo != hi for lo, hi in pads):
        return first(pads if len(pads) > 1 else pads[0], hint)
    return first(squeeze(tuple(lo for lo, _ in pads)), hint)


def zeros(pads: Pads, suffix: str = "pad") -> tuple[LayerText, ...]:
    """The layer that pads with zeros, if there is any padding."""
    return (LayerText(f"layers.ZeroPadding{len(pads)}D", (border(pads),), suffix),) if padded(pads) else ()


def channels_first(type_: Type) -> tuple[LayerText, ...]:
    """The layer that moves the channels before the positions; none if this never changes the order of values."""
    if not type_.spatial or type_.channels == 1:
        return ()
    rank = len(type_.spatial)
    return (
        LayerText("layers.Permute", (first((rank + 1, *range(1, rank + 1)), "order"),), "channels_first"),
    )


def is_line(type_: Type) -> bool:
    """Whether only one axis is longer than 1, or there is one channel: then all orders of the axes are equal."""
    return type_.elements in type_.shape or type_.channels == 1


def is_single(value: float) -> bool:
    """Whether float32 holds a number exactly: TensorFlow's layers keep their constants in float32."""
    try:
        exact: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return False
    return exact == value
