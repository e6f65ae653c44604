"""The table op → Keras layers, and what each lowering decides."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from netspec import arithmetic
from netspec.lowering.parts import Argument, Slot, Value
from netspec.ops.activation import Activated, Activation, LeakyRelu, Relu, Sigmoid, Softmax, Tanh
from netspec.ops.base import Op
from netspec.ops.conv import KERNEL_AXES, Conv
from netspec.ops.dense import Dense
from netspec.ops.fields import Pads
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Pool
from netspec.ops.regularize import Dropout
from netspec.ops.reshape import Flatten, Identity
from netspec.types import Type
from netspec_keras.layer import Layer, Lowered, Place

Types = Sequence[Type]
Arguments = tuple[Argument, ...]
Lowering = Callable[[Any, Types], Lowered]

# Activations that a layer takes by name, and that mean the same there.
NAMED: Mapping[type[Activation], str] = {Relu: "relu", Sigmoid: "sigmoid", Tanh: "tanh", Softmax: "softmax"}


def conv(op: Conv, types: Types) -> Lowered:
    """A convolution. Keras refuses stride with dilation; then every position is made and some are kept."""
    rank, channels = len(op.kernel), types[0].channels or 0
    depthwise = op.groups == channels > 1 and rank < 3
    # On a CPU TensorFlow strides both axes of a depthwise convolution alike.
    apart = max(op.dilation) > 1 or (depthwise and len(set(op.strides)) > 1)
    strides = (1,) * rank if apart else op.strides
    padding, word = _padding(op, types[0].sizes, strides, causal=not depthwise)
    named, activation = _activation(op.activation)
    options: Arguments = (
        _option("strides", _squeeze(strides), 1, "stride"),
        _option("padding", word, "valid"),
        _option("dilation_rate", _squeeze(op.dilation), 1, "dilation"),
    )
    ending: Arguments = (_option("activation", named), _option("use_bias", op.bias, True, "bias"))
    kernel = _first(_squeeze(op.kernel), "kernel")
    letters = KERNEL_AXES[rank]
    if depthwise:
        multiplier = op.filters // channels
        options = (_option("depth_multiplier", multiplier, 1, "multiplier"), *options)
        layer = Layer(f"layers.DepthwiseConv{rank}D", (kernel, *options, *ending))
        place = Place("kernel", "CM" + letters, letters + "CM", (channels, multiplier, *op.kernel))
    else:
        options = (*options, _option("groups", op.groups, 1))
        filters = Argument(Slot(op.filters, "filters", channels=True))
        cls = f"GroupedConv{rank}D" if op.groups > 1 else f"layers.Conv{rank}D"
        layer = Layer(cls, (filters, kernel, *options, *ending))
        place = Place("kernel", "OI" + letters, letters + "IO")
    thin = _thin(op.strides) if apart else ()
    return Lowered((*padding, layer, *thin, *activation), _places(op.bias, place))


def dense(op: Dense, types: Types) -> Lowered:
    """A dense layer; Keras' acts on the last axis, which is that of the channels."""
    named, activation = _activation(op.activation)
    units = Argument(Slot(op.units, "units", channels=True))
    layer = Layer(
        "layers.Dense", (units, _option("activation", named), _option("use_bias", op.bias, True, "bias"))
    )
    return Lowered((layer, *activation), _places(op.bias, Place("kernel", "OI", "IO")))


def max_pool(op: MaxPool, types: Types) -> Lowered:
    """A maximum; padding that is not Keras' own has a layer of its own before it."""
    lowest = _lowest(op.pads)
    if max(op.dilation) > 1:
        layer = Layer("DilatedMaxPooling", (_first(op.kernel, "kernel"), _first(op.dilation, "dilation")))
        return Lowered((*lowest, layer, *_thin(op.strides)))
    word = "valid"
    if lowest and op.pads == _same(types[0].sizes, op.kernel, op.strides):
        lowest, word = (), "same"
    return Lowered((*lowest, Layer(_pooling("Max", len(op.kernel)), _window(op, word))))


