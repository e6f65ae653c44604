"""Activations in ONNX, one line per activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt
from typing import Any

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
from netspec_onnx.site import Site


def _plain(operator: str) -> Callable[[Op, Site, str], str]:
    return lambda op, site, x: site.emit(operator, x)


def _over_channels(operator: str) -> Callable[[Softmax | LogSoftmax, Site, str], str]:
    def lower(op: Softmax | LogSoftmax, site: Site, x: str) -> str:
        scaled = x if op.temperature == 1 else site.emit("Div", x, site.number(op.temperature))
        return site.emit(operator, scaled, axis=1)

    return lower


def _softplus(op: Softplus, site: Site, x: str) -> str:
    if op.beta == 1:
        return site.emit("Softplus", x)
    beta = site.number(op.beta)
    return site.emit("Div", site.emit("Softplus", site.emit("Mul", x, beta)), beta)


def _clip(op: Clip, site: Site, x: str) -> str:
    """`Clip` takes what has no bound for the largest number of float32."""
    if op.min is not None and op.max is not None:
        return site.emit("Clip", x, site.number(op.min), site.number(op.max))
    if op.min is not None:
        return site.emit("Max", x, site.number(op.min))
    return site.emit("Min", x, site.number(op.max or 0.0))


def _step(op: Step, site: Site, x: str) -> str:
    above = site.emit("Greater", x, site.number(op.threshold))
    return site.emit("Where", above, site.number(1.0), site.number(0.0))


def _gelu(op: Gelu, site: Site, x: str) -> str:
    """`Gelu`; onnxruntime keeps the constants of the approximation in float32, so float64 uses the formula."""
    if op.approximate == "none" or not site.double:
        return site.emit("Gelu", x, approximate=op.approximate)
    cube = site.emit("Mul", site.emit("Mul", site.emit("Mul", x, x), x), site.number(0.044715))
    angle = site.emit("Mul", site.emit("Add", x, cube), site.number(sqrt(2 / pi)))
    share = site.emit("Add", site.emit("Tanh", angle), site.number(1.0))
    return site.emit("Mul", site.emit("Mul", x, site.number(0.5)), share)


ACTIVATIONS: Mapping[type[Op], Callable[[Any, Site, str], str]] = table(
    on(Relu, _plain("Relu")),
    on(LeakyRelu, lambda op, site, x: site.emit("LeakyRelu", x, alpha=float(op.slope))),
    on(Sigmoid, _plain("Sigmoid")),
    on(Tanh, _plain("Tanh")),
    on(Softmax, _over_channels("Softmax")),
    on(LogSoftmax, _over_channels("LogSoftmax")),
    on(Relu6, lambda op, site, x: site.emit("Clip", x, site.number(0.0), site.number(6.0))),
    on(Elu, lambda op, site, x: site.emit("Elu", x, alpha=float(op.alpha))),
    on(Selu, _plain("Selu")),
    on(Gelu, _gelu),
    on(Silu, lambda op, site, x: site.emit("Mul", x, site.emit("Sigmoid", x))),
    on(Mish, lambda op, site, x: site.emit("Mul", x, site.emit("Tanh", site.emit("Softplus", x)))),
    on(HardSigmoid, lambda op, site, x: site.emit("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    on(HardSwish, _plain("HardSwish")),
    on(Softplus, _softplus),
    on(Exp, _plain("Exp")),
    on(Log, _plain("Log")),
    on(Sqrt, _plain("Sqrt")),
    on(Power, lambda op, site, x: site.emit("Pow", x, site.number(op.exponent))),
    on(Square, lambda op, site, x: site.emit("Mul", x, x)),
    on(Abs, _plain("Abs")),
    on(Clip, _clip),
    on(Step, _step),
)


def activate(site: Site, x: str, activation: Op | None) -> str:
    """A value followed by an activation, if there is one."""
    return x if activation is None else ACTIVATIONS[type(activation)](activation, site, x)


def activation(op: Op, site: Site) -> str:
    """An activation that is a layer of its own."""
    return activate(site, site.x, op)


def prelu(op: Prelu, site: Site) -> str:
    """`PRelu` with one slope per channel."""
    return site.emit("PRelu", site.x, site.broadcast(site.weights["weight"], site.rank))
