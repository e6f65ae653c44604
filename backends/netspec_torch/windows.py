"""Convolutions and pools in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.lowering.parts import Argument, Call, Part, Slot, call, literal, seq
from netspec.ops.window import Windowed
from netspec.types import Type, Windows
from netspec_torch.functions import activate
from netspec_torch.orders import canonical
from netspec_torch.site import (
    OWN,
    PADDED,
    Border,
    Lowered,
    Site,
    border,
    compact,
    cut,
    pad,
    run,
    symmetric,
    windowed,
)  # fmt: skip

if TYPE_CHECKING:
    from netspec.ops.adaptive import AdaptivePool
    from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
    from netspec.ops.pool import (
        AvgPool,
        ChannelPool,
        GlobalAvgPool,
        GlobalMaxPool,
        GlobalPool,
        MaxPool,
        MaxUnpool,
        Pool,
    )
    from netspec.ops.transpose import ConvTranspose


def _convolution(
    op: Convolution,
    site: Site,
    filters: Slot,
    groups: Slot | None = None,
    name: str = "nn.Conv",
    own: Slot | None = None,
) -> Lowered:
    """A convolution's module, called on its input or on the padded input; `own` is a further argument of our class."""
    fields: dict[str, Part] = windowed(op)
    further = () if own is None else (Argument(own, own.hint),)

    def module(padding: Sequence[int]) -> Call:
        keywords: dict[str, Part] = {"stride": fields["stride"], "padding": border(padding)}
        keywords["dilation"] = fields["dilation"]
        if groups is not None:
            keywords["groups"] = groups
        return Call(
            f"{name}{site.rank}d",
            (
                Argument(Slot(site.channels, "in_channels", channels=True)),
                Argument(filters),
                Argument(Slot(compact(op.kernel), "kernel")),
                *further,
                *(Argument(part, keyword) for keyword, part in keywords.items()),
                Argument(_bias(op), "bias"),
            ),
        )

    padding = symmetric(op, site.inputs[0].sizes)
    apart = Lowered(activate(run(PADDED), op.activation), module((0,)), border=Border(op.pads))
    if padding is None:
        return replace(apart, apart=apart)
    return Lowered(activate(run(site.x), op.activation), module(padding), apart=apart)


def _filters(op: Conv | SeparableConv | ConvTranspose) -> Slot:
    return Slot(op.filters, "filters", channels=True)


def _bias(op: Convolution) -> Slot:
    return Slot(op.bias, "bias", default=True)


def conv(op: Conv, site: Site) -> Lowered:
    """`nn.Conv…d`, after padding if the padding is uneven; with a table, a helper class."""
    if op.table is not None:
        return _convolution(op, site, _filters(op), name="TableConv", own=Slot(op.table, "table"))
    return _convolution(op, site, _filters(op), Slot(op.groups, "groups", default=1, channels=True))


def depthwise_conv(op: DepthwiseConv, site: Site) -> Lowered:
    """`nn.Conv…d` with one group per channel."""
    count = Slot(site.channels * op.multiplier, "filters", channels=True)
    return _convolution(op, site, count, Slot(site.channels, "in_channels", default=1, channels=True))


def separable_conv(op: SeparableConv, site: Site) -> Lowered:
    """A helper class of two convolutions."""
    own = Slot(op.multiplier, "multiplier", default=1)
    return _convolution(op, site, _filters(op), name="SeparableConv", own=own)


def conv_transpose(op: ConvTranspose, site: Site) -> Lowered:
    """`nn.ConvTranspose…d`, which crops both ends equally; other crops are slices of the result."""
    axes = list(zip(op.pads, op.output_padding, op.strides, strict=True))
    more = tuple(lo - hi + a for (lo, hi), a, _ in axes)
    # It takes an `output_padding` below the stride or the dilation.
    most = map(max, op.strides, op.dilation)
    native = all(0 <= each < limit for each, limit in zip(more, most, strict=True))
    crops: list[tuple[int, int]] = []
    padding = tuple(lo for lo, _ in op.pads)
    if not native:
        padding, more = (0,), tuple(max(a - hi, 0) for (_, hi), a, _ in axes)
        crops = [(lo, max(hi - a, 0)) for (lo, hi), a, _ in axes]
    fields = windowed(op)
    module = call(
        f"nn.ConvTranspose{site.rank}d",
        Slot(site.channels, "in_channels", channels=True),
        _filters(op),
        Slot(compact(op.kernel), "kernel"),
        stride=fields["stride"],
        padding=border(padding),
        output_padding=Slot(compact(more), "output_padding", default=0),
        groups=Slot(op.groups, "groups", default=1, channels=True),
        bias=_bias(op),
        dilation=fields["dilation"],
    )
    return Lowered(activate(cut(run(site.x), crops), op.activation), module)


