"""Embeddings, and ops that select, reorder or repeat positions of an axis, from their definitions."""

from __future__ import annotations

from typing import cast

import numpy as np

from netspec.ops.arrange import Tile
from netspec.ops.axes import Along
from netspec.ops.gather import Gather
from netspec.ops.indices import Embedding, OneHot
from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
from netspec.ops.split import Split
from netspec.types import AXES
from netspec_numpy.calculation import Array, Calculation, Values


def embedding(op: Embedding, this: Calculation) -> Values:
    """y[n, :, p] = weight[x[n, p]]."""
    return np.moveaxis(this.weights["weight"][this.x.astype("int64")], -1, 1)


def one_hot(op: OneHot, this: Calculation) -> Values:
    """y[n, c, p] = 1 where x[n, p] is c, else 0."""
    channels = np.arange(this.node.output.channels or 0).reshape(-1, *(1,) * (this.x.ndim - 1))
    return np.asarray(this.x[:, None] == channels, "float64")


def _axis(op: Along, this: Calculation) -> int:
    """The axis of the array (N, channels, *spatial), or (N, *spatial) for indices."""
    has_channels = this.node.output.channels is not None
    if str(op.axis) == "channels":
        return 1
    names = AXES[this.x.ndim - 1 - has_channels]
    return 1 + has_channels + names.index(str(op.axis))


def taken(op: Along, this: Calculation, places: object) -> Values:
    """The input at these positions of the axis."""
    return np.take(this.x, np.asarray(places, "int64"), axis=_axis(op, this))


def slice_(op: Slice, this: Calculation) -> Values:
    """x[start:stop:step] along the axis."""
    places = range(this.x.shape[_axis(op, this)])[slice(*op.open_bounds)]
    return taken(op, this, list(places))


def split(op: Split, this: Calculation) -> Values:
    """The first part."""
    return cast(Values, part(op, this))


def part(op: Split, this: Calculation, name: str | None = None) -> Array:
    """The part with this name."""
    return taken(op, this, list(range(*op.bounds(name))))


def take(op: Take, this: Calculation) -> Values:
    """One position; with lengths, the last valid step of each sample, or 0 if the length is 0."""
    if len(this.inputs) > 1:
        lengths = this.inputs[1].astype("int64")
        return np.stack(
            [
                x[:, length - 1] if length else np.zeros_like(x[:, 0])
                for x, length in zip(this.x, lengths, strict=True)
            ]
        )
    return taken(op, this, op.position)


def reverse(op: Reverse, this: Calculation) -> Values:
    """y[p] = x[size − 1 − p]."""
    return taken(op, this, list(range(this.x.shape[_axis(op, this)]))[::-1])


def roll(op: Roll, this: Calculation) -> Values:
    """y[p] = x[(p − shift) mod size]."""
    size = this.x.shape[_axis(op, this)]
    return taken(op, this, [(place - op.shift) % size for place in range(size)])


def gather(op: Gather, this: Calculation) -> Values:
    """y[p] = x[positions[p]]; for an input of indices, y[n, p] = x[n, indices[n, p]]."""
    if len(this.inputs) > 1:
        axis, places = _axis(op, this) - 1, this.inputs[1].astype("int64")
        return np.stack([np.take(x, own, axis=axis) for x, own in zip(this.x, places, strict=True)])
    return taken(op, this, op.positions)


def tile(op: Tile, this: Calculation) -> Values:
    """The input beside itself along the axis."""
    return np.concatenate([this.x] * op.times, axis=_axis(op, this))


def repeat_vector(op: RepeatVector, this: Calculation) -> Values:
    """y[n, c, p] = x[n, c]."""
    sizes = op.size or ()
    return np.broadcast_to(this.x.reshape(*this.x.shape, *(1,) * len(sizes)), (*this.x.shape, *sizes)).copy()
