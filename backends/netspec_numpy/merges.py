"""Merges, and ops that move values about, from their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from netspec.ops.merge import Concat
from netspec.ops.reshape import DepthToSpace, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad, Upsample
from netspec.types import AXES
from netspec_numpy.call import Call, Values


def together(inputs: Sequence[Values]) -> list[Values]:
    """Vectors stretched over the positions of the maps beside them; a one-channel map spreads by itself."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(*x.shape, *(1,) * (rank - x.ndim)) for x in inputs]


def add(call: Call) -> Values:
    """The sum, from the first to the last."""
    first, *others = together(call.inputs)
    for other in others:
        first = first + other
    return first


def multiply(call: Call) -> Values:
    """The product, from the first to the last."""
    first, *others = together(call.inputs)
    for other in others:
        first = first * other
    return first


def concat(call: Call) -> Values:
    """One after the other along the axis."""
    op = cast(Concat, call.node.op)
    return np.concatenate(call.inputs, axis=1 + ("channels", *call.node.output.axes).index(op.axis))


def subtract(call: Call) -> Values:
    """The first less the second."""
    first, second = together(call.inputs)
    return first - second


def maximum(call: Call) -> Values:
    """The largest, value by value."""
    first, *others = together(call.inputs)
    for other in others:
        first = np.maximum(first, other)
    return first


def average(call: Call) -> Values:
    """The mean."""
    return add(call) / len(call.inputs)


def flatten(call: Call) -> Values:
    """Channel by channel, then row by row."""
    return call.x.reshape(len(call.x), -1)


def identity(call: Call) -> Values:
    """The input."""
    return call.x


def reshape(call: Call) -> Values:
    """The same values in the same order, in another shape."""
    return call.x.reshape(len(call.x), *cast(Reshape, call.node.op).shape)


def permute(call: Call) -> Values:
    """The axes in the order of their names."""
    op = cast(Permute, call.node.op)
    names = ("channels", *_axes(call.x))
    return call.x.transpose(0, *(1 + names.index(name) for name in op.axes))


def _axes(x: Values) -> tuple[str, ...]:
    return AXES[x.ndim - 2]


def space_to_depth(call: Call) -> Values:
    """Channel c, place p of a block → channel c·blockⁿ + p."""
    block = cast(SpaceToDepth, call.node.op).block
    n, c, *sizes = call.x.shape
    rank = len(sizes)
    split = call.x.reshape(n, c, *(part for size in sizes for part in (size // block, block)))
    places = [3 + 2 * axis for axis in range(rank)]
    blocks = [2 + 2 * axis for axis in range(rank)]
    return split.transpose(0, 1, *places, *blocks).reshape(n, -1, *(size // block for size in sizes))


def depth_to_space(call: Call) -> Values:
    """Channel c·blockⁿ + p → channel c, place p of the block."""
    block = cast(DepthToSpace, call.node.op).block
    n, _, *sizes = call.x.shape
    rank = len(sizes)
    split = call.x.reshape(n, -1, *(block,) * rank, *sizes)
    order = [
        axis for pair in zip(range(2 + rank, 2 + 2 * rank), range(2, 2 + rank), strict=True) for axis in pair
    ]
    return split.transpose(0, 1, *order).reshape(n, split.shape[1], *(size * block for size in sizes))


def upsample(call: Call) -> Values:
    """Along one axis after the other: y[p] = Σ over i of share(p, i) · x[i]."""
    op = cast(Upsample, call.node.op)
    y = call.x
    for axis, size in enumerate(op.size or (), start=2):
        shares = _shares(y.shape[axis], size, op)
        y = np.moveaxis(np.tensordot(shares, y, axes=(1, axis)), 0, axis)
    return y


def _shares(given: int, wanted: int, op: Upsample) -> Values:
    """How much of each input position is in each output position."""
    shares = np.zeros((wanted, given))
    for p in range(wanted):
        if op.mode == "nearest":
            shares[p, p * given // wanted] = 1.0
            continue
        at = (
            p * (given - 1) / max(wanted - 1, 1)
            if op.align_corners
            else max((p + 0.5) * given / wanted - 0.5, 0.0)
        )
        low = min(int(at), given - 1)
        high = min(low + 1, given - 1)
        shares[p, low] += 1 - (at - low)
        shares[p, high] += at - low
    return shares


def pad(call: Call) -> Values:
    """With a border of a constant, of the mirror image or of the outermost values."""
    op = cast(Pad, call.node.op)
    pads = [(0, 0), (0, 0), *op.pads]
    if op.mode == "constant":
        return np.pad(call.x, pads, constant_values=op.value)
    return np.pad(call.x, pads, mode="reflect" if op.mode == "reflect" else "edge")


def crop(call: Call) -> Values:
    """Without what is cut off."""
    cuts = cast(Crop, call.node.op).cuts
    kept = [slice(lo, size - hi) for (lo, hi), size in zip(cuts, call.x.shape[2:], strict=True)]
    return call.x[(slice(None), slice(None), *kept)]
