"""Activations as PyTorch expressions, one line per activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netspec.backend.table import on, table
from netspec.lowering.parts import Part, Slot, call, quoted, seq
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
from netspec_torch.site import Lowered, Site, run


def activate(x: Part, activation: Op | None, dim: int = 1) -> Part:
    """An expression followed by an activation. `dim` is the dimension of the channels."""
    if activation is None:
        return x
    return ACTIVATIONS[type(activation)](activation, x, str(dim))


def is_open(activation: Op | None) -> bool:
    """Whether a method after the activation needs brackets: it is a quotient and not a call."""
    return isinstance(activation, HardSigmoid)


def _softmax(op: Softmax, x: Part, dim: str) -> Part:
    scaled = x if op.temperature == 1 else seq(x, " / ", Slot(op.temperature, "temperature", kept=True))
    return call("torch.softmax", scaled, dim=dim)


def _gelu(op: Gelu, x: Part, dim: str) -> Part:
    how = {} if op.approximate == "none" else {"approximate": quoted("tanh")}
    return call("F.gelu", x, **how)


ACTIVATIONS: Mapping[type[Op], Callable[[Any, Part, str], Part]] = table(
    on(Relu, lambda op, x, dim: call("F.relu", x)),
    on(LeakyRelu, lambda op, x, dim: call("F.leaky_relu", x, Slot(op.slope, "slope", kept=True))),
    on(Sigmoid, lambda op, x, dim: call("torch.sigmoid", x)),
    on(Tanh, lambda op, x, dim: call("torch.tanh", x)),
    on(Softmax, _softmax),
    on(Relu6, lambda op, x, dim: call("F.relu6", x)),
    on(Elu, lambda op, x, dim: call("F.elu", x, Slot(op.alpha, "alpha", kept=True))),
    on(Selu, lambda op, x, dim: call("F.selu", x)),
    on(Gelu, _gelu),
    on(Silu, lambda op, x, dim: call("F.silu", x)),
    on(Mish, lambda op, x, dim: call("F.mish", x)),
    # F.hardsigmoid has an exact derivative only in float32.
    on(HardSigmoid, lambda op, x, dim: seq(call("F.relu6", seq(x, " + 3")), " / 6")),
    on(HardSwish, lambda op, x, dim: call("F.hardswish", x)),
    # F.softplus is linear from 20 on.
    on(Softplus, lambda op, x, dim: call("torch.logaddexp", x, call("torch.zeros_like", x))),
)


def activation(op: Op, site: Site) -> Lowered:
    """An activation that is a layer of its own."""
    return site.as_given(Lowered(activate(site.x, op, site.channels_dim), open=is_open(op)))


def prelu(op: Prelu, site: Site) -> Lowered:
    """`nn.PReLU` with one slope per channel."""
    return Lowered(run(site.x), call("nn.PReLU", Slot(site.channels, "in_channels", channels=True)))
