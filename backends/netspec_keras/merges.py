"""Merges, and ops that move values, in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.types import Type
from netspec_keras.arguments import (
    Arguments,
    Lowering,
    Types,
    border,
    channels_first,
    first,
    is_line,
    option,
    padded,
)
from netspec_keras.helpers.merges import CROPS_AT, CROPS_LIKE, CROPS_MIDDLE, CROPS_TO_SIZE
from netspec_keras.layer import Dims, Keeps, LayerText, Lowered, Turning

if TYPE_CHECKING:
    from netspec.ops.merge import Add, Average, Concat
    from netspec.ops.resample import Resize
    from netspec.ops.reshape import DepthToSpace, Flatten, Permute, Reshape, SpaceToDepth
    from netspec.ops.resize import Crop, Pad

Layers = tuple[LayerText, ...]


def with_channels_first(axes: int) -> Dims:
    """The order with the channels before the positions, of values with so many axes."""
    return (0, axes, *range(1, axes))


def total(cls: str) -> Callable[[Add | Average, Types], Lowered]:
    """A sum or a mean; a helper if branches are broadcast, because Keras' layer can take such a branch for a bias."""
    return lambda op, types: elementwise(f"layers.{cls}" if len(set(types)) == 1 else f"Spreading{cls}")(
        op, types
    )


def elementwise(cls: str) -> Lowering:
    """A lowering to a layer that combines the values at one place of all branches, if these have equally many axes."""
    return lambda op, types: Lowered(
        (LayerText(cls),), keeps="all" if len({len(type_.shape) for type_ in types}) == 1 else "nothing"
    )


def concat(op: Concat, types: Types) -> Lowered:
    """`layers.Concatenate`."""
    # Channels first and the batch left out, an axis of space has the number that it has in Keras.
    axis = op.dimension(types) or -1
    keeps: Keeps = "channels" if axis == -1 else "nothing"
    return Lowered((LayerText("layers.Concatenate", (option("axis", axis, -1),)),), keeps=keeps)


def flatten(op: Flatten, types: Types) -> Lowered:
    """`layers.Flatten`, after moving the channels first."""
    return _turning(types[0], LayerText("layers.Flatten"))


def reshape(op: Reshape, types: Types) -> Lowered:
    """`layers.Reshape` with channels first, and back; by itself if it keeps the channels, or adds and drops ones."""
    wanted, (channels, *sizes) = Type(op.shape[0], op.shape[1:]), op.open_shape
    rank, kept = len(sizes), op.kept_axes(types)
    if (kept is not None and kept[0] == 0) or (op.rest != 0 and op.shape[0] == types[0].channels):
        return Lowered((LayerText("layers.Reshape", (first((*sizes, channels), "shape"),)),))
    # What is open may be longer for another input.
    if is_line(wanted) and (op.rest is None or not sizes or channels == 1):
        return _turning(types[0], LayerText("layers.Reshape", (first((*sizes, channels), "shape"),)))
    back = LayerText("layers.Permute", (first((*range(2, rank + 2), 1), "order"),), "channels_last")
    reshaped = LayerText("layers.Reshape", (first(op.open_shape, "shape"),))
    return _turning(types[0], reshaped, (back,), 1 + rank)


def _turning(type_: Type, layer: LayerText, after: Layers = (), axes: int = 1) -> Lowered:
    """A layer on values with the channels first: its neighbours may have its input, and its value with `axes`, so."""
    before = channels_first(type_)

    def lower(moves_in: bool = True, moves_out: bool = True) -> Lowered:
        return Lowered((*(before if moves_in else ()), layer, *(after if moves_out else ())))

    takes = with_channels_first(len(type_.shape)) if before else None
    gives = with_channels_first(axes) if after else None
    return replace(lower(), turning=Turning(takes, gives, lower))


