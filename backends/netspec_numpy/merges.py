"""Merges, and ops that move values, from their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import floor

import numpy as np

from netspec.ops.merge import Add, Average, Concat, Divide, Maximum, Minimum, Multiply, Subtract
from netspec.ops.resample import Resize
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad
from netspec.types import AXES
from netspec_numpy.calculation import Calculation, Values


def together(inputs: Sequence[Values]) -> list[Values]:
    """The branches; vectors are broadcast over positions; a one-channel map is broadcast by NumPy."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(*x.shape, *(1,) * (rank - x.ndim)) for x in inputs]


def add(op: Add | Average, this: Calculation) -> Values:
    """The sum, in order."""
    first, *others = together(this.inputs)
    for other in others:
        first = first + other
    return first


def multiply(op: Multiply, this: Calculation) -> Values:
    """The product, in order."""
    first, *others = together(this.inputs)
    for other in others:
        first = first * other
    return first


def concat(op: Concat, this: Calculation) -> Values:
    """The concatenation along the axis."""
    return np.concatenate(this.inputs, axis=1 + ("channels", *this.node.output.axes).index(op.axis))


def subtract(op: Subtract, this: Calculation) -> Values:
    """The first minus the second."""
    first, second = together(this.inputs)
    return first - second


@np.errstate(all="ignore")
def divide(op: Divide, this: Calculation) -> Values:
    """The first divided by the second."""
    first, second = together(this.inputs)
    return first / second


def maximum(op: Maximum, this: Calculation) -> Values:
    """The largest, value by value."""
    first, *others = together(this.inputs)
    for other in others:
        first = np.maximum(first, other)
    return first


def minimum(op: Minimum, this: Calculation) -> Values:
    """The smallest, value by value."""
    first, *others = together(this.inputs)
    for other in others:
        first = np.minimum(first, other)
    return first


def average(op: Average, this: Calculation) -> Values:
    """The mean."""
    return add(op, this) / len(this.inputs)


def flatten(op: Flatten, this: Calculation) -> Values:
    """Channel by channel, then row by row."""
    return this.x.reshape(len(this.x), -1)


def identity(op: Identity, this: Calculation) -> Values:
    """The input."""
    return this.x


def reshape(op: Reshape, this: Calculation) -> Values:
    """The same values in the same order, in another shape."""
    return this.x.reshape(len(this.x), *op.shape)


def permute(op: Permute, this: Calculation) -> Values:
    """The axes in the order of their names."""
    names = ("channels", *_axes(this.x))
    return this.x.transpose(0, *(1 + names.index(name) for name in op.axes))


def _axes(x: Values) -> tuple[str, ...]:
    return AXES[x.ndim - 2]


def space_to_depth(op: SpaceToDepth, this: Calculation) -> Values:
    """The places of all blocks, one after the other: beside each channel, or each before all channels."""
    if op.order == "darknet":
        return _reorganised(this.x, op.block)
    n, _, *sizes = this.x.shape
    each = [
        this.x[(slice(None), slice(None), *(slice(at, None, op.block) for at in place))]
        for place in product(range(op.block), repeat=len(sizes))
    ]
    smaller = [size // op.block for size in sizes]
    return np.stack(each, axis=2 if op.order == "crd" else 1).reshape(n, -1, *smaller)


def _reorganised(x: Values, block: int) -> Values:
    """`reorg_cpu` of Darknet as its layer calls it, value by value: both tensors are read as flat lists."""
    n, channels, height, width = x.shape
    most = channels // block**2
    flat, y = x.reshape(n, -1), np.empty((n, channels * height * width))
    for k, j, i in np.ndindex(channels, height, width):
        row, column = j * block + k // most // block, i * block + k // most % block
        source = column + width * block * (row + height * block * (k % most))
        y[:, i + width * (j + height * k)] = flat[:, source]
    return y.reshape(n, channels * block**2, height // block, width // block)


def depth_to_space(op: DepthToSpace, this: Calculation) -> Values:
    """The channels of each place of the blocks: one of each group, or one group."""
    n, _, *sizes = this.x.shape
    places = list(product(range(op.block), repeat=len(sizes)))
    channels = this.x.shape[1] // len(places)
    y = np.empty((n, channels, *(size * op.block for size in sizes)))
    for number, place in enumerate(places):
        first = slice(number, None, len(places))
        taken = first if op.order == "crd" else slice(number * channels, (number + 1) * channels)
        at = (slice(None), slice(None), *(slice(start, None, op.block) for start in place))
        y[at] = this.x[:, taken]
    return y


def resize(op: Resize, this: Calculation) -> Values:
    """Along one axis after the other: y[p] = Σ over i of share(p, i) · x[i]."""
    y = this.x
    for axis, size in enumerate(op.sizes(this.types), start=2):
        shares = _shares(y.shape[axis], size, op)
        y = np.moveaxis(np.tensordot(shares, y, axes=(1, axis)), 0, axis)
    return y


def _shares(given: int, wanted: int, op: Resize) -> Values:
    """The share of each input position in each output position."""
    shares = np.zeros((wanted, given))
    for p in range(wanted):
        for position, share in _taken(p, given, wanted, op):
            shares[p, min(max(position, 0), given - 1)] += share
    return shares


def _taken(p: int, given: int, wanted: int, op: Resize) -> list[tuple[int, float]]:
    """The positions, also some outside, that output position p takes, with their shares."""
    if op.mode == "nearest":
        return [(p * given // wanted, 1.0)]
    if op.mode == "nearest_exact":
        return [((2 * p + 1) * given // (2 * wanted), 1.0)]
    if op.mode == "area":
        window = range(p * given // wanted, -(-(p + 1) * given // wanted))
        return [(position, 1 / len(window)) for position in window]
    at = (p + 0.5) * given / wanted - 0.5
    if op.antialias:
        wide = max(given / wanted, 1.0)
        weights = [_kernel(op.mode, (position - at) / wide, -0.5) for position in range(given)]
        return [(position, weight / sum(weights)) for position, weight in enumerate(weights)]
    if op.align_corners:
        at = p * (given - 1) / max(wanted - 1, 1)
    elif op.mode == "linear":
        at = max(at, 0.0)
    near = range(floor(at) - 1, floor(at) + 3)
    return [(position, _kernel(op.mode, position - at, -0.75)) for position in near]


def _kernel(mode: str, x: float, a: float) -> float:
    """The weight of a value at a distance: a triangle, or the cubic convolution of Keys 1981."""
    x = abs(x)
    if mode == "linear":
        return max(1 - x, 0.0)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def pad(op: Pad, this: Calculation) -> Values:
    """Pad with a constant, the mirror image, or the outermost values."""
    pads = [(0, 0), op.channels or (0, 0), *op.pads(this.types)]
    if op.mode == "constant":
        return np.pad(this.x, pads, constant_values=op.value)
    return np.pad(this.x, pads, mode="reflect" if op.mode == "reflect" else "edge")


def crop(op: Crop, this: Calculation) -> Values:
    """Remove the positions and channels that are cropped."""
    cuts = (op.channels or (0, 0), *op.cuts(this.types))
    kept = [slice(lo, size - hi) for (lo, hi), size in zip(cuts, this.x.shape[1:], strict=True)]
    return this.x[(slice(None), *kept)]
