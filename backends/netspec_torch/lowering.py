"""The table op → PyTorch: for each op what it constructs, and the expression that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import Any

from netspec.lowering.parts import Argument, Call, Part, Slot, Value, call, literal
from netspec.ops.activation import LeakyRelu, Relu, Sigmoid, Softmax, Tanh
from netspec.ops.base import Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.fields import Pads
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Pool
from netspec.ops.regularize import Dropout
from netspec.ops.reshape import Flatten, Identity
from netspec.ops.window import Windowed
from netspec.types import Type

FROZEN_NORM = "FrozenBatchNorm"
"""The class, with its rank behind, that generated code defines for a batch norm that does not learn."""
TEMPORARIES = frozenset({"inside", "windows"})
"""Variables that lowerings use."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where an op stands: the variables that it takes, their types, what it gives."""

    inputs: tuple[Type, ...]
    output: Type
    variables: tuple[str, ...]
    trainable: bool = True
    module: str = ""
    """The expression for its own module, `self.conv1`."""
    pad: str = ""
    """The expression for a module that pads its input; without it the text pads."""

    @property
    def x(self) -> str:
        return self.variables[0]

    @property
    def rank(self) -> int:
        return len(self.inputs[0].spatial)

    @property
    def channels(self) -> int:
        return self.inputs[0].channels or 0


@dataclass(frozen=True, slots=True)
class Lowered:
    """The expression that gives an op's output, statements before it, and what its modules are, if it has any."""

    result: str
    module: Call | None = None
    before: tuple[str, ...] = ()
    pad: Call | None = None


Lowering = Callable[[Any, Site], Lowered]


