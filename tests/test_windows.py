"""Ten thousand random windows of every windowed op: the inferred size is PyTorch's, Keras' and the real one's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netspec.backend import Judges, Runs, backends
from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.ops.pool import Pool
from netspec.ops.window import Windowed
from netspec.weights import initialise
from tests.building import Sketch
from tests.windows import WINDOWED, Window, window

COUNT = 10_000
RUN = 500
# Few enough for every run of the tests; the rest is for `.ci/run`.
QUICK = 300


def numbers(count: int) -> range:
    return range(count)


@pytest.mark.parametrize("keyword", WINDOWED)
@pytest.mark.parametrize("count", [QUICK, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_the_size_is_pytorchs(keyword: str, count: int) -> None:
    torch = pytest.importorskip("torch")
    fitting = 0
    for seed in numbers(count):
        each = window(keyword, seed)
        expected = torch_size(torch, each)
        if each.op is None:
            # We refuse what PyTorch refuses, and a little more: see docs/arithmetic.md.
            assert expected is None or stricter(each), (
                f"window({keyword!r}, {seed}): refused, PyTorch gives {expected}"
            )
            continue
        fitting += 1
        assert each.output.sizes == expected, f"window({keyword!r}, {seed}): {each.fields} on {each.input}"
    assert fitting > count // 3


def stricter(each: Window) -> bool:
    """Whether our refusal is one that the docs give a reason for."""
    assert each.misfit is not None
    return each.misfit.code.id in ("NS0307", "NS0313")


def torch_size(torch: Any, each: Window) -> tuple[int, ...] | None:
    """The size by PyTorch's own functions on the meta device, or None if it refuses."""
    shape = (1, *each.input.shape)
    try:
        return tuple(_TORCH[each.keyword](torch, each, torch.empty(shape, device="meta")).shape[2:])
    except (RuntimeError, ValueError):
        return None


