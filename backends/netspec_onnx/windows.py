"""Convolutions and pools in ONNX, whose operators can pad unevenly."""

from __future__ import annotations

from netspec.ops.adaptive import AdaptiveMaxPool, AdaptivePool
from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
from netspec.ops.fields import Pads
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool, Pool
from netspec.ops.transpose import ConvTranspose
from netspec.ops.window import Windowed
from netspec_onnx.functions import activate
from netspec_onnx.site import Attribute, Site


def _flat(pads: Pads) -> tuple[int, ...]:
    """The pads in ONNX's order: before all axes, then after all axes."""
    return (*(lo for lo, _ in pads), *(hi for _, hi in pads))


def sliding(op: Windowed) -> dict[str, Attribute]:
    """How a kernel slides, as attributes of ONNX'."""
    return {
        "kernel_shape": op.kernel,
        "strides": op.strides,
        "dilations": op.dilation,
        "pads": _flat(op.pads),
    }


def _bias(site: Site, name: str = "bias") -> tuple[str, ...]:
    return (site.weights[name],) if name in site.weights else ()


def _convolved(op: Convolution, site: Site, kernel: str, groups: int) -> str:
    y = site.emit("Conv", site.x, kernel, *_bias(site), group=groups, **sliding(op))
    return activate(site, y, op.activation)


def conv(op: Conv, site: Site) -> str:
    """`Conv`; with a table, the connections are put into a kernel of zeros."""
    if op.table is None:
        return _convolved(op, site, site.weights["weight"], op.groups)
    places = [place for row, sees in enumerate(op.table) for channel in sees for place in (row, channel)]
    shape = (op.filters, site.channels, *op.kernel)
    zeros = site.emit("Expand", site.number(0.0), site.integers(shape))
    indices = site.emit("Reshape", site.integers(places), site.integers((-1, 2)))
    kernel = site.emit("ScatterND", zeros, indices, site.weights["weight"])
    return _convolved(op, site, kernel, 1)


def depthwise_conv(op: DepthwiseConv, site: Site) -> str:
    """`Conv` with one group per channel."""
    return _convolved(op, site, site.weights["weight"], site.channels)


def separable_conv(op: SeparableConv, site: Site) -> str:
    """A depthwise convolution, then a 1×1 convolution."""
    apart = site.emit("Conv", site.x, site.weights["depthwise.weight"], group=site.channels, **sliding(op))
    mixed = site.emit("Conv", apart, site.weights["pointwise.weight"], *_bias(site, "pointwise.bias"))
    return activate(site, mixed, op.activation)


def conv_transpose(op: ConvTranspose, site: Site) -> str:
    """`ConvTranspose`, which adds less than the stride at the end; the rest is padding before the bias."""
    axes = list(zip(op.pads, op.output_padding, op.strides, strict=True))
    cropped = tuple((lo, max(hi - a, 0)) for (lo, hi), a, _ in axes)
    added = tuple(max(a - hi, 0) for (_, hi), a, _ in axes)
    within = all(more < s for more, (_, _, s) in zip(added, axes, strict=True))
    window = {**sliding(op), "pads": _flat(cropped), "group": op.groups}
    if within:
        window["output_padding"] = added
        y = site.emit("ConvTranspose", site.x, site.weights["weight"], *_bias(site), **window)
    else:
        plain = site.emit("ConvTranspose", site.x, site.weights["weight"], **window)
        y = site.pad(plain, [(0, more) for more in added])
        if op.bias:
            y = site.emit("Add", y, site.broadcast(site.weights["bias"], site.rank))
    return activate(site, y, op.activation)


def max_pool(op: MaxPool, site: Site) -> str:
    """`MaxPool`, which pads with −∞ by less than the kernel; more padding is a separate node."""
    x, window = site.x, sliding(op)
    if pads_apart(op):
        x, window["pads"] = site.pad(x, op.pads, value=float("-inf")), (0,) * 2 * site.rank
    return site.emit_all("MaxPool", x, **window)


def pads_apart(op: MaxPool) -> bool:
    """Whether the padding is a separate node, because ONNX pads by less than the kernel."""
    return any(max(pair) >= k for pair, k in zip(op.pads, op.kernel, strict=True))


