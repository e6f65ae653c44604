"""Convolutions and pools in Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netspec import arithmetic
from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
from netspec.ops.fields import Pads
from netspec.ops.pool import AvgPool, ChannelPool, MaxPool, Pool
from netspec.ops.transpose import ConvTranspose
from netspec.types import Type
from netspec_keras.arguments import (
    Arguments,
    Lowering,
    Types,
    border,
    count,
    first,
    option,
    padded,
    squeeze,
    zeros,
)
from netspec_keras.functions import ending
from netspec_keras.layer import Layer, Lowered, Place

Layers = tuple[Layer, ...]


def conv(op: Conv, types: Types) -> Lowered:
    """A convolution; with a group a channel Keras has a layer of its own."""
    channels = types[0].channels or 0
    if op.groups == channels > 1 and len(op.kernel) < 3:
        return _by_channel(op, op.filters // channels, types)
    return _full(op, op.filters, op.groups, types)


def depthwise_conv(op: DepthwiseConv, types: Types) -> Lowered:
    """A group a channel; over three axes Keras has no layer of its own."""
    channels = types[0].channels or 0
    if len(op.kernel) < 3:
        return _by_channel(op, op.multiplier, types)
    return _full(op, channels * op.multiplier, channels, types)


def _full(op: Conv | DepthwiseConv, filters: int, groups: int, types: Types) -> Lowered:
    """A convolution. Keras refuses stride with dilation; then every position is made and some are kept."""
    rank = len(op.kernel)
    before, window, thin = _window(op, types[0].sizes, apart=max(op.dilation) > 1, causal=True)
    cls, own = f"layers.Conv{rank}D", (option("groups", groups, 1),)
    place = Place("kernel", "OI" + op.axes, op.axes + "IO")
    if groups > 1:
        cls = f"GroupedConv{rank}D"
    elif isinstance(op, Conv) and op.table is not None:
        cls, own = f"TableConv{rank}D", (option("table", op.table),)
        place = Place("connections", "N" + op.axes, "N" + op.axes)
    closing, activation = _closing(op)
    layer = Layer(cls, (count(filters, "filters"), _kernel(op), *window, *own, *closing))
    return Lowered((*before, layer, *thin, *activation), places(op.bias, place))


def _by_channel(op: Conv | DepthwiseConv, multiplier: int, types: Types) -> Lowered:
    """Each channel by itself. On a CPU TensorFlow strides both axes alike; else positions are left out after."""
    before, window, thin = _window(op, types[0].sizes, apart=len(set(op.strides)) > 1)
    more = option("depth_multiplier", multiplier, 1, "multiplier")
    closing, activation = _closing(op)
    layer = Layer(f"layers.DepthwiseConv{len(op.kernel)}D", (_kernel(op), more, *window, *closing))
    place = _depthwise("kernel", op, types[0].channels or 0, multiplier)
    return Lowered((*before, layer, *thin, *activation), places(op.bias, place))


def separable_conv(op: SeparableConv, types: Types) -> Lowered:
    """Each channel by itself, then all at each position; over three axes with a helper."""
    rank, channels = len(op.kernel), types[0].channels or 0
    apart = len(set(op.strides)) > 1 if rank < 3 else max(op.dilation) > 1
    before, window, thin = _window(op, types[0].sizes, apart)
    more = option("depth_multiplier", op.multiplier, 1, "multiplier")
    closing, activation = _closing(op)
    cls = f"layers.SeparableConv{rank}D" if rank < 3 else "SeparableConv3D"
    layer = Layer(cls, (count(op.filters, "filters"), _kernel(op), *window, more, *closing))
    held = {
        "depthwise.weight": _depthwise("depthwise_kernel", op, channels, op.multiplier),
        "pointwise.weight": Place("pointwise_kernel", "OI" + op.axes, op.axes + "IO"),
        **({"pointwise.bias": Place("bias", "O", "O")} if op.bias else {}),
    }
    return Lowered((*before, layer, *thin, *activation), held)


def _depthwise(variable: str, op: Convolution, channels: int, multiplier: int) -> Place:
    """Where a kernel that takes each channel by itself lives."""
    return Place(variable, "CM" + op.axes, op.axes + "CM", (channels, multiplier, *op.kernel))


def conv_transpose(op: ConvTranspose, types: Types) -> Lowered:
    """A transposed convolution; what is not Keras' `same` is cut out of the whole."""
    return _transpose(op, by_word=True)


def _transpose(op: ConvTranspose, by_word: bool) -> Lowered:
    axes = list(zip(op.kernel, op.strides, op.pads, op.output_padding, strict=True))
    cuts: Pads = tuple((lo, max(hi - a, 0)) for _, _, (lo, hi), a in axes)
    more = tuple(max(a - hi, 0) for _, _, (_, hi), a in axes)
    # Where the kernel is shorter than the stride, Keras adds the rest of the stride unasked.
    unasked = tuple(max(s - k, 0) for k, s, _, _ in axes)
    same = all(
        lo == max(k - s, 0) // 2 and lo + hi - a == k - s for k, s, (lo, hi), a in axes
    )
    wide = op.groups > 1 or max(op.dilation) > 1
    kernel, filters = op.kernel if wide else squeeze(op.kernel), count(op.filters, "filters")
    place = places(op.bias, Place("kernel", "IO" + op.axes, op.axes + "OI"))
    crop = (Layer(f"layers.Cropping{len(cuts)}D", (border(cuts),), "crop"),) if padded(cuts) else ()
    if wide:
        window = (
            option("strides", op.strides, (1,) * len(op.kernel), "stride"),
            option("output_padding", more, (0,) * len(op.kernel)),
            option("dilation_rate", op.dilation, (1,) * len(op.kernel), "dilation"),
            option("groups", op.groups, 1),
        )
    ...