def native_padding(
    op: Pool, sizes: Sequence[int], counts: bool = False
) -> tuple[tuple[int, ...], bool] | None:
    """The padding and `ceil_mode` for which PyTorch's pool has the same windows; else None.

    PyTorch pads by half a kernel at most. With `ceil_mode` it rounds every axis up, but no window starts in the padding
    at the end; positions beyond the padding do not count.

    Args:
        counts: whether padding counts in a mean.
    """
    padding = tuple(lo for lo, _ in op.pads)
    if any(lo > k // 2 for lo, k in zip(padding, op.kernel, strict=True)):
        return None
    whole = None
    if not (counts and any(op.overhang)) and symmetric(op, sizes) is not None:
        whole = (padding, False)
        if not op.rounds_up:
            return whole
    for n, k, s, (lo, hi), over in zip(sizes, op.span, op.strides, op.pads, op.overhang, strict=True):
        rounded = -(-(n + 2 * lo - k) // s) + 1
        rounded -= (rounded - 1) * s >= n + lo
        if rounded != (n + lo + hi - k) // s + 1 or (counts and hi - over != lo):
            return whole
    return padding, True


def _pool_module(name: str, op: Pool, padding: Sequence[int], ceil_mode: bool, **more: Part) -> Call:
    # A stride that is the kernel is PyTorch's own default.
    strides = () if op.strides == op.kernel else (Argument(Slot(compact(op.strides), "stride"), "stride"),)
    rest = {"padding": border(padding), "ceil_mode": Slot(ceil_mode, "ceil_mode", default=False), **more}
    return Call(
        f"{name}{len(op.kernel)}d",
        (
            Argument(Slot(compact(op.kernel), "kernel")),
            *strides,
            *(Argument(part, keyword) for keyword, part in rest.items()),
        ),
    )


def max_pool(op: MaxPool, site: Site) -> Lowered:
    """`nn.MaxPool…d`, after padding with −∞ if PyTorch cannot pad in this way."""
    if site.ports:
        return _max_pool_with_indices(op, site)
    native = native_padding(op, site.inputs[0].sizes)
    dilation = Slot(compact(op.dilation), "dilation", default=1)
    module = _pool_module("nn.MaxPool", op, (0,), False, dilation=dilation)
    apart = Lowered(run(PADDED), module, border=Border(op.pads, "-torch.inf"))
    if native is None:
        return replace(apart, apart=apart)
    return Lowered(run(site.x), _pool_module("nn.MaxPool", op, *native, dilation=dilation), apart=apart)


def _max_pool_with_indices(op: MaxPool, site: Site) -> Lowered:
    """`nn.MaxPool…d` with indices; a helper class, if PyTorch cannot pad in this way."""
    native = native_padding(op, site.inputs[0].sizes)
    more: dict[str, Part] = {
        "dilation": Slot(compact(op.dilation), "dilation", default=1),
        "return_indices": Slot(value=True, hint="return_indices", default=False),
    }
    if native is not None:
        return Lowered(run(site.x), _pool_module("nn.MaxPool", op, native[0], native[1], **more))
    more["pads"] = Slot(tuple(chain.from_iterable(reversed(op.pads))), "pads")
    return Lowered(run(site.x), _pool_module("PaddedMaxPool", op, (0,), False, **more))


def max_unpool(op: MaxUnpool, site: Site) -> Lowered:
    """`nn.MaxUnpool…d`, to the size of the input of the pool."""
    windows = _windows(site.inputs[1])
    kernel, padding = _unpool(site.inputs[1])
    strides = () if windows.stride == kernel else (Slot(compact(windows.stride), "stride"),)
    module = Call(
        f"nn.MaxUnpool{site.rank}d",
        (
            Argument(Slot(compact(kernel), "kernel")),
            *(Argument(stride, "stride") for stride in strides),
            Argument(border(padding), "padding"),
        ),
    )
    values, indices, taken = site.variables
    return Lowered(seq(OWN, "(", values, ", ", indices, ", output_size=", taken, ".shape)"), module)


def _unpool(positions: Type) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and padding of a max unpool, which only decide the size that PyTorch would find by itself."""
    windows = _windows(positions)
    padding = tuple((lo + hi) // 2 for lo, hi in windows.pads)
    rows = zip(positions.sizes, windows.sizes, windows.span, windows.stride, padding, strict=True)
    # A size that is stated misses the one that is found by less than the stride.
    exact = [i - (o - 1) * s + 2 * p for o, i, _, s, p in rows]
    kernel = (
        k if abs(k - fitting) < s else fitting
        for k, s, fitting in zip(windows.span, windows.stride, exact, strict=True)
    )
    return tuple(kernel), padding


def _windows(positions: Type) -> Windows:
    assert positions.windows is not None
    return positions.windows


def avg_pool(op: AvgPool, site: Site) -> Lowered:
    """`nn.AvgPool…d` if it counts in the same way; else the mean of the values in the input."""
    if set(op.dilation) != {1}:
        return _dilated_avg_pool(op, site)
    sizes = site.inputs[0].sizes
    # Over three axes PyTorch refuses a kernel that is larger than the input without its padding.
    refused = site.rank == 3 and any(k > n for k, n in zip(op.kernel, sizes, strict=True))
    native = None if refused else native_padding(op, sizes, op.count_padding)
    if native:
        padding, ceil_mode = native
        padded = any(padding) or ceil_mode
        counted: Part = Slot(op.count_padding or not padded, "count_padding", default=True)
        module = _pool_module("nn.AvgPool", op, padding, ceil_mode, count_include_pad=counted)
        return Lowered(run(site.x), module)
    module = _pool_module("nn.AvgPool", op, (0,), False)
    mean = run(pad(site.x, op.pads))
    if op.count_padding and not any(op.overhang):
        return Lowered(mean, module)
    return Lowered(seq(mean, " / ", run("inside")), module, _inside(op, site.x))


def _inside(op: AvgPool, x: Part) -> tuple[Part, ...]:
    """Statements that set `inside` to 1 at positions that count in the mean, and 0 elsewhere."""
    ones = call("torch.ones_like", seq(x, "[:1, :1]"))
    if not op.count_padding:
        return (seq("inside = ", pad(ones, op.pads)),)
    told = tuple((lo, hi - over) for (lo, hi), over in zip(op.pads, op.overhang, strict=True))
    rest = tuple((0, over) for over in op.overhang)
    counted = pad(ones, told, "1.0")
    return (seq("inside = ", counted), *([seq("inside = ", pad("inside", rest))] if any(op.overhang) else []))


def _dilated_avg_pool(op: AvgPool, site: Site) -> Lowered:
    """The windows as views of the input, because PyTorch has no such layer."""
    dims = literal(tuple(range(-site.rank, 0)))
    windows = (seq("windows = ", pad(site.x, op.pads)), f"windows = {_unfold('windows', op)}")
    if op.count_padding and not any(op.overhang):
        return Lowered(f"windows.mean(dim={dims})", before=windows)
    if symmetric(op, site.inputs[0].sizes) is not None and not any(lo for lo, _ in op.pads):
        return Lowered(f"windows.mean(dim={dims})", before=windows)
    inside = (*_inside(op, site.x), f"inside = {_unfold('inside', op)}")
    return Lowered(f"windows.sum(dim={dims}) / inside.sum(dim={dims})", before=(*windows, *inside))


def _unfold(x: str, op: Windowed) -> str:
    for axis, (extent, stride) in enumerate(zip(op.span, op.strides, strict=True)):
        x += f".unfold({axis + 2}, {extent}, {stride})"
    taps = ", ".join(":" if d == 1 else f"::{d}" for d in op.dilation)
    return f"{x}[..., {taps}]"


def adaptive_pool(cls: str) -> Callable[[AdaptivePool, Site], Lowered]:
    """A lowering to one of PyTorch's own pools to a size."""

    def lower(op: AdaptivePool, site: Site) -> Lowered:
        return Lowered(run(site.x), call(f"{cls}{site.rank}d", Slot(compact(op.size), "size")))

    return lower


def _everywhere(op: GlobalPool, site: Site, reduced: str) -> Lowered:
    """A reduction over all positions, in the order in which they come; a vector has only one."""
    dims = tuple(sorted(map(site.dim, range(2, 2 + site.rank))))
    kept = {"keepdim": "True"} if op.keep else {}
    result = call(f".{reduced}", dim=literal(dims if len(dims) > 1 else dims[0]), **kept)
    return site.as_given(Lowered(seq(site.x, result)), None if op.keep else canonical(1))


def global_avg_pool(op: GlobalAvgPool, site: Site) -> Lowered:
    """The mean over all positions."""
    return _everywhere(op, site, "mean")


def global_max_pool(op: GlobalMaxPool, site: Site) -> Lowered:
    """`amax`, which shares the gradient among equal values."""
    return _everywhere(op, site, "amax")


def channel_pool(op: ChannelPool, site: Site) -> Lowered:
    """Groups of consecutive channels as a separate axis."""
    taken = "amax" if op.kind == "max" else "mean"
    return Lowered(seq(site.x, f".unflatten(1, (-1, {op.size})).{taken}(dim=2)"))
