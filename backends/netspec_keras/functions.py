"""Activations in Keras: by name if a layer takes them by name, and as layers."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.backend.table import on, table
from netspec.dataclass import replace
from netspec.lowering.parts import Argument, Slot
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
from netspec.ops.window import KERNEL_AXES
from netspec_keras.arguments import Lowering, Types, first, is_single, option, plain
from netspec_keras.layer import Holder, Keeps, LayerText, Lowered

NAMED: Mapping[type[Activation], str] = {
    Relu: "relu",
    Relu6: "relu6",
    Elu: "elu",
    Silu: "silu",
    Mish: "mish",
    HardSwish: "hard_silu",
    Sigmoid: "sigmoid",
    HardSigmoid: "hard_sigmoid",
    Tanh: "tanh",
    Softplus: "softplus",
    Softmax: "softmax",
    LogSoftmax: "log_softmax",
    Exp: "exponential",
}
"""Activations that layers take by name with the same meaning, with the defaults of their fields."""

LINEAR = "linear"
"""The name for no activation."""


def named(op: Activation, types: Types) -> Lowered:
    """An activation that Keras has only by name."""
    return Lowered((LayerText("layers.Activation", (first(NAMED[type(op)], "activation"),)),))


def leaky_relu(op: LeakyRelu, types: Types) -> Lowered:
    """`layers.LeakyReLU`, or a helper with an exact slope."""
    cls = "layers.LeakyReLU" if is_single(op.slope) else "ExactLeakyReLU"
    return Lowered((LayerText(cls, (Argument(Slot(op.slope, "slope"), "negative_slope"),)),))


def elu(op: Elu, types: Types) -> Lowered:
    """`layers.ELU`."""
    return Lowered((LayerText("layers.ELU", (option("alpha", op.alpha, 1.0),)),))


def gelu(op: Gelu, types: Types) -> Lowered:
    """A helper with exact constants."""
    return Lowered((LayerText("ExactGELU", (option("approximate", op.approximate == "tanh", False),)),))


def softmax(op: Softmax, types: Types) -> Lowered:
    """`layers.Softmax` over the channels, which are last."""
    after = () if op.temperature == 1 else (" / ", Slot(op.temperature, "temperature"))
    return Lowered((LayerText("layers.Softmax", after=after),))


def log_softmax(op: LogSoftmax, types: Types) -> Lowered:
    """The function over the channels, which are last."""
    (layer,) = named(op, types).layers
    after = () if op.temperature == 1 else (" / ", Slot(op.temperature, "temperature"))
    return Lowered((replace(layer, after=after),))


def softplus(op: Softplus, types: Types) -> Lowered:
    """The function of Keras; a helper if it has a `beta`."""
    if op.beta == 1:
        return named(op, types)
    return Lowered((LayerText("ScaledSoftplus", (option("beta", op.beta),)),))


def power(op: Power, types: Types) -> Lowered:
    """The helper `Power`."""
    return Lowered((LayerText("Power", (first(op.exponent, "exponent"),)),))


def clip(op: Clip, types: Types) -> Lowered:
    """The helper `Clip`."""
    bounds = (option(name, value) for name, value in (("min", op.min), ("max", op.max)) if value is not None)
    return Lowered((LayerText("Clip", tuple(bounds)),))


def step(op: Step, types: Types) -> Lowered:
    """The helper `Step`."""
    return Lowered((LayerText("Step", (option("threshold", op.threshold, 0.0),)),))


def prelu(op: Prelu, types: Types) -> Lowered:
    """A helper with one slope per channel, shared over all positions."""
    type_ = types[0]
    axes = tuple(range(1, 1 + len(type_.spatial)))
    shared = (option("shared_axes", axes),) if axes else ()
    letters = KERNEL_AXES[len(axes)] + "C" if axes else "C"
    holder = Holder("alpha", letters, letters, (*(1 for _ in axes), type_.channels or 0))
    return Lowered((LayerText("PReLUFromBelow", shared),), {"weight": holder}, keeps="channels")


ACTIVATIONS: Mapping[type[Op], Lowering] = table(
    on(Relu, plain("layers.ReLU")),
    on(LeakyRelu, leaky_relu),
    on(Relu6, named),
    on(Elu, elu),
    on(Selu, plain("SELUFromBelow")),
    on(Gelu, gelu),
    on(Silu, named),
    on(Mish, named),
    on(HardSwish, named),
    on(Sigmoid, named),
    on(HardSigmoid, named),
    on(Tanh, named),
    on(Softplus, softplus),
    on(Softmax, softmax),
    on(LogSoftmax, log_softmax),
    on(Exp, named),
    on(Log, plain("Logarithm")),
    on(Sqrt, plain("SquareRoot")),
    on(Power, power),
    on(Square, plain("Square")),
    on(Abs, plain("Absolute")),
    on(Clip, clip),
    on(Step, step),
)


def of_module(name: str) -> tuple[type[Op], ...]:
    """The functions that a module of `netspec/ops` defines."""
    return tuple(each for each in ACTIVATIONS if each.__module__ == f"netspec.ops.{name}")


def activation(op: Op, types: Types) -> Lowered:
    """An activation that is a layer of its own; only a softmax depends on the place of the channels."""
    keeps: Keeps = "channels" if isinstance(op, Softmax | LogSoftmax) else "all"
    return replace(ACTIVATIONS[type(op)](op, types), keeps=keeps)


def by_name(op: Activation | None) -> tuple[Argument, tuple[LayerText, ...]]:
    """An activation as an argument of a layer, or as a layer after it."""
    name, after = LINEAR, behind(op)
    if op is not None and type(op) in NAMED and op == type(op)():
        name, after = NAMED[type(op)], ()
    return option("activation", name, LINEAR), after


def behind(op: Activation | None) -> tuple[LayerText, ...]:
    """An activation as a layer after another one; its lowering does not depend on types."""
    if op is None:
        return ()
    (layer,) = ACTIVATIONS[type(op)](op, ()).layers
    return (replace(layer, suffix=op.keyword),)
