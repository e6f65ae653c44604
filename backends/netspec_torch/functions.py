"""Activations as PyTorch expressions: a line each in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netspec.lowering.parts import Part, Slot, call, literal, seq
from netspec.ops.activation import (
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
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
from netspec_torch.site import Lowered, Site

HERE = "\0"
"""Where an activation's argument goes."""


def activate(x: Part, activation: Op | None, channels_last: bool = False) -> Part:
    """An expression followed by an activation."""
    if activation is None:
        return x
    text = ACTIVATIONS[type(activation)](activation, HERE, "-1" if channels_last else "1")
    pieces = text.split(HERE)
    if isinstance(x, str):
        return x.join(pieces)
    return seq(pieces[0], *(part for piece in pieces[1:] for part in (x, piece)))


def _softmax(op: Softmax, x: str, dim: str) -> str:
    scaled = x if op.temperature == 1 else f"{x} / {literal(op.temperature)}"
    return f"torch.softmax({scaled}, dim={dim})"


ACTIVATIONS: Mapping[type[Op], Callable[[Any, str, str], str]] = {
    Relu: lambda op, x, dim: f"F.relu({x})",
    LeakyRelu: lambda op, x, dim: f"F.leaky_relu({x}, {literal(op.slope)})",
    Sigmoid: lambda op, x, dim: f"torch.sigmoid({x})",
    Tanh: lambda op, x, dim: f"torch.tanh({x})",
    Softmax: _softmax,
    Relu6: lambda op, x, dim: f"F.relu6({x})",
    Elu: lambda op, x, dim: f"F.elu({x}, {literal(op.alpha)})",
    Selu: lambda op, x, dim: f"F.selu({x})",
    Gelu: lambda op, x, dim: (
        f"F.gelu({x})" if op.approximate == "none" else f'F.gelu({x}, approximate="tanh")'
    ),
    Silu: lambda op, x, dim: f"F.silu({x})",
    # F.hardsigmoid has a derivative that is exact in float32 alone.
    HardSigmoid: lambda op, x, dim: f"F.relu6({x} + 3) / 6",
    HardSwish: lambda op, x, dim: f"F.hardswish({x})",
    # F.softplus is linear from 20 on.
    Softplus: lambda op, x, dim: f"torch.logaddexp({x}, torch.zeros_like({x}))",
}


def activation(op: Op, site: Site) -> Lowered:
    """An activation that is a layer of its own."""
    return Lowered(activate(site.x, op))


def prelu(op: Prelu, site: Site) -> Lowered:
    """A slope a channel."""
    return Lowered(
        f"{site.module}({site.x})", call("nn.PReLU", Slot(site.channels, "in_channels", channels=True))
    )