def avg_pool(op: AvgPool, types: Types) -> Lowered:
    """A mean. `out` is the padding that is left out of it, `zeros` what is counted like any other value."""
    rank, sizes = len(op.kernel), types[0].sizes
    zeros, out = ((0, 0),) * rank, op.pads
    if op.count_padding:
        # What rounding up added is never counted.
        zeros = tuple((lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True))
        out = tuple((0, more) for more in op.overhang)
        sizes = tuple(size + lo + hi for size, (lo, hi) in zip(sizes, zeros, strict=True))
    before = _zeros(zeros)
    if max(op.dilation) > 1:
        window = (_first(op.kernel, "kernel"), _first(op.dilation, "dilation"), _first(out, "pads"))
        return Lowered((*before, Layer("DilatedAveragePooling", window), *_thin(op.strides)))
    if not _padded(out):
        return Lowered((*before, Layer(_pooling("Average", rank), _window(op, "valid"))))
    if out == _same(sizes, op.kernel, op.strides):
        return Lowered((*before, Layer(_pooling("Average", rank), _window(op, "same"))))
    kernel, stride, _ = _window(op, "valid")
    return Lowered((*before, Layer(f"PaddedAveragePooling{rank}D", (kernel, _first(out, "pads"), stride))))


def global_pool(cls: str) -> Lowering:
    """A pool over everything."""
    return lambda op, types: Lowered((Layer(cls.format(len(types[0].spatial))),))


def batch_norm(op: BatchNorm, types: Types) -> Lowered:
    """A batch norm, with the helper that keeps the running variance unbiased."""
    layer = Layer(
        "BatchNormalization", (_option("momentum", op.momentum, 0.99), _option("epsilon", op.epsilon, 1e-3))
    )
    variables = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    return Lowered((layer,), {name: Place(variable, "C", "C") for name, variable in variables.items()})


def dropout(op: Dropout, types: Types) -> Lowered:
    """A dropout."""
    return Lowered((Layer("layers.Dropout", (_first(op.rate, "rate"),)),))


def leaky_relu(op: LeakyRelu, types: Types) -> Lowered:
    """A leaky rectifier."""
    # TensorFlow keeps the slope in single precision; where that is exact, its own layer is.
    exact = struct.unpack("f", struct.pack("f", op.slope))[0] == op.slope
    cls = "layers.LeakyReLU" if exact else "LeakyReLU"
    return Lowered((Layer(cls, (Argument(Slot(op.slope, "slope"), "negative_slope"),)),))


def softmax(op: Softmax, types: Types) -> Lowered:
    """A softmax over the channels, which stand last."""
    after = () if op.temperature == 1 else (" / ", Slot(op.temperature, "temperature"))
    return Lowered((Layer("layers.Softmax", after=after),))


def plain(cls: str) -> Lowering:
    """A layer that needs to be told nothing."""
    return lambda op, types: Lowered((Layer(cls),))


def activation(op: Activation, types: Types) -> Lowered:
    """An activation that Keras has by name and not as a layer."""
    return Lowered((Layer("layers.Activation", (_first(NAMED[type(op)], "activation"),)),))


def concat(op: Concat, types: Types) -> Lowered:
    """A concatenation."""
    # Channels first and the batch left out, an axis of space has the number that it has in Keras.
    return Lowered((Layer("layers.Concatenate", (_option("axis", op.dimension(types) or -1, -1),)),))


def flatten(op: Flatten, types: Types) -> Lowered:
    """A flatten, channels first; where only one axis is longer than 1, any order is that one."""
    layer, type_ = Layer("layers.Flatten"), types[0]
    if type_.elements in type_.shape or type_.channels == 1:
        return Lowered((layer,))
    rank = len(type_.spatial)
    order = _first((rank + 1, *range(1, rank + 1)), "order")
    return Lowered((Layer("layers.Permute", (order,), suffix="channels_first"), layer))


def bare(op: Op, types: Types) -> Lowered:
    """The same, with layers of their own for the padding before it and the activation after it.

    So two layers that share their weights may differ in either.
    """
    if isinstance(op, Activated) and op.activation is not None:
        inner = bare(op.replace(activation=None), types)
        (layer,) = LOWERINGS[type(op.activation)](op.activation, ()).layers
        return replace(inner, layers=(*inner.layers, replace(layer, suffix=op.activation.keyword)))
    if isinstance(op, Conv):
        sizes = tuple(size + lo + hi for size, (lo, hi) in zip(types[0].sizes, op.pads, strict=True))
        valid = op.replace(padding=((0, 0),) * len(sizes))
        inner = conv(valid, (Type(types[0].channels, sizes),))
        return replace(inner, layers=(*_zeros(op.pads), *inner.layers))
    return LOWERINGS[type(op)](op, types)


