"""Convolutions and pools, from their definitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np

from netspec.ops.adaptive import AdaptiveMaxPool, AdaptivePool
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool
from netspec.ops.transpose import ConvTranspose
from netspec.ops.window import Windowed
from netspec_numpy.calculation import Calculation, PositionArray, Values, biased, spatial


def taps(op: Windowed, padded: Values, sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Values]]:
    """For every place in the kernel, the values of all windows at this place."""
    for place in product(*(range(k) for k in op.kernel)):
        starts = [at * d for at, d in zip(place, op.dilation, strict=True)]
        cuts = [
            slice(start, start + (size - 1) * stride + 1, stride)
            for start, size, stride in zip(starts, sizes, op.strides, strict=True)
        ]
        yield place, padded[(slice(None), slice(None), *cuts)]


def pad(x: Values, pads: Sequence[tuple[int, int]], value: float = 0.0) -> Values:
    """Pad the spatial axes at both ends."""
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)


def correlate(op: Windowed, kernel: Values, x: Values, sizes: Sequence[int], groups: int) -> Values:
    """y[o, p] = Σ over input channels i of o's group and places t of w[o, i, t] · x[i, p·s + t·d − pad]."""
    padded = pad(x, op.pads)
    blocks = []
    for part, seen_by in zip(np.split(kernel, groups), np.split(padded, groups, axis=1), strict=True):
        block = np.zeros((len(part), len(x), *sizes))
        for place, seen in taps(op, seen_by, sizes):
            at: tuple[slice | int, ...] = (slice(None), slice(None), *place)
            block += np.tensordot(part[at], seen, axes=(1, 1))
        blocks.append(block)
    return np.moveaxis(np.concatenate(blocks), 0, 1)


def conv(op: Conv, this: Calculation) -> Values:
    """A correlation; with a table, missing connections have weight 0."""
    kernel = this.weights["weight"]
    if op.table is not None:
        full = np.zeros((op.filters, this.x.shape[1], *op.kernel))
        pairs = [(o, i) for o, sees in enumerate(op.table) for i in sees]
        for value, (o, i) in zip(kernel, pairs, strict=True):
            full[o, i] = value
        kernel = full
    return biased(correlate(op, kernel, this.x, this.node.output.sizes, op.groups), this)


def depthwise_conv(op: DepthwiseConv, this: Calculation) -> Values:
    """One group per channel."""
    y = correlate(op, this.weights["weight"], this.x, this.node.output.sizes, this.x.shape[1])
    return biased(y, this)


def separable_conv(op: SeparableConv, this: Calculation) -> Values:
    """Per channel, then over the channels at each position."""
    between = correlate(op, this.weights["depthwise.weight"], this.x, this.node.output.sizes, this.x.shape[1])
    mixing = this.weights["pointwise.weight"].reshape(op.filters, -1)
    return biased(np.moveaxis(np.tensordot(mixing, between, axes=(1, 1)), 0, 1), this, "pointwise.bias")


def conv_transpose(op: ConvTranspose, this: Calculation) -> Values:
    """Every input value spreads its kernel: y[o, i·s + t·d − lo] += w[i, o, t] · x[i]; what falls outside is lost."""
    sizes = this.node.output.sizes
    # Room for the whole spread and for what the output padding adds at the end.
    spread = [s * (i - 1) + k for i, s, k in zip(this.x.shape[2:], op.strides, op.span, strict=True)]
    room = [max(full, lo + o) for full, (lo, _), o in zip(spread, op.pads, sizes, strict=True)]
    blocks = []
    kernels = np.split(this.weights["weight"], op.groups)
    for part, x in zip(kernels, np.split(this.x, op.groups, axis=1), strict=True):
        block = np.zeros((part.shape[1], len(x), *room))
        for place in product(*(range(k) for k in op.kernel)):
            starts = [at * d for at, d in zip(place, op.dilation, strict=True)]
            cuts = [
                slice(start, start + (i - 1) * s + 1, s)
                for start, i, s in zip(starts, this.x.shape[2:], op.strides, strict=True)
            ]
            at: tuple[slice | int, ...] = (slice(None), slice(None), *place)
            block[(slice(None), slice(None), *cuts)] += np.tensordot(part[at].T, x, axes=(1, 1))
        blocks.append(block)
    cropped = [slice(lo, lo + o) for (lo, _), o in zip(op.pads, sizes, strict=True)]
    y = np.moveaxis(np.concatenate(blocks), 0, 1)[(slice(None), slice(None), *cropped)]
    return biased(y, this)


