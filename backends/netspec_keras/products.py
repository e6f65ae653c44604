"""Products, reductions and the shuffle of channels in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.lowering.tree import LiteralValue
from netspec_keras.arguments import Types, first, option
from netspec_keras.layer import LayerText, Lowered

if TYPE_CHECKING:
    from netspec.ops.arrange import ChannelShuffle
    from netspec.ops.product import Contract, Matmul, Product
    from netspec.ops.reduce import Reduce


def matmul(op: Matmul, types: Types) -> Lowered:
    """The helper `Contraction`: the channels are last, so the last two axes are not the matrices."""
    return _product(op, types)


def contract(op: Contract, types: Types) -> Lowered:
    """The helper `Contraction`."""
    return _product(op, types)


def _product(op: Product, types: Types) -> Lowered:
    equation = op.names(types).channels_last().letters()
    return Lowered((LayerText("Contraction", (first(equation, "equation"),)),))


def reduce_(op: Reduce, types: Types) -> Lowered:
    """The helper `Reduction`; `RootOfSquares` for a deviation or a norm."""
    reduced, gone = op.dimensions(types), op.gone(types)
    axes = option("axis", _axes(reduced))
    kept = option("keepdims", gone != reduced, False)
    lost = option("squeezed", _axes(gone) if gone and gone != reduced else (), ())
    if op.by in ("std", "norm"):
        how = option("centred", op.by == "std", False)
        return Lowered((LayerText("RootOfSquares", (axes, how, kept, lost)),))
    return Lowered((LayerText("Reduction", (first(op.by, "by"), axes, kept, lost)),))


def _axes(axes: tuple[int, ...]) -> LiteralValue:
    """The axes of a tensor with the batch first and the channels last; a number for one."""
    found = tuple(sorted((axis or -1 for axis in axes), key=lambda axis: axis < 0))
    return found[0] if len(found) == 1 else found


def channel_shuffle(op: ChannelShuffle, types: Types) -> Lowered:
    """The helper `ChannelShuffle`."""
    return Lowered((LayerText("ChannelShuffle", (first(op.groups, "groups"),)),))