def _first(value: Value, hint: str) -> Argument:
    """An argument by its position."""
    return Argument(Slot(value, hint))


def _option(keyword: str, value: Value, default: Value = "", hint: str = "") -> Argument:
    """An argument by its keyword, left out where it is its default."""
    return Argument(Slot(value, hint or keyword, default), keyword)


def _places(bias: bool, kernel: Place) -> dict[str, Place]:
    return {"weight": kernel, "bias": Place("bias", "O", "O")} if bias else {"weight": kernel}


def _squeeze(values: tuple[int, ...]) -> Value:
    """One number for all axes, where it is."""
    return values[0] if len(set(values)) == 1 else values


def _padded(pads: Pads) -> bool:
    return any(lo or hi for lo, hi in pads)


def _same(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int] = ()
) -> Pads:
    """What Keras' `same` pads."""
    rates = dilation or (1,) * len(sizes)
    return tuple(map(arithmetic.same_pads, sizes, kernel, stride, rates))


def _padding(
    op: Conv, sizes: Sequence[int], strides: tuple[int, ...], causal: bool
) -> tuple[tuple[Layer, ...], str]:
    """The layer that pads, if one is needed, and the word for the convolution after it."""
    if not _padded(op.pads):
        return (), "valid"
    if op.pads == _same(sizes, op.kernel, strides, op.dilation):
        return (), "same"
    if causal and op.pads == (arithmetic.causal_pads(op.kernel[0], op.dilation[0]),):
        return (), "causal"
    return _zeros(op.pads), "valid"


def _zeros(pads: Pads) -> tuple[Layer, ...]:
    if not _padded(pads):
        return ()
    if any(lo != hi for lo, hi in pads):
        amount: Value = pads if len(pads) > 1 else pads[0]
    else:
        amount = _squeeze(tuple(lo for lo, _ in pads))
    return (Layer(f"layers.ZeroPadding{len(pads)}D", (_first(amount, "pads"),), suffix="pad"),)


def _lowest(pads: Pads) -> tuple[Layer, ...]:
    return (Layer("LowestPadding", (_first(pads, "pads"),), suffix="pad"),) if _padded(pads) else ()


def _thin(strides: tuple[int, ...]) -> tuple[Layer, ...]:
    """Keep one position in so many along each axis: a pool over single positions."""
    if max(strides) == 1:
        return ()
    arguments = (_first(1, "kernel"), _option("strides", _squeeze(strides), 1, "stride"))
    return (Layer(_pooling("Max", len(strides)), arguments, suffix="stride"),)


def _pooling(mode: str, rank: int) -> str:
    # Over three axes TensorFlow has no kernel in double precision on a CPU: a helper does without.
    return f"{mode}Pooling3D" if rank == 3 else f"layers.{mode}Pooling{rank}D"


def _window(op: Pool, word: str) -> Arguments:
    kernel = _squeeze(op.kernel)
    return (
        _first(kernel, "kernel"),
        _option("strides", _squeeze(op.strides), kernel, "stride"),
        _option("padding", word, "valid"),
    )


def _activation(op: Activation | None) -> tuple[str, tuple[Layer, ...]]:
    """An activation as a name that the layer takes, or as a layer behind it."""
    if op is None:
        return "", ()
    if type(op) in NAMED and op == type(op)():
        return NAMED[type(op)], ()
    # The same layer as if it stood alone; what it is given does not matter to it.
    (layer,) = LOWERINGS[type(op)](op, ()).layers
    return "", (replace(layer, suffix=op.keyword),)


LOWERINGS: Mapping[type[Op], Lowering] = {
    Conv: conv,
    MaxPool: max_pool,
    AvgPool: avg_pool,
    GlobalAvgPool: global_pool("layers.GlobalAveragePooling{}D"),
    GlobalMaxPool: global_pool("layers.GlobalMaxPooling{}D"),
    Dense: dense,
    Relu: plain("layers.ReLU"),
    LeakyRelu: leaky_relu,
    Sigmoid: activation,
    Tanh: activation,
    Softmax: softmax,
    BatchNorm: batch_norm,
    Dropout: dropout,
    Add: plain("layers.Add"),
    Multiply: plain("layers.Multiply"),
    Concat: concat,
    Flatten: flatten,
    Identity: plain("layers.Identity"),
}

REFUSALS: Mapping[type[Op], str] = {}