def max_unpool(op: MaxUnpool, site: Site) -> str:
    """`MaxUnpool` with its output shape. Its indices count through batch and channels, like those of `MaxPool`."""
    windows = site.types[1].windows
    assert windows is not None
    batch = site.emit("Shape", site.x, start=0, end=1)
    shape = site.emit("Concat", batch, site.integers((site.channels, *windows.sizes)), axis=0)
    window = {"kernel_shape": windows.span, "strides": windows.stride, "pads": _flat(windows.pads)}
    return site.emit("MaxUnpool", *site.values, shape, **window)


def avg_pool(op: AvgPool, site: Site) -> str:
    """The mean of the windows of the padded input, times kernel size / count where fewer values count."""
    window = {**sliding(op), "pads": (0,) * 2 * site.rank}
    mean = site.emit("AveragePool", site.pad(site.x, op.pads), **window)
    shares = [_shares(op, size, axis) for axis, size in enumerate(site.sizes)]
    for axis, along in enumerate(shares):
        if set(along) != {1.0}:
            shape = [1] * (2 + site.rank)
            shape[2 + axis] = len(along)
            mean = site.emit("Mul", mean, site.numbers(along, shape))
    return mean


def _shares(op: Pool, size: int, axis: int) -> list[float]:
    """The kernel's size over how many of its places count, for each window along an axis."""
    kernel, stride, dilation = op.kernel[axis], op.strides[axis], op.dilation[axis]
    (lo, hi), counted = op.pads[axis], isinstance(op, AvgPool) and op.count_padding
    first, end = (-lo, size + hi - op.overhang[axis]) if counted else (0, size)
    count = (size + lo + hi - op.span[axis]) // stride + 1
    shares = []
    for window in range(count):
        start = window * stride - lo
        # Places start, start + dilation, …: those from `first` to before `end`.
        before = max(-((start - first) // dilation), 0)
        until = min(-((start - end) // dilation), kernel)
        shares.append(kernel / (until - before))
    return shares


def adaptive_pool(op: AdaptivePool, site: Site) -> str:
    """A pool whose kernel is its stride; windows that share positions are gathered along one axis after the other."""
    largest, rows = isinstance(op, AdaptiveMaxPool), list(zip(site.sizes, op.size, strict=True))
    if all(i % o == 0 for i, o in rows):
        kernel = tuple(i // o for i, o in rows)
        operator = "MaxPool" if largest else "AveragePool"
        return site.emit(operator, site.x, kernel_shape=kernel, strides=kernel)
    x = site.x
    for axis, (i, o) in enumerate(rows, start=2):
        windows = [range(p * i // o, -(-(p + 1) * i // o)) for p in range(o)]
        width = max(map(len, windows))
        # A window that is shorter has its last position again, which a maximum does not see and a mean leaves out.
        places = [min(window[0] + tap, window[-1]) for window in windows for tap in range(width)]
        listed = site.emit("Reshape", site.integers(places), site.integers((o, width)))
        x = site.emit("Gather", x, listed, axis=axis)
        if not largest:
            shares = [
                1 / len(window) if tap < len(window) else 0.0 for window in windows for tap in range(width)
            ]
            x = site.emit("Mul", x, site.numbers(shares, (o, width, *(1,) * (1 + site.rank - axis))))
        x = site.emit("ReduceMax" if largest else "ReduceSum", x, site.integers((axis + 1,)), keepdims=0)
    return x


def _everywhere(site: Site) -> str:
    return site.integers(range(2, 2 + site.rank))


def global_avg_pool(op: GlobalAvgPool, site: Site) -> str:
    """The mean over all positions."""
    return site.emit("ReduceMean", site.x, _everywhere(site), keepdims=int(op.keep))


def global_max_pool(op: GlobalMaxPool, site: Site) -> str:
    """The maximum over all positions."""
    return site.emit("ReduceMax", site.x, _everywhere(site), keepdims=int(op.keep))


def channel_pool(op: ChannelPool, site: Site) -> str:
    """Groups of consecutive channels as a separate axis."""
    runs = site.reshape(site.x, (site.channels // op.size, op.size, *site.sizes))
    operator = "ReduceMax" if op.kind == "max" else "ReduceMean"
    return site.emit(operator, runs, site.integers((2,)), keepdims=0)
