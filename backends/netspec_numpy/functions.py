"""Activations as functions of their op, used for layers and for the activation of other layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erf, pi, sqrt
from typing import Any

import numpy as np

from netspec.backend.table import on, table
from netspec.ops.activation import (
    Activation,
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Mish,
    Prelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from netspec.ops.base import Op
from netspec_numpy.calculation import Calculation, Values, along_channels


def relu(op: Activation, x: Values) -> Values:
    """max(x, 0)."""
    return np.maximum(x, 0.0)


def leaky_relu(op: LeakyRelu, x: Values) -> Values:
    """x, or slope · x below 0."""
    return np.where(x > 0, x, op.slope * x)


def sigmoid(op: Activation, x: Values) -> Values:
    """1 / (1 + e⁻ˣ)."""
    # e⁻ˣ overflows where x is far below zero; eˣ / (1 + eˣ) is the same and does not.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def tanh(op: Activation, x: Values) -> Values:
    """The hyperbolic tangent."""
    return np.tanh(x)


def softmax(op: Softmax, x: Values) -> Values:
    """eˣ / Σ eˣ over the channels, of x / temperature."""
    scaled = x / op.temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def relu6(op: Activation, x: Values) -> Values:
    """min(max(x, 0), 6)."""
    return np.clip(x, 0.0, 6.0)


def elu(op: Elu, x: Values) -> Values:
    """x, or alpha · (eˣ − 1) below 0."""
    return np.where(x > 0, x, op.alpha * np.expm1(np.minimum(x, 0.0)))


def selu(op: Activation, x: Values) -> Values:
    """Scale · x, or scale · alpha · (eˣ − 1) below 0."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def silu(op: Activation, x: Values) -> Values:
    """X · sigmoid(x)."""
    return x * sigmoid(op, x)


def mish(op: Activation, x: Values) -> Values:
    """X · tanh(softplus(x))."""
    return x * np.tanh(softplus(op, x))


def gelu(op: Gelu, x: Values) -> Values:
    """The input times Φ of it, or of its tanh approximation."""
    if op.approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    return np.asarray(0.5 * x * (1.0 + np.vectorize(erf, otypes=["float64"])(x / sqrt(2))))


def hard_sigmoid(op: Activation, x: Values) -> Values:
    """min(max(x + 3, 0), 6) / 6."""
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0


def hard_swish(op: Activation, x: Values) -> Values:
    """X · hard_sigmoid(x)."""
    return x * hard_sigmoid(op, x)


def softplus(op: Activation, x: Values) -> Values:
    """ln(1 + eˣ)."""
    return np.logaddexp(x, 0.0)


FUNCTIONS: Mapping[type[Op], Callable[[Any, Values], Values]] = table(
    on(Relu, relu),
    on(LeakyRelu, leaky_relu),
    on(Relu6, relu6),
    on(Elu, elu),
    on(Selu, selu),
    on(Gelu, gelu),
    on(Silu, silu),
    on(Mish, mish),
    on(HardSwish, hard_swish),
    on(Sigmoid, sigmoid),
    on(HardSigmoid, hard_sigmoid),
    on(Tanh, tanh),
    on(Softplus, softplus),
    on(Softmax, softmax),
)


def function(op: Op, this: Calculation) -> Values:
    """An activation that is a layer of its own."""
    return FUNCTIONS[type(op)](op, this.x)


def activated(op: Op, result: Values) -> Values:
    """Apply the activation of a layer, if it has one."""
    activation = getattr(op, "activation", None)
    # That of an `rnn` is a word, and part of each step.
    return FUNCTIONS[type(activation)](activation, result) if isinstance(activation, Activation) else result


def prelu(op: Prelu, this: Calculation) -> Values:
    """x, or its channel's slope · x below 0."""
    return np.where(this.x > 0, this.x, along_channels(this.weights["weight"], this.x) * this.x)
