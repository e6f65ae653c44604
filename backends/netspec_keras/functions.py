"""Activations in Keras: by name if a layer takes them by name, and as layers."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.backend.table import on, table
from netspec.dataclass import replace
from netspec.lowering.parts import Argument, Slot
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
from netspec.ops.window import KERNEL_AXES
from netspec_keras.arguments import Lowering, Types, first, is_single, option, plain
from netspec_keras.layer import Holder, LayerText, Lowered

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
    on(Softplus, named),
    on(Softmax, softmax),
)


def activation(op: Op, types: Types) -> Lowered:
    """An activation that is a layer of its own; only a softmax depends on the place of the channels."""
    return replace(ACTIVATIONS[type(op)](op, types), keeps="channels" if isinstance(op, Softmax) else "all")


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
