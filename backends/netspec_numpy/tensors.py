"""Parameters, constants, positions and gated activations, from their definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from netspec.ops.activation import Gelu
from netspec.ops.gate import Gated
from netspec.ops.tensors import SINUSOID, Constant, Parameter, Positions
from netspec_numpy.calculation import Calculation, Values
from netspec_numpy.functions import gelu


def _for_each(this: Calculation, values: Values) -> Values:
    """The values, repeated for each sample: (*shape) → (N, *shape)."""
    return np.broadcast_to(values, (len(this.x), *values.shape)).copy()


def parameter(op: Parameter, this: Calculation) -> Values:
    """The weight, repeated for each sample."""
    return _for_each(this, this.weights["weight"])


def constant(op: Constant, this: Calculation) -> Values:
    """The constant, repeated for each sample; one number fills the whole `shape`."""
    if op.values == SINUSOID:
        channels, length = op.shape or ()
        return _for_each(this, _waves(channels, length, op.base))
    return _for_each(this, np.broadcast_to(np.array(op.values, "float64"), op.shape or ()))


def positions(op: Positions, this: Calculation) -> Values:
    """X + weight; or x + sin(p / baseʳ) in channels 2i and x + cos(p / baseʳ) in channels 2i + 1, r = 2i / channels."""
    if op.kind == "learned":
        return this.x + this.weights["weight"]
    channels, length = this.x.shape[1:]
    return this.x + _waves(channels, length, op.base)


def _waves(channels: int, length: int, base: float) -> Values:
    table = np.zeros((channels, length))
    for channel in range(channels):
        angles = np.arange(length) / base ** ((channel - channel % 2) / channels)
        table[channel] = np.cos(angles) if channel % 2 else np.sin(angles)
    return table


FUNCTIONS: Mapping[str, Callable[[Values], Values]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "gelu": lambda x: gelu(Gelu(), x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "none": lambda x: x,
}


def gated(op: Gated, this: Calculation) -> Values:
    """activation(first half of the channels) · gate(second half)."""
    value, gate = np.split(this.x, 2, axis=1)
    return FUNCTIONS[op.activation](value) * FUNCTIONS[op.gate](gate)
