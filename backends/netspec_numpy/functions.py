"""Activations as functions of their op, used for layers and for the activation of other layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erf, pi, sqrt
from typing import Any

import numpy as np

from netspec.backend.table import on, table
from netspec.ops.activation import (
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    LogSoftmax,
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
from netspec.ops.function import Abs, Clip, Exp, Log, Power, Sqrt, Square, Step
from netspec.ops.pointwise import Activation
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
    return x * np.tanh(np.logaddexp(x, 0.0))


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


@np.errstate(all="ignore")
def softplus(op: Softplus, x: Values) -> Values:
    """ln(1 + e^(beta · x)) / beta."""
    return np.logaddexp(op.beta * x, 0.0) / op.beta


def log_softmax(op: LogSoftmax, x: Values) -> Values:
    """X − ln Σ eˣ over the channels, of x / temperature."""
    scaled = x / op.temperature
    shifted = scaled - scaled.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


@np.errstate(all="ignore")
def exp(op: Exp, x: Values) -> Values:
    """eˣ, infinite where it is too large."""
    return np.exp(x)


@np.errstate(all="ignore")
def log(op: Log, x: Values) -> Values:
    """The natural logarithm; −∞ at 0."""
    return np.log(x)


@np.errstate(all="ignore")
def sqrt_(op: Sqrt, x: Values) -> Values:
    """The square root."""
    return np.sqrt(x)


@np.errstate(all="ignore")
def power(op: Power, x: Values) -> Values:
    """X to the power of the exponent."""
    return np.power(x, op.exponent)


@np.errstate(all="ignore")
def square(op: Square, x: Values) -> Values:
    """X · x."""
    return x * x


def absolute(op: Abs, x: Values) -> Values:
    """|x|."""
    return np.abs(x)


def clip(op: Clip, x: Values) -> Values:
    """min(max(x, min), max)."""
    return np.clip(x, op.min, op.max)


def step(op: Step, x: Values) -> Values:
    """1 above the threshold, else 0."""
    return np.where(x > op.threshold, 1.0, 0.0)


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
    on(LogSoftmax, log_softmax),
    on(Exp, exp),
    on(Log, log),
    on(Sqrt, sqrt_),
    on(Power, power),
    on(Square, square),
    on(Abs, absolute),
    on(Clip, clip),
    on(Step, step),
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