def permute(op: Permute, types: Types) -> Lowered:
    """`layers.Permute`, which counts axes from 1; the channels are last. It takes and gives any order of axes."""
    count = len(op.axes)
    plain = tuple(range(1 + count))
    channels, *positions = (axis or count for axis in op.order(types))
    sources = (0, *positions, channels)
    """The dimension of the input for each dimension of the value, both in the order of Keras."""

    def unmoved(given: Dims | None) -> Dims:
        return tuple(map(sources.index, given or plain))

    def between(given: Dims | None, wanted: Dims | None) -> Lowered:
        found = unmoved(given)
        dims = tuple(map(found.index, wanted or plain))
        if dims == plain:
            return Lowered(())
        return Lowered((LayerText("layers.Permute", (first(dims[1:], "order"),)),))

    def lower(moves_in: bool = True, moves_out: bool = True) -> Lowered:
        return between(None if moves_in else order, None if moves_out else order)

    order = with_channels_first(count)
    return replace(lower(), turning=Turning(order, order, lower, between, unmoved))


def blocks(cls: str) -> Callable[[SpaceToDepth | DepthToSpace, Types], Lowered]:
    """A helper that moves values between channels and positions."""

    def lower(op: SpaceToDepth | DepthToSpace, types: Types) -> Lowered:
        if op.order == "darknet":
            return Lowered((LayerText("DarknetReorg", (first(op.block, "block"),)),))
        order = option("order", op.order, "crd")
        return Lowered((LayerText(cls, (first(op.block, "block"), order)),))

    return lower


def wanted(op: Crop | Pad | Resize, types: Types) -> Arguments:
    """The size of the output as an argument, unless a second input has it."""
    return () if len(types) > 1 else (option("size", op.size or ()),)


def pad(op: Pad, types: Types) -> Lowered:
    """`layers.ZeroPadding…D`, or a helper; no layer without padding. Another helper pads the channels."""
    more = any(op.channels or ())
    positions = _padded(op, types)
    if not more:
        return positions
    how = (option("mode", op.mode, "constant"), option("value", op.value, 0.0))
    suffix = "channels" if positions.layers else ""
    layer = LayerText("ChannelPadding", (first(op.channels or (0, 0), "channels"), *how), suffix)
    return Lowered((*positions.layers, layer), keeps="nothing" if positions.layers else "channels")


def _padded(op: Pad, types: Types) -> Lowered:
    if op.amount is None:
        how = (option("mode", op.mode, "constant"), option("value", op.value, 0.0))
        return Lowered((LayerText("PaddingTo", (*wanted(op, types), *how)),))
    pads = op.pads(types)
    if not padded(pads):
        return Lowered(())
    if op.mode != "constant":
        return Lowered((LayerText(f"{op.mode.capitalize()}Padding", (first(pads, "padding"),)),))
    if op.value:
        return Lowered((LayerText("ConstantPadding", (first(pads, "padding"), first(op.value, "value"))),))
    return Lowered((LayerText(f"layers.ZeroPadding{len(pads)}D", (border(pads),)),))


def crop(op: Crop, types: Types) -> Lowered:
    """`layers.Cropping…D`, or a helper; no layer if nothing is cropped. Another helper crops the channels."""
    positions = _cropped(op, types)
    if not any(op.channels or ()):
        return positions
    suffix = "channels" if positions.layers else ""
    layer = LayerText("ChannelCropping", (first(op.channels or (0, 0), "channels"),), suffix)
    return Lowered((*positions.layers, layer), keeps="nothing" if positions.layers else "channels")


def _cropped(op: Crop, types: Types) -> Lowered:
    if op.amount is None:
        start = () if op.offset is None else (option("offset", op.offset),)
        parts = {CROPS_LIKE if len(types) > 1 else CROPS_TO_SIZE, CROPS_AT if start else CROPS_MIDDLE}
        return Lowered((LayerText("CroppingTo", (*wanted(op, types), *start), parts=frozenset(parts)),))
    cuts = op.cuts(types)
    if not padded(cuts):
        return Lowered(())
    return Lowered((LayerText(f"layers.Cropping{len(cuts)}D", (border(cuts, "cropping"),)),))
