"""Tensors that do not come from the input, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from netspec.ops.gate import Gated
from netspec.ops.nested import flat
from netspec.ops.tensors import Constant, Parameter, Positions, waves
from netspec_onnx.site import Site


def _for_each(site: Site, values: str, shape: Sequence[int]) -> str:
    """The same values for every sample of the input."""
    batch = site.emit("Shape", site.x, start=0, end=1)
    return site.emit("Expand", values, site.emit("Concat", batch, site.integers(shape), axis=0))


def parameter(op: Parameter, site: Site) -> str:
    """The weight."""
    return _for_each(site, site.weights["weight"], op.shape)


def constant(op: Constant, site: Site) -> str:
    """The numbers."""
    shape, numbers = op.shape or (), [*flat(op.numbers)]
    values = site.numbers(numbers, shape) if len(numbers) == prod(shape) else site.number(numbers[0])
    return _for_each(site, values, shape)


def positions(op: Positions, site: Site) -> str:
    """The input plus the weight, or plus the sines and cosines."""
    if op.kind == "learned":
        return site.emit("Add", site.x, site.weights["weight"])
    (length,) = site.sizes
    table = [*flat(waves(site.channels, length, op.base))]
    return site.emit("Add", site.x, site.numbers(table, (site.channels, length)))


OPERATORS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}


def _through(site: Site, function: str, x: str) -> str:
    if function == "silu":
        return site.emit("Mul", x, site.emit("Sigmoid", x))
    if function == "gelu":
        return site.emit("Gelu", x, approximate="none")
    return x if function == "none" else site.emit(OPERATORS[function], x)


def gated(op: Gated, site: Site) -> str:
    """The halves of the channels."""
    second = f"{site.node.name}/gate"
    half = site.channels // 2
    first = site.emit_several("Split", (second,), site.x, site.integers((half, half)), axis=1)
    return site.emit("Mul", _through(site, op.activation, first), _through(site, op.gate, second))
