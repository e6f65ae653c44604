"""Activations as PyTorch expressions, one line per activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netspec.backend.table import on, table
from netspec.lowering.parts import Argument, Call, Part, Slot, call, quoted, seq
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
from netspec_torch.site import Lowered, Site, run


def activate(x: Part, activation: Op | None, dim: int = 1) -> Part:
    """An expression followed by an activation. `dim` is the dimension of the channels."""
    if activation is None:
        return x
    return ACTIVATIONS[type(activation)](activation, x, str(dim))


def is_open(activation: Op | None) -> bool:
    """Whether a method after the activation needs brackets: it is a quotient and not a call."""
    return isinstance(activation, HardSigmoid)


def _scaled(op: Softmax | LogSoftmax, x: Part) -> Part:
    return x if op.temperature == 1 else seq(x, " / ", Slot(op.temperature, "temperature", kept=True))


def _softplus(op: Softplus, x: Part, dim: str) -> Part:
    """`F.softplus` is linear above its threshold; from 40 on that is exact in float64, from its own, 20, it is not."""
    given = () if op.beta == 1 else (Argument(Slot(op.beta, "beta", kept=True), "beta"),)
    return Call("F.softplus", (Argument(x), *given, Argument("40", "threshold")))


def _clip(op: Clip, x: Part, dim: str) -> Part:
    bounds = [(name, value) for name, value in (("min", op.min), ("max", op.max)) if value is not None]
    given = (Argument(Slot(value, name, kept=True), name) for name, value in bounds)
    return Call("torch.clamp", (Argument(x), *given))


def _step(op: Step, x: Part, dim: str) -> Part:
    """By the sign, whose gradient is 0; what a comparison gives has none, and no layer before it could learn."""
    above = x if op.threshold == 0 else seq(x, " - ", Slot(op.threshold, "threshold", kept=True))
    return call("F.relu", call("torch.sign", above))


def _gelu(op: Gelu, x: Part, dim: str) -> Part:
    how = {} if op.approximate == "none" else {"approximate": quoted("tanh")}
    return call("F.gelu", x, **how)


ACTIVATIONS: Mapping[type[Op], Callable[[Any, Part, str], Part]] = table(
    on(Relu, lambda op, x, dim: call("F.relu", x)),
    on(LeakyRelu, lambda op, x, dim: call("F.leaky_relu", x, Slot(op.slope, "slope", kept=True))),
    on(Sigmoid, lambda op, x, dim: call("torch.sigmoid", x)),
    on(Tanh, lambda op, x, dim: call("torch.tanh", x)),
    on(Softmax, lambda op, x, dim: call("torch.softmax", _scaled(op, x), dim=dim)),
    on(LogSoftmax, lambda op, x, dim: call("torch.log_softmax", _scaled(op, x), dim=dim)),
    on(Relu6, lambda op, x, dim: call("F.relu6", x)),
    on(Elu, lambda op, x, dim: call("F.elu", x, Slot(op.alpha, "alpha", kept=True))),
    on(Selu, lambda op, x, dim: call("F.selu", x)),
    on(Gelu, _gelu),
    on(Silu, lambda op, x, dim: call("F.silu", x)),
    on(Mish, lambda op, x, dim: call("F.mish", x)),
    # F.hardsigmoid has an exact derivative only in float32.
    on(HardSigmoid, lambda op, x, dim: seq(call("F.relu6", seq(x, " + 3")), " / 6")),
    on(HardSwish, lambda op, x, dim: call("F.hardswish", x)),
    on(Softplus, _softplus),
    on(Exp, lambda op, x, dim: call("torch.exp", x)),
    on(Log, lambda op, x, dim: call("torch.log", x)),
    on(Sqrt, lambda op, x, dim: call("torch.sqrt", x)),
    on(Power, lambda op, x, dim: call("torch.pow", x, Slot(op.exponent, "exponent", kept=True))),
    on(Square, lambda op, x, dim: call("torch.square", x)),
    on(Abs, lambda op, x, dim: call("torch.abs", x)),
    on(Clip, _clip),
    on(Step, _step),
)


def of_module(name: str) -> tuple[type[Op], ...]:
    """The functions that a module of `netspec/ops` defines."""
    return tuple(each for each in ACTIVATIONS if each.__module__ == f"netspec.ops.{name}")


def activation(op: Op, site: Site) -> Lowered:
    """An activation that is a layer of its own."""
    return site.as_given(Lowered(activate(site.x, op, site.channels_dim), open=is_open(op)))


def prelu(op: Prelu, site: Site) -> Lowered:
    """`nn.PReLU` with one slope per channel."""
    return Lowered(run(site.x), call("nn.PReLU", Slot(site.channels, "in_channels", channels=True)))