def _pads(each: Window) -> list[tuple[int, int]]:
    """The pads that the words mean, worked out here once more, without the op."""
    rank = len(each.input.spatial)
    written, kernel = each.fields["padding"], _axes(each.fields["kernel"], rank)
    strides, dilation = _axes(each.fields["stride"], rank), _axes(each.fields["dilation"], rank)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if isinstance(written, int):
        return [(written, written)] * rank
    if isinstance(written, list):
        return [(lo, hi) for lo, hi in written]
    if written == "same":
        wanted = [
            max((-(-i // s) - 1) * s + k - i, 0)
            for i, s, k in zip(each.input.sizes, strides, reach, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in wanted]
    rules = {"valid": (0, 0), "half": (1, 1), "full": (2, 2), "causal": (2, 0)}
    lo, hi = rules[written]
    amounts: dict[int, Callable[[int], int]] = {0: lambda k: 0, 1: lambda k: k // 2, 2: lambda k: k - 1}
    return [(amounts[lo](k), amounts[hi](k)) for k in reach]


def _axes(value: int | list[int], rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else value


def _padded(torch: Any, each: Window, x: Any, value: float = 0.0) -> Any:
    flat = [amount for pair in reversed(_pads(each)) for amount in pair]
    return torch.nn.functional.pad(x, flat, value=value)


def _conv(torch: Any, each: Window, x: Any, filters: int, groups: int) -> Any:
    rank = len(each.input.spatial)
    kernel = torch.empty(
        (filters, (each.input.channels or 0) // groups, *_axes(each.fields["kernel"], rank)), device="meta"
    )
    run = getattr(torch.nn.functional, f"conv{rank}d")
    stride, dilation = _axes(each.fields["stride"], rank), _axes(each.fields["dilation"], rank)
    return run(_padded(torch, each, x), kernel, stride=stride, dilation=dilation, groups=groups)


def _depthwise(torch: Any, each: Window, x: Any) -> Any:
    channels = each.input.channels or 0
    return _conv(torch, each, x, channels * each.fields["multiplier"], channels)


def _transposed(torch: Any, each: Window, x: Any) -> Any:
    rank = len(each.input.spatial)
    groups = each.fields["groups"]
    kernel, stride = _axes(each.fields["kernel"], rank), _axes(each.fields["stride"], rank)
    dilation, more = _axes(each.fields["dilation"], rank), _axes(each.fields["output_padding"], rank)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if each.fields["padding"] == "same":
        if any(more):
            raise ValueError("`same` chooses the output padding itself")
        more = [max(s - k, 0) for s, k in zip(stride, reach, strict=True)]
        pads = [
            (max(k - s, 0) // 2, max(k - s, 0) - max(k - s, 0) // 2)
            for s, k in zip(stride, reach, strict=True)
        ]
    else:
        pads = [(0, 0)] * rank if each.fields["padding"] == "causal" else _pads(each)
    if each.fields["padding"] == "causal":
        raise ValueError("no transposed convolution is causal")
    weight = torch.empty((each.input.channels, each.fields["filters"] // groups, *kernel), device="meta")
    run = getattr(torch.nn.functional, f"conv_transpose{rank}d")
    whole = run(x, weight, stride=stride, dilation=dilation, groups=groups, output_padding=more)
    cuts = [slice(lo, size - hi) for (lo, hi), size in zip(pads, whole.shape[2:], strict=True)]
    if any(size - hi - lo < 1 for (lo, hi), size in zip(pads, whole.shape[2:], strict=True)):
        raise ValueError("nothing is left")
    return whole[(slice(None), slice(None), *cuts)]


def _pool(torch: Any, each: Window, x: Any) -> Any:
    """PyTorch's max pool on an input padded before; its average pool has no dilation, and sizes are the same."""
    rank = len(each.input.spatial)
    run = getattr(torch.nn.functional, f"max_pool{rank}d")
    kernel, stride = _axes(each.fields["kernel"], rank), _axes(each.fields["stride"], rank)
    dilation, pads = _axes(each.fields["dilation"], rank), _pads(each)
    if each.fields["rounding"] == "floor":
        return run(_padded(torch, each, x), kernel, stride=stride, dilation=dilation)
    # PyTorch begins no window in the padding at the end, so it must know what is padding.
    if any(lo != hi or lo > k // 2 for (lo, hi), k in zip(pads, kernel, strict=True)):
        sizes = [_ceil(i, lo, hi, (k - 1) * d + 1, s) for i, (lo, hi), k, s, d in zip(
            each.input.sizes, pads, kernel, stride, dilation, strict=True)]  # fmt: skip
        if min(sizes) < 1:
            raise ValueError("does not fit")
        return torch.empty((1, 1, *sizes), device="meta")
    return run(x, kernel, stride=stride, padding=[lo for lo, _ in pads], dilation=dilation, ceil_mode=True)


def _ceil(i: int, lo: int, hi: int, k: int, s: int) -> int:
    """PyTorch's rule, for paddings that it does not take."""
    rounded = -(-(i + lo + hi - k) // s) + 1
    kept = rounded - ((rounded - 1) * s >= i + lo)
    return max(kept, (i + lo + hi - k) // s + 1)


_TORCH = {
    "conv": lambda torch, each, x: _conv(torch, each, x, each.fields["filters"], each.fields["groups"]),
    "conv_transpose": _transposed,
    "depthwise_conv": _depthwise,
    "separable_conv": _depthwise,
    "max_pool": _pool,
    "avg_pool": _pool,
}


@pytest.mark.parametrize("keyword", WINDOWED)
@pytest.mark.parametrize("count", [QUICK, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_the_size_is_keras(keyword: str, count: int) -> None:
    keras = pytest.importorskip("keras")
    compared = 0
    for seed in numbers(count):
        each = window(keyword, seed)
        if each.op is None:
            continue
        expected = keras_size(keras, each, each.op)
        if expected is not None:
            compared += 1
            assert each.output.sizes == expected, (
                f"window({keyword!r}, {seed}): {each.fields} on {each.input}"
            )
    assert compared > count // 8


def keras_size(keras: Any, each: Window, op: Op) -> tuple[int, ...] | None:
    """The size by Keras' own layers on an input padded before, or None where Keras has no such layer.

    `same` is left to Keras itself, so that its word and ours are held together.
    """
    assert isinstance(op, Windowed)
    rank = len(each.input.spatial)
    if max(op.strides) > 1 and max(op.dilation) > 1:
        return None
    if isinstance(op, Pool) and (max(op.dilation) > 1 or any(op.overhang)):
        return None
    if each.keyword in ("depthwise_conv", "separable_conv") and (rank > 2 or len(set(op.strides)) > 1):
        return None
    same = each.fields["padding"] == "same"
    if each.keyword == "conv_transpose":
        return _keras_transposed(keras, each, op, rank)
    settings: dict[str, Any] = {"strides": op.strides, "padding": "same" if same else "valid"}
    name = {"conv": "Conv", "depthwise_conv": "DepthwiseConv", "separable_conv": "SeparableConv"}.get(
        each.keyword
    )
    if name is None:
        name = "MaxPooling" if each.keyword == "max_pool" else "AveragePooling"
        layer = getattr(keras.layers, f"{name}{rank}D")(op.kernel, **settings)
    else:
        filters = () if each.keyword == "depthwise_conv" else (each.fields["filters"],)
        layer = getattr(keras.layers, f"{name}{rank}D")(
            *filters, op.kernel, dilation_rate=op.dilation, **settings
        )
    sizes = (
        each.input.sizes
        if same
        else tuple(i + lo + hi for i, (lo, hi) in zip(each.input.sizes, op.pads, strict=True))
    )
    return tuple(layer.compute_output_shape((1, *sizes, each.input.channels))[1:-1])


def _keras_transposed(keras: Any, each: Window, op: Any, rank: int) -> tuple[int, ...] | None:
    if max(op.dilation) > 1:
        return None
    same = each.fields["padding"] == "same"
    make = getattr(keras.layers, f"Conv{rank}DTranspose")
    settings = {"padding": "same"} if same else {"padding": "valid", "output_padding": 0}
    layer = make(each.fields["filters"], op.kernel, strides=op.strides, **settings)
    try:
        whole = layer.compute_output_shape((1, *each.input.sizes, each.input.channels))[1:-1]
    except ValueError:
        return None
    if same:
        return tuple(whole)
    return tuple(o - lo - hi + a for o, (lo, hi), a in zip(whole, op.pads, op.output_padding, strict=True))


def one_layer(each: Window) -> Graph:
    """The network of this one layer."""
    assert each.op is not None
    sketch = Sketch("window", x=each.input.shape)
    sketch.add("layer", each.op)
    return sketch.graph()


RUNNING = [each for each in backends() if isinstance(each, Runs) and not isinstance(each, Judges)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", RUNNING, ids=lambda backend: backend.name)
@pytest.mark.parametrize("keyword", WINDOWED)
def test_the_size_is_that_of_the_real_output(keyword: str, backend: Runs) -> None:
    if backend.status().state != "ok":
        pytest.skip(f"{backend.name}: {backend.status().detail}")
    run = 0
    seed = 0
    while run < RUN:
        each = window(keyword, seed)
        seed += 1
        if each.op is None:
            continue
        run += 1
        graph = one_layer(each)
        trial = backend.trial(graph, initialise(graph, dtype="float32"), "float32")
        output = trial.forward({"x": np.zeros((1, *each.input.shape), "float32")})["layer"]
        assert output.shape == (1, *each.output.shape), f"window({keyword!r}, {seed - 1}): {each.fields}"
