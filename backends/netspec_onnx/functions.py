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
from netspec_onnx.site import Site


def _plain(operator: str) -> Callable[[Op, Site, str], str]:
    return lambda op, site, x: site.emit(operator, x)


def _softmax(op: Softmax, site: Site, x: str) -> str:
    scaled = x if op.temperature == 1 else site.emit("Div", x, site.number(op.temperature))
    return site.emit("Softmax", scaled, axis=1)


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
    on(Softmax, _softmax),
    on(Relu6, lambda op, site, x: site.emit("Clip", x, site.number(0.0), site.number(6.0))),
    on(Elu, lambda op, site, x: site.emit("Elu", x, alpha=float(op.alpha))),
    on(Selu, _plain("Selu")),
    on(Gelu, _gelu),
    on(Silu, lambda op, site, x: site.emit("Mul", x, site.emit("Sigmoid", x))),
    on(Mish, lambda op, site, x: site.emit("Mul", x, site.emit("Tanh", site.emit("Softplus", x)))),
    on(HardSigmoid, lambda op, site, x: site.emit("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    on(HardSwish, _plain("HardSwish")),
    on(Softplus, _plain("Softplus")),
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
