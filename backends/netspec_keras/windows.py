"""Convolutions and pools in Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from netspec import arithmetic
from netspec.dataclass import replace
from netspec.lowering.parts import Argument
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.ops.fields import Pads
from netspec.ops.window import Windowed
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
from netspec_keras.functions import behind, by_name
from netspec_keras.layer import Holder, Keeps, LayerText, Lowered

if TYPE_CHECKING:
    from netspec.ops.adaptive import AdaptivePool
    from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
    from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool, Pool
    from netspec.ops.transpose import ConvTranspose

Layers = tuple[LayerText, ...]


def conv(op: Conv, types: Types) -> Lowered:
    """A convolution; with one group per channel it is `layers.DepthwiseConv…D`, with a table a helper."""
    channels = types[0].channels or 0
    if op.table is not None:
        return _by_table(op, types)
    if op.groups == channels > 1 and len(op.kernel) < 3:
        return _by_channel(op, op.filters // channels, types)
    return _full(op, op.filters, op.groups, types)


def depthwise_conv(op: DepthwiseConv, types: Types) -> Lowered:
    """`layers.DepthwiseConv…D`; over three axes Keras has no such layer."""
    channels = types[0].channels or 0
    if len(op.kernel) < 3:
        return _by_channel(op, op.multiplier, types)
    return _full(op, channels * op.multiplier, channels, types)


def _full(op: Conv | DepthwiseConv, filters: int, groups: int, types: Types) -> Lowered:
    """A convolution with dense groups."""
    rank = len(op.kernel)
    apart = _is_refused(op, (types[0].channels or 0) // groups, types)
    before, window, thin = _window(op, types[0].sizes, apart, causal=groups == 1)
    cls = f"GroupedConv{rank}D" if groups > 1 else f"layers.Conv{rank}D"
    closing, after = _closing(op)
    arguments = (count(filters, "filters"), _kernel(op), *window, option("groups", groups, 1), *closing)
    kernel = Holder("kernel", "OI" + op.axes, op.axes + "IO")
    layers = (*before, LayerText(cls, arguments), *thin, *after)
    keeps: Keeps = "channels" if _is_single(op) else "nothing"
    return Lowered(layers, holders(op, kernel), keeps=keeps)


def _is_single(op: Windowed) -> bool:
    """Whether it computes each position from this position only."""
    return set(op.kernel) | set(op.strides) == {1} and not padded(op.pads)


def _by_table(op: Conv, types: Types) -> Lowered:
    """A helper with weights for the listed connections only."""
    apart = _is_refused(op, types[0].channels or 0, types)
    before, window, thin = _window(op, types[0].sizes, apart)
    arguments = (count(op.filters, "filters"), first(op.kernel, "kernel"), option("table", op.table or ()))
    layer = LayerText("TableConv", (*arguments, *window, _bias(op)))
    connections = Holder("connections", "N" + op.axes, "N" + op.axes)
    return Lowered((*before, layer, *thin, *behind(op.activation)), holders(op, connections))


def _by_channel(op: Conv | DepthwiseConv, multiplier: int, types: Types) -> Lowered:
    """A depthwise convolution. On a CPU, TensorFlow needs equal strides on both axes."""
    before, window, thin = _window(op, types[0].sizes, apart=len(set(op.strides)) > 1)
    closing, after = _closing(op)
    arguments = (_kernel(op), option("depth_multiplier", multiplier, 1, "multiplier"), *window, *closing)
    kernel = _depthwise("kernel", op, types[0].channels or 0, multiplier)
    layer = LayerText(f"layers.DepthwiseConv{len(op.kernel)}D", arguments)
    return Lowered((*before, layer, *thin, *after), holders(op, kernel))


def separable_conv(op: SeparableConv, types: Types) -> Lowered:
    """`layers.SeparableConv…D`; over three axes Keras has no such layer."""
    rank, filters = len(op.kernel), count(op.filters, "filters")
    multiplier = option("depth_multiplier", op.multiplier, 1, "multiplier")
    if rank < 3:
        before, window, thin = _window(op, types[0].sizes, apart=len(set(op.strides)) > 1)
        closing, after = _closing(op)
        layer = LayerText(
            f"layers.SeparableConv{rank}D", (filters, _kernel(op), *window, multiplier, *closing)
        )
    else:
        before, window, thin = _window(op, types[0].sizes, apart=_is_refused(op, 1, types))
        after = behind(op.activation)
        arguments = (filters, first(op.kernel, "kernel"), *window, multiplier, _bias(op))
        layer = LayerText("SeparableConv3D", arguments)
    held = {
        "depthwise.weight": _depthwise("depthwise_kernel", op, types[0].channels or 0, op.multiplier),
        "pointwise.weight": Holder("pointwise_kernel", "OI" + op.axes, op.axes + "IO"),
        **({"pointwise.bias": Holder("bias", "O", "O")} if op.bias else {}),
    }
    return Lowered((*before, layer, *thin, *after), held)


def _depthwise(variable: str, op: Convolution, channels: int, multiplier: int) -> Holder:
    """The home of a depthwise kernel."""
    return Holder(variable, "CM" + op.axes, op.axes + "CM", (channels, multiplier, *op.kernel))


def conv_transpose(op: ConvTranspose, types: Types) -> Lowered:
    """A transposed convolution; if it is not Keras' `same`, it is cropped from the full result."""
    axes = list(zip(op.kernel, op.strides, op.pads, op.output_padding, strict=True))
    plain = op.groups == max(op.dilation) == 1
    if plain and all(lo == max(k - s, 0) // 2 and lo + hi - a == k - s for k, s, (lo, hi), a in axes):
        # Without any cut both words are the same.
        word = "same" if any(k > s for k, s, _, _ in axes) else "valid"
        return _native_transpose(op, (option("padding", word, "valid"),))
    return _cut_transpose(op)


def _cut_transpose(op: ConvTranspose) -> Lowered:
    """Cropped from the full result, which is extended at the end if it is too short."""
    axes = list(zip(op.kernel, op.strides, op.pads, op.output_padding, strict=True))
    cuts: Pads = tuple((lo, max(hi - a, 0)) for _, _, (lo, hi), a in axes)
    more = tuple(max(a - hi, 0) for _, _, (_, hi), a in axes)
    crop = (
        (LayerText(f"layers.Cropping{len(cuts)}D", (border(cuts, "cropping"),), "crop"),)
        if padded(cuts)
        else ()
    )
    if op.groups == max(op.dilation) == 1:
        # Where a stride leaves a gap behind the kernel, Keras adds that unasked.
        unasked = tuple(max(s - k, 0) for k, s, _, _ in axes)
        return _native_transpose(op, (option("output_padding", squeeze(more), squeeze(unasked)),), crop)
    ones = (1,) * len(axes)
    arguments = (
        count(op.filters, "filters"),
        first(op.kernel, "kernel"),
        option("strides", op.strides, ones, "stride"),
        option("output_padding", more, (0,) * len(axes)),
        option("dilation_rate", op.dilation, ones, "dilation"),
        option("groups", op.groups, 1),
        _bias(op),
    )
    layer = LayerText("GeneralConvTranspose", arguments)
    return Lowered((layer, *crop, *behind(op.activation)), _transposed(op))


def _native_transpose(op: ConvTranspose, window: Arguments, crop: Layers = ()) -> Lowered:
    closing, after = _closing(op)
    strides = option("strides", squeeze(op.strides), 1, "stride")
    arguments = (count(op.filters, "filters"), _kernel(op), strides, *window, *closing)
    layer = LayerText(f"layers.Conv{len(op.kernel)}DTranspose", arguments)
    return Lowered((layer, *crop, *after), _transposed(op))


def _transposed(op: ConvTranspose) -> dict[str, Holder]:
    return holders(op, Holder("kernel", "IO" + op.axes, op.axes + "OI"))


def bare(op: Convolution, types: Types, lowering: Lowering) -> Lowered:
    """A convolution whose padding or cropping is a separate layer, so that it can differ between uses."""
    if op.keyword == "conv_transpose":
        return _cut_transpose(cast("ConvTranspose", op))
    sizes = tuple(size + lo + hi for size, (lo, hi) in zip(types[0].sizes, op.pads, strict=True))
    valid = op.replace(padding=((0, 0),) * len(sizes))
    inner = lowering(valid, (Type(types[0].channels, sizes),))
    return replace(
        inner, layers=(*zeros(op.pads), *inner.layers), keeps="nothing" if padded(op.pads) else inner.keeps
    )


def called_same(op: Op, lowered: Lowered) -> Lowered:
    """A convolution with a 1×1 kernel and the word `same`; both words add no padding to it."""
    if not isinstance(op, Windowed) or OPS.module(op.keyword) != "conv":
        return lowered
    return (
        lowered if not _is_single(op) else replace(lowered, layers=tuple(map(_called_same, lowered.layers)))
    )


def _called_same(layer: LayerText) -> LayerText:
    same = option("padding", "same", "valid")
    arguments = tuple(same if each.keyword == "padding" else each for each in layer.arguments)
    return replace(layer, arguments=arguments)


def max_pool(op: MaxPool, types: Types) -> Lowered:
    """A max pool; a separate layer adds padding that Keras does not have."""
    lowest = _lowest(op)
    indices = {"indices": _max_indices(op)}
    if max(op.dilation) > 1:
        layer = LayerText("DilatedMaxPooling", (first(op.kernel, "kernel"), first(op.dilation, "dilation")))
        return Lowered((*lowest, layer, *_thin(op.strides)), ports=indices)
    word = "valid"
    if lowest and _pads_as_same(op, op.pads, types[0].sizes):
        lowest, word = (), "same"
    return Lowered((*lowest, LayerText(_pooling("Max", len(op.kernel)), _pooled(op, word))), ports=indices)


def _lowest(op: MaxPool) -> Layers:
    """The layer that pads for a maximum; where the pool rounds up, it calculates the end of the padding."""
    if op.rounds_up:
        arguments = (
            first(op.span, "kernel"),
            first(op.strides, "stride"),
            option("padding", _requested(op), ((0, 0),) * len(op.kernel)),
        )
        return (LayerText("CeilPadding", arguments, "pad"),)
    return (LayerText("LowestPadding", (first(op.pads, "padding"),), "pad"),) if padded(op.pads) else ()


def _requested(op: Pool) -> Pads:
    """The padding without what rounding up added."""
    return tuple((lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True))


def _pads_as_same(op: Pool, pads: Pads, sizes: Sequence[int]) -> bool:
    """Whether Keras' `same` pads a pool so, for this input and others.

    Rounding up pads at the end only. So does `same` where it pads by at most one position.
    """
    if not op.rounds_up:
        return _is_same(op, pads, sizes, op.strides, any(op.overhang))
    windows = zip(op.kernel, op.strides, strict=True)
    return (
        max(op.dilation) == 1
        and not padded(_requested(op))
        and all(k == 1 or (k == 2 and s > 1) for k, s in windows)
    )


def _max_indices(op: MaxPool) -> LayerText:
    """A helper, because Keras' pools return values only."""
    ones = (1,) * len(op.kernel)
    arguments = (
        first(op.kernel, "kernel"),
        option("strides", op.strides, op.kernel, "stride"),
        option("padding", _requested(op) if op.rounds_up else op.pads, ((0, 0),) * len(ones)),
        option("dilation_rate", op.dilation, ones, "dilation"),
    )
    return LayerText("CeilMaxIndices" if op.rounds_up else "MaxIndices", arguments, "indices")


def max_unpool(op: MaxUnpool, types: Types) -> Lowered:
    """A helper that also takes the input of the pool, because Keras has no such layer."""
    return Lowered((LayerText("MaxUnpooling"),))


def avg_pool(op: AvgPool, types: Types) -> Lowered:
    """A mean. `out` is padding that does not count, `filled` is padding that counts like any value."""
    rank, sizes = len(op.kernel), types[0].sizes
    if op.rounds_up and max(op.dilation) == 1:
        return _ceil_avg_pool(op, sizes)
    filled, out = ((0, 0),) * rank, op.pads
    if op.count_padding:
        # What rounding up added is never counted.
        filled = tuple((lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True))
        out = tuple((0, more) for more in op.overhang)
        sizes = tuple(size + lo + hi for size, (lo, hi) in zip(sizes, filled, strict=True))
    before = zeros(filled)
    if max(op.dilation) > 1:
        window = (first(op.kernel, "kernel"), first(op.dilation, "dilation"), first(out, "pads"))
        return Lowered((*before, LayerText("DilatedAveragePooling", window), *_thin(op.strides)))
    if not padded(out):
        return Lowered((*before, LayerText(_pooling("Average", rank), _pooled(op, "valid"))))
    if _is_same(op, out, sizes, op.strides, any(op.overhang)):
        return Lowered((*before, LayerText(_pooling("Average", rank), _pooled(op, "same"))))
    kernel, stride, _ = _pooled(op, "valid")
    return Lowered((*before, LayerText(f"PaddedAveragePooling{rank}D", (kernel, first(out, "pads"), stride))))


def _ceil_avg_pool(op: AvgPool, sizes: Sequence[int]) -> Lowered:
    """A mean that rounds up: Keras' own with `same`, or a helper that calculates the end of the padding."""
    rank = len(op.kernel)
    if _pads_as_same(op, op.pads, sizes):
        return Lowered((LayerText(_pooling("Average", rank), _pooled(op, "same")),))
    kernel, stride, _ = _pooled(op, "valid")
    requested = _requested(op)
    extent = option("extent", requested, ((0, 0),) * rank)
    counts = option("counts", op.count_padding and padded(requested), False)
    return Lowered((LayerText(f"CeilAveragePooling{rank}D", (kernel, extent, counts, stride)),))


def global_pool(cls: str) -> Callable[[GlobalAvgPool | GlobalMaxPool, Types], Lowered]:
    """A lowering to a global pool."""

    def lower(op: GlobalAvgPool | GlobalMaxPool, types: Types) -> Lowered:
        kept = option("keepdims", op.keep, False)
        return Lowered((LayerText(cls.format(len(types[0].spatial)), (kept,)),), keeps="channels")

    return lower


def adaptive_pool(cls: str) -> Callable[[AdaptivePool, Types], Lowered]:
    """A lowering to a helper: Keras' own are new, find another of equal maxima, and three axes are not in float64."""
    return lambda op, types: Lowered((LayerText(cls, (first(op.size, "size"),)),))


def channel_pool(op: ChannelPool, types: Types) -> Lowered:
    """A helper, because Keras pools only over positions."""
    layer = LayerText("ChannelPooling", (first(op.size, "size"), option("mode", op.kind, "max")))
    return Lowered((layer,), keeps="channels")


def holders(op: Convolution, kernel: Holder) -> dict[str, Holder]:
    """The homes of a kernel and a bias."""
    return {"weight": kernel, **({"bias": Holder("bias", "O", "O")} if op.bias else {})}


def _kernel(op: Convolution) -> Argument:
    return first(squeeze(op.kernel), "kernel")


def _bias(op: Convolution) -> Argument:
    return option("use_bias", op.bias, True, "bias")


def _closing(op: Convolution) -> tuple[Arguments, Layers]:
    """The last arguments of a Keras layer, and the activation after it."""
    named, after = by_name(op.activation)
    return (named, _bias(op)), after


def _window(
    op: Convolution, sizes: Sequence[int], apart: bool, causal: bool = False
) -> tuple[Layers, Arguments, Layers]:
    """The layer that pads, the arguments of a convolution, and the layer that leaves positions out.

    `apart`: the layer cannot stride as it should. Then every position is made and some are kept.
    `causal`: the layer knows that word.
    """
    strides = (1,) * len(op.kernel) if apart else op.strides
    before, word = _padding(op, sizes, strides, causal)
    window = (
        option("strides", squeeze(strides), 1, "stride"),
        option("padding", word, "valid"),
        option("dilation_rate", squeeze(op.dilation), 1, "dilation"),
    )
    return before, window, _thin(op.strides) if apart else ()


def _is_refused(op: Convolution, channels: int, types: Types) -> bool:
    """Whether Keras cannot stride a convolution: with dilation, or where TensorFlow computes wrong numbers.

    Of one channel over three axes, oneDNN strides wrongly, in single precision, where a single column comes out.
    """
    if max(op.strides) > 1 and max(op.dilation) > 1:
        return True
    if len(op.kernel) < 3 or channels > 1:
        return False
    _, rows, columns = op.strides
    return rows == 1 < columns and op.outputs(types)[0].sizes[2] == 1


def _padding(
    op: Convolution, sizes: Sequence[int], strides: tuple[int, ...], causal: bool
) -> tuple[Layers, str]:
    """The layer that pads, if one is needed, and the word for the convolution after it."""
    if not padded(op.pads):
        return (), "valid"
    # TensorFlow misplaces a convolution over three axes that steps over positions, in double precision.
    steps_over = len(strides) == 3 and any(k < s for k, s in zip(op.span, strides, strict=True))
    if _is_same(op, op.pads, sizes, strides) and not steps_over:
        return (), "same"
    if causal and op.pads == (arithmetic.causal_pads(op.kernel[0], op.dilation[0]),):
        return (), "causal"
    return zeros(op.pads), "valid"


def _is_same(
    op: Windowed, pads: Pads, sizes: Sequence[int], strides: Sequence[int], rounded: bool = False
) -> bool:
    """Whether Keras' `same` pads so, also for another input with these windows.

    With a stride `same` depends on the size: it is the word for what the author called so, and for sizes that are
    rounded up.
    """
    rounded = rounded and not any(lo for lo, _ in pads)
    if not (op.pads_by_size or rounded or max(strides) == 1):
        return False
    axes = zip(sizes, op.kernel, strides, op.dilation, strict=True)
    return pads == tuple(arithmetic.same_pads(*axis) for axis in axes)


def _thin(strides: tuple[int, ...]) -> Layers:
    """A helper layer that keeps every n-th position along each axis: a pool over single positions."""
    if max(strides) == 1:
        return ()
    arguments = (first(1, "kernel"), option("strides", squeeze(strides), 1, "stride"))
    return (LayerText(_pooling("Max", len(strides)), arguments, suffix="stride"),)


def _pooling(mode: str, rank: int) -> str:
    # Over three axes TensorFlow has no kernel in double precision on a CPU: a helper does without.
    return f"Planewise{mode}Pooling3D" if rank == 3 else f"layers.{mode}Pooling{rank}D"


def _pooled(op: Pool, word: str) -> Arguments:
    kernel = squeeze(op.kernel)
    return (
        first(kernel, "kernel"),
        option("strides", squeeze(op.strides), kernel, "stride"),
        option("padding", word, "valid"),
    )