def _compact(values: Sequence[int]) -> Value:
    """One number where all axes agree: `3`, else `(3, 5)`."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def _pad(x: str, pads: Pads, value: str = "") -> str:
    """`F.pad` counts axes from the last one."""
    flat = tuple(chain.from_iterable(reversed(pads)))
    return f"F.pad({x}, {literal(flat)}{', value=' + value if value else ''})" if any(flat) else x


def _padded(site: Site, pads: Pads, value: str = "") -> tuple[str, Call | None]:
    """The input, padded: in the text, or by a module where the uses of a block pad differently."""
    if not site.pad or not any(chain.from_iterable(pads)):
        return _pad(site.x, pads, value), None
    flat = Slot(tuple(chain.from_iterable(reversed(pads))), "padding")
    rank = len(pads)
    module = call(f"nn.ConstantPad{rank}d", flat, value) if value else call(f"nn.ZeroPad{rank}d", flat)
    return f"{site.pad}({site.x})", module


def symmetric(op: Windowed, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """The padding as one number an axis, if that gives the same windows; else None.

    Zeros at the end that no window reaches make no difference.
    """
    axes = list(zip(sizes, op.span, op.strides, op.pads, strict=True))
    same = all((n + 2 * lo - k) // s == (n + lo + hi - k) // s for n, k, s, (lo, hi) in axes)
    return tuple(lo for lo, _ in op.pads) if same else None


def _windowed(op: Windowed) -> dict[str, Part]:
    return {
        "stride": Slot(_compact(op.strides), "stride", default=1),
        "dilation": Slot(_compact(op.dilation), "dilation", default=1),
    }


def _padding(values: Sequence[int]) -> Slot:
    return Slot(_compact(values), "padding", default=0)


def activate(x: str, activation: Op | None, channels_last: bool = False) -> str:
    """An expression followed by an activation."""
    if activation is None:
        return x
    return ACTIVATIONS[type(activation)](activation, x, "-1" if channels_last else "1")


def _softmax(op: Softmax, x: str, dim: str) -> str:
    scaled = x if op.temperature == 1 else f"{x} / {literal(op.temperature)}"
    return f"torch.softmax({scaled}, dim={dim})"


ACTIVATIONS: Mapping[type[Op], Callable[[Any, str, str], str]] = {
    Relu: lambda op, x, dim: f"F.relu({x})",
    LeakyRelu: lambda op, x, dim: f"F.leaky_relu({x}, {literal(op.slope)})",
    Sigmoid: lambda op, x, dim: f"torch.sigmoid({x})",
    Tanh: lambda op, x, dim: f"torch.tanh({x})",
    Softmax: _softmax,
}


def _activation(op: Op, site: Site) -> Lowered:
    return Lowered(activate(site.x, op))


def _conv(op: Conv, site: Site) -> Lowered:
    padding = symmetric(op, site.inputs[0].sizes)
    x, pad = (site.x, None) if padding is not None else _padded(site, op.pads)
    fields = _windowed(op)
    module = call(
        f"nn.Conv{site.rank}d",
        Slot(site.channels, "in_channels", channels=True),
        Slot(op.filters, "filters", channels=True),
        Slot(_compact(op.kernel), "kernel"),
        stride=fields["stride"],
        padding=_padding(padding or (0,)),
        dilation=fields["dilation"],
        groups=Slot(op.groups, "groups", default=1, channels=True),
        bias=Slot(op.bias, "bias", default=True),
    )
    return Lowered(activate(f"{site.module}({x})", op.activation), module, pad=pad)


def _dense(op: Dense, site: Site) -> Lowered:
    module = call(
        "nn.Linear",
        Slot(site.channels, "in_channels", channels=True),
        Slot(op.units, "units", channels=True),
        bias=Slot(op.bias, "bias", default=True),
    )
    if not site.rank:
        return Lowered(activate(f"{site.module}({site.x})", op.activation), module)
    # On a map it acts on the channels of every position.
    inner = activate(f"{site.module}({site.x}.movedim(1, -1))", op.activation, channels_last=True)
    return Lowered(f"{inner}.movedim(-1, 1)", module)


def _batch_norm(op: BatchNorm, site: Site) -> Lowered:
    name = "nn.BatchNorm" if site.trainable else FROZEN_NORM
    module = call(
        f"{name}{max(site.rank, 1)}d",
        Slot(site.channels, "in_channels", channels=True),
        eps=Slot(op.epsilon, "eps", default=1e-5),
        # The share of the new batch, without the dust of 1 − 0.9.
        momentum=Slot(round(1 - op.momentum, 12), "momentum", default=0.1),
    )
    return Lowered(f"{site.module}({site.x})", module)


def _dropout(op: Dropout, site: Site) -> Lowered:
    return Lowered(f"{site.module}({site.x})", call("nn.Dropout", Slot(op.rate, "rate")))


def native_padding(op: Pool, sizes: Sequence[int]) -> tuple[tuple[int, ...], bool] | None:
    """The padding and `ceil_mode` with which PyTorch's own pool has the same windows; else None.

    It pads by half a kernel at most. With `ceil_mode` it rounds every axis up, but begins no window in
    the padding at the end; what such a window reaches beyond the padding counts for nothing.
    """
    padding = tuple(lo for lo, _ in op.pads)
    if any(lo > k // 2 for lo, k in zip(padding, op.kernel, strict=True)):
        return None
    counts = isinstance(op, AvgPool) and op.count_padding
    if not (counts and any(op.overhang)) and symmetric(op, sizes) is not None:
        return padding, False
    for n, k, s, (lo, hi), over in zip(sizes, op.span, op.strides, op.pads, op.overhang, strict=True):
        rounded = ceil((n + 2 * lo - k) / s) + 1
        rounded -= (rounded - 1) * s >= n + lo
        if rounded != (n + lo + hi - k) // s + 1 or (counts and hi - over != lo):
            return None
    return padding, True


def _pool_module(name: str, op: Pool, padding: Sequence[int], ceil_mode: bool, **more: Part) -> Call:
    # A stride that is the kernel is PyTorch's own default.
    strides = () if op.strides == op.kernel else (Argument(Slot(_compact(op.strides), "stride"), "stride"),)
    rest = {"padding": _padding(padding), "ceil_mode": Slot(ceil_mode, "ceil_mode", default=False), **more}
    return Call(
        f"nn.{name}{len(op.kernel)}d",
        (
            Argument(Slot(_compact(op.kernel), "kernel")),
            *strides,
            *(Argument(part, keyword) for keyword, part in rest.items()),
        ),
    )


def _max_pool(op: MaxPool, site: Site) -> Lowered:
    native = native_padding(op, site.inputs[0].sizes)
    dilation = Slot(_compact(op.dilation), "dilation", default=1)
    padding, ceil_mode = native or ((0,), False)
    x, pad = (site.x, None) if native else _padded(site, op.pads, "-torch.inf")
    module = _pool_module("MaxPool", op, padding, ceil_mode, dilation=dilation)
    return Lowered(f"{site.module}({x})", module, pad=pad)


def _avg_pool(op: AvgPool, site: Site) -> Lowered:
    if set(op.dilation) != {1}:
        return _dilated_avg_pool(op, site)
    native = native_padding(op, site.inputs[0].sizes)
    if native:
        padding, ceil_mode = native
        padded = any(padding) or ceil_mode
        counted: Part = Slot(op.count_padding or not padded, "count_padding", default=True)
        module = _pool_module("AvgPool", op, padding, ceil_mode, count_include_pad=counted)
        return Lowered(f"{site.module}({site.x})", module)
    module = _pool_module("AvgPool", op, (0,), False)
    mean = f"{site.module}({_pad(site.x, op.pads)})"
    if op.count_padding and not any(op.overhang):
        return Lowered(mean, module)
    return Lowered(f"{mean} / {site.module}(inside)", module, _inside(op, site.x))


def _inside(op: AvgPool, x: str) -> tuple[str, ...]:
    """Statements after which `inside` is 1 where a position counts in the mean and 0 where it does not."""
    ones = f"torch.ones_like({x}[:1, :1])"
    if not op.count_padding:
        return (f"inside = {_pad(ones, op.pads)}",)
    told = tuple((lo, hi - over) for (lo, hi), over in zip(op.pads, op.overhang, strict=True))
    rest = tuple((0, over) for over in op.overhang)
    counted = _pad(ones, told, "1.0")
    return (f"inside = {counted}", *([f"inside = {_pad('inside', rest)}"] if any(op.overhang) else []))


def _dilated_avg_pool(op: AvgPool, site: Site) -> Lowered:
    """PyTorch has none: the windows are views of the input."""
    dims = literal(tuple(range(-site.rank, 0)))
    windows = (f"windows = {_pad(site.x, op.pads)}", f"windows = {_unfold('windows', op)}")
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


def _everywhere(site: Site) -> str:
    return literal(tuple(range(2, 2 + site.rank))) if site.rank > 1 else "2"


def _spread(site: Site) -> list[str]:
    """The branches, a vector beside a map given its axes; one channel spreads by itself."""
    rank = max(len(type_.spatial) for type_ in site.inputs)
    return [
        variable if len(type_.spatial) == rank else f"{variable}[:, :{', None' * rank}]"
        for variable, type_ in zip(site.variables, site.inputs, strict=True)
    ]


LOWERINGS: Mapping[type[Op], Lowering] = {
    Conv: _conv,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    GlobalAvgPool: lambda op, site: Lowered(f"{site.x}.mean(dim={_everywhere(site)})"),
    GlobalMaxPool: lambda op, site: Lowered(f"{site.x}.amax(dim={_everywhere(site)})"),
    Dense: _dense,
    Relu: _activation,
    LeakyRelu: _activation,
    Sigmoid: _activation,
    Tanh: _activation,
    Softmax: _activation,
    BatchNorm: _batch_norm,
    Dropout: _dropout,
    Add: lambda op, site: Lowered(" + ".join(_spread(site))),
    Multiply: lambda op, site: Lowered(" * ".join(_spread(site))),
    Concat: lambda op, site: Lowered(
        f"torch.cat([{', '.join(site.variables)}], dim={op.dimension(site.inputs) + 1})"
    ),
    Flatten: lambda op, site: Lowered(f"torch.flatten({site.x}, 1)"),
    Identity: lambda op, site: Lowered(site.x),
}

REFUSALS: Mapping[type[Op], str] = {}