def max_pool(op: MaxPool, this: Calculation) -> Values:
    """The largest value of each window; padding is −∞."""
    padded = pad(this.x, op.pads, -np.inf)
    return np.asarray(np.max([seen for _, seen in taps(op, padded, this.node.output.sizes)], axis=0))


def max_indices(op: MaxPool, this: Calculation, port: str) -> PositionArray:
    """The position in the input of the largest value of each window; of equal values, the first.

    Positions count along the last axis first, without the padding.
    """
    seen = list(taps(op, pad(this.x, op.pads, -np.inf), this.node.output.sizes))
    first = np.argmax([values for _, values in seen], axis=0)
    found = np.zeros(first.shape, "int64")
    for axis, size in enumerate(this.x.shape[2:]):
        starts = np.arange(first.shape[2 + axis]) * op.strides[axis] - op.pads[axis][0]
        within = np.array([place[axis] * op.dilation[axis] for place, _ in seen])[first]
        found = found * size + within + starts.reshape(-1, *(1,) * (this.x.ndim - 3 - axis))
    return found


def max_unpool(op: MaxUnpool, this: Calculation) -> Values:
    """y[n, c, indices[n, c, p]] = x[n, c, p], and 0 elsewhere."""
    positions = this.inputs[1].astype("int64")
    sizes = this.node.output.sizes
    y = np.zeros((*this.x.shape[:2], prod(sizes)))
    flat = (*this.x.shape[:2], -1)
    np.put_along_axis(y, positions.reshape(flat), this.x.reshape(flat), axis=2)
    return y.reshape(*this.x.shape[:2], *sizes)


def avg_pool(op: AvgPool, this: Calculation) -> Values:
    """The sum of each window, divided by the number of its places that count.

    Places in the input count; with `count_padding`, so do places in the requested padding, but never the overhang.
    """
    sizes = this.node.output.sizes
    asked = [(lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True)]
    ones = np.ones_like(this.x[:1, :1])
    counted = pad(pad(ones, asked, float(op.count_padding)), [(0, more) for more in op.overhang])
    total = sum(seen for _, seen in taps(op, pad(this.x, op.pads), sizes))
    return np.asarray(total / sum(seen for _, seen in taps(op, counted, sizes)))


def _portions(op: AdaptivePool, x: Values) -> Iterator[tuple[tuple[int, ...], Values]]:
    """The values of each window of a pool to a size."""
    for place in product(*map(range, op.size)):
        portions = [
            slice(p * i // o, -(-(p + 1) * i // o))
            for p, i, o in zip(place, x.shape[2:], op.size, strict=True)
        ]
        yield place, x[(slice(None), slice(None), *portions)]


def adaptive_pool(op: AdaptivePool, this: Calculation) -> Values:
    """The mean or the largest value of each window."""
    y = np.empty((*this.x.shape[:2], *op.size))
    for place, seen in _portions(op, this.x):
        reduced = seen.max if isinstance(op, AdaptiveMaxPool) else seen.mean
        at: tuple[slice | int, ...] = (slice(None), slice(None), *place)
        y[at] = reduced(axis=spatial(seen))
    return y


def global_avg_pool(op: GlobalAvgPool, this: Calculation) -> Values:
    """The mean of each channel over all positions."""
    return np.asarray(this.x.mean(axis=spatial(this.x), keepdims=op.keep))


def global_max_pool(op: GlobalMaxPool, this: Calculation) -> Values:
    """The largest value of each channel over all positions."""
    return np.asarray(this.x.max(axis=spatial(this.x), keepdims=op.keep))


def channel_pool(op: ChannelPool, this: Calculation) -> Values:
    """The largest value or the mean of each group of consecutive channels."""
    runs = this.x.reshape(len(this.x), -1, op.size, *this.x.shape[2:])
    return np.asarray(runs.max(axis=2) if op.kind == "max" else runs.mean(axis=2))
