"""What netspec says to write for another library's layer gives the same numbers as that layer of PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.graph import Graph
from netspec.ops.words import lead
from netspec.ops.words.values import MODES
from netspec.weights import initialise
from tests.language.author import FILE, graph_of
from tests.language.follow import follow
from tests.oracle import forward

Torch = Callable[[torch.Tensor], torch.Tensor]

WRITTEN: dict[str, tuple[str, Torch]] = {
    # The item as somebody from another library writes it: what it computes there.
    "AdaptiveAvgPool2d: 5": ("4@8×8", lambda x: F.adaptive_avg_pool2d(x, 5)),
    "AdaptiveAvgPool2d: [3, 4]": ("4@8×8", lambda x: F.adaptive_avg_pool2d(x, (3, 4))),
    "AdaptiveAvgPool2d: 1": ("4@8×8", lambda x: F.adaptive_avg_pool2d(x, 1)),
    "adaptive_max_pool1d: 3": ("4@8", lambda x: F.adaptive_max_pool1d(x, 3)),
    "ReflectionPad2d: 2": ("4@8×8", lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect")),
    "ReplicationPad2d: 1": ("4@8×8", lambda x: F.pad(x, (1, 1, 1, 1), mode="replicate")),
    "Tanhshrink": ("4@8×8", F.tanhshrink),
    "softmin": ("4", lambda x: F.softmin(x, 1)),
    "LogSigmoid": ("4@8×8", F.logsigmoid),
    "crelu": ("4@8×8", lambda x: F.relu(torch.cat([x, -x], 1))),
    "Abs": ("4@8×8", torch.abs),
    "neg": ("4@8×8", torch.neg),
    "Hardtanh": ("4@8×8", F.hardtanh),
    "exponential": ("4@8×8", torch.exp),
    "Reciprocal": ("4@8×8", torch.reciprocal),
    "LogSoftmax": ("4@8×8", lambda x: F.log_softmax(x, 1)),
    "binary_step": ("4@8×8", lambda x: torch.heaviside(x, torch.zeros_like(x))),
    "GLU": ("4@8×8", lambda x: F.glu(x, 1)),
    "GEGLU": ("4@8×8", lambda x: F.gelu(x[:, :2]) * x[:, 2:]),
    "squared_relu": ("4@8×8", lambda x: F.relu(x) ** 2),
    "quick_gelu": ("4@8×8", lambda x: x * torch.sigmoid(1.702 * x)),
    "gelu_new": ("4@8×8", lambda x: F.gelu(x, approximate="tanh")),
    "leaky": ("4@8×8", lambda x: F.leaky_relu(x, 0.1)),
    "min_pool: 2": ("4@8×8", lambda x: -F.max_pool2d(-x, 2)),
    "global_min_pool": ("4@8×8", lambda x: x.amin((2, 3))),
    "InstanceNorm2d": ("4@8×8", F.instance_norm),
    "RMSNorm": ("4@8", lambda x: F.rms_norm(x.mT, (4,), eps=1e-6).mT),
    "Dropout2d: 0.0": ("4@8×8", lambda x: x),
    "StochasticDepth: 0.0": ("4@8×8", lambda x: x),
    "Softmax2d": ("4@8×8", lambda x: F.softmax(x, 1)),
    "PixelShuffle: 2": ("4@8×8", lambda x: F.pixel_shuffle(x, 2)),
    "PixelUnshuffle: 2": ("4@8×8", lambda x: F.pixel_unshuffle(x, 2)),
    "Hardsigmoid": ("4@8×8", F.hardsigmoid),
    "Hardswish": ("4@8×8", F.hardswish),
    "LeakyReLU": ("4@8×8", F.leaky_relu),
    "GELU": ("4@8×8", F.gelu),
    "SELU": ("4@8×8", F.selu),
    "BNLL": ("4@8×8", F.softplus),
    "UpsamplingNearest2d: 2": ("4@8×8", lambda x: F.interpolate(x, scale_factor=2)),
    "ConstantPad2d: 1": ("4@8×8", lambda x: F.pad(x, (1, 1, 1, 1))),
    "ZeroPadding1D: 2": ("4@8", lambda x: F.pad(x, (2, 2))),
    "AvgPool2d: 2": ("4@8×8", lambda x: F.avg_pool2d(x, 2)),
    "MaxPooling2D: 2": ("4@8×8", lambda x: F.max_pool2d(x, 2)),
    "GlobalAveragePooling2D": ("4@8×8", lambda x: x.mean((2, 3))),
    "rescaling: 0.5": ("4@8×8", lambda x: x * 0.5),
    "Unflatten: [2, 2]": ("4", lambda x: x.reshape(-1, 2, 2)),
    "reduce_sum": ("4@8×6", lambda x: x.sum((2, 3))),
    "amin": ("4@8×6", lambda x: x.amin((2, 3))),
    "ReduceL2": ("4@8×6", lambda x: torch.linalg.vector_norm(x, dim=(2, 3))),
    "ChannelShuffle: {groups: 3}": ("6@4×5", lambda x: F.channel_shuffle(x, 3)),
    "CELU": ("4@8×8", F.celu),
    "Activation: tanh": ("4@8×8", torch.tanh),
}


def followed(item: str, type_: str) -> Graph:
    channels, _, spatial = type_.partition("@")
    shape = ", ".join([channels, *(spatial.split("×") if spatial else [])])
    text = f"netspec: 1\nname: spec\ninput: [{shape}]\nlayers:\n  - {item}\n"
    graph, diagnostics = check_text(text, FILE)
    assert graph is None
    step = follow(text, diagnostics[0])
    assert step.graph is not None, f"{step.text}\n{as_text(step.left, {FILE: step.text})}"
    return step.graph


@pytest.mark.parametrize("item", WRITTEN)
def test_what_is_to_be_written_gives_the_same_numbers(item: str) -> None:
    type_, function = WRITTEN[item]
    graph = followed(item, type_)
    (source,) = graph.inputs
    x = np.random.default_rng(7).standard_normal((3, *source.type.shape))
    found = forward(graph, initialise(graph), {source.name: x}, True)[graph.outputs[0].value]
    wanted = function(torch.from_numpy(x)).numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-10


@pytest.mark.parametrize("word", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("size", [5, 13])
def test_a_mode_of_pytorch_gives_the_same(word: str, size: int) -> None:
    found = lead(word, ["nearest", "nearest_exact", "linear", "bilinear", "cubic", "area"], MODES)
    ours = "bilinear" if word == "bilinear" else "area" if word == "area" else found.ours if found else word
    graph = graph_of(f"layers:\n  - resize: {{size: {size}, mode: {ours}}}\n")
    x = np.random.default_rng(7).standard_normal((1, 4, 8, 8))
    made = forward(graph, {}, {graph.inputs[0].name: x}, True)[graph.outputs[0].value]
    theirs = F.interpolate(torch.from_numpy(x), size, mode=word).numpy()
    np.testing.assert_allclose(np.asarray(made, "float64"), theirs, rtol=1e-13, atol=1e-14)


def test_the_numbers_of_darknet_count_layers() -> None:
    for item, ours in (("route: -4", "concat"), ("route: [-1, 61]", "concat"), ("shortcut: -3", "add")):
        text = f"netspec: 1\nname: spec\ninput: [4, 8, 8]\nlayers:\n  - relu\n  - {item}\n"
        (found,) = check_text(text, FILE)[1]
        assert (found.help or "").startswith("the number refers to a layer")
        assert f"`- {ours}:` with `from: [name, " in (found.help or "")


@pytest.mark.parametrize(("momentum", "written"), [(0.1, "0.9"), (0.003, "0.997"), (0, "1"), (0.5, None)])
def test_the_momentum_of_pytorch_is_doubted(momentum: float, written: str | None) -> None:
    text = f"netspec: 1\nname: spec\ninput: [4, 8, 8]\nlayers:\n  - batch_norm: {{momentum: {momentum}}}\n"
    graph, diagnostics = check_text(text, FILE)
    assert graph is not None
    assert [each.severity for each in diagnostics] == ["warning"] * (written is not None)
    for each in diagnostics:
        assert (each.help or "").endswith(
            f"which is the fraction of the new batch, write `momentum: {written}`"
        )


def test_the_slope_of_a_relu_in_a_field_is_not_dropped() -> None:
    written = "relu: {negative_slope: 0.2}"
    for item in (written, f"dense: {{units: 2, activation: {{{written}}}}}"):
        (found,) = check_text(f"netspec: 1\nname: spec\ninput: [4]\nlayers:\n  - {item}\n", FILE)[1]
        assert found.help == "write `leaky_relu: {slope: 0.2}` in place of `relu`, which has no slope"


def test_a_border_is_the_padding_of_a_convolution() -> None:
    text = (
        "netspec: 1\nname: spec\ninput: [4, 8, 8]\nlayers:\n  - conv: {filters: 2, kernel: 3, border: same}\n"
    )
    (found,) = check_text(text, FILE)[1]
    assert found.help == "write `padding`: this is the name in netspec"


def test_the_pool_of_vgg_is_no_global_one() -> None:
    """`AdaptiveAvgPool2d(7)` on 14×14 leaves 7×7 positions."""
    text = "netspec: 1\nname: spec\ninput: [8, 14, 14]\nlayers:\n  - AdaptiveAvgPool2d: 7\n"
    (found,) = check_text(text, FILE)[1]
    step = follow(text, found)
    assert step.graph is not None
    assert [str(node.output) for node in step.graph.nodes] == ["8@7×7"]


def darknet_reorg(x: NDArray[np.float64], stride: int = 2) -> NDArray[np.float64]:
    """`reorg_cpu` of Darknet as its layer calls it: with `forward` 0 and the sizes of the input."""
    batch, c, h, w = x.shape
    out_c = c // stride**2
    flat, result = x.reshape(batch, -1), np.empty((batch, c * h * w))
    for k, j, i in np.ndindex(c, h, w):
        row, column = j * stride + k // out_c // stride, i * stride + k // out_c % stride
        result[:, i + w * (j + h * k)] = flat[:, column + w * stride * (row + h * stride * (k % out_c))]
    return result.reshape(batch, c * stride**2, h // stride, w // stride)


@pytest.mark.parametrize("shape", [(4, 2, 2), (8, 6, 10), (16, 4, 10)])
def test_the_reorganisation_of_darknet_is_what_is_said_of_it(shape: tuple[int, ...]) -> None:
    """Each value by its index in Darknet's flat lists, and by the reshapes that `netspec ops` tells of."""
    channels, height, width = shape
    graph = followed("reorg: 2", f"{channels}@{height}×{width}")
    x = np.random.default_rng(3).standard_normal((2, *shape))
    found = forward(graph, initialise(graph), {"input": x}, True)[graph.outputs[0].value]
    assert np.array_equal(found, darknet_reorg(x))
    larger = torch.from_numpy(x).reshape(2, channels // 4, 2 * height, 2 * width)
    blocks = [larger[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    result = torch.cat(blocks, dim=1).reshape(2, 4 * channels, height // 2, width // 2)
    assert np.array_equal(found, result.numpy())


def test_a_share_in_percent_keeps_its_digits() -> None:
    for rate, share in (("12.3456%", "0.123456"), ("12.345678", "0.12345678")):
        text = f"netspec: 1\nname: spec\ninput: [4]\nlayers:\n  - dropout: {rate}\n"
        (found,) = check_text(text, FILE)[1]
        assert f"rate: {share}" in (found.help or "") or f"dropout: {share}" in (found.help or "")
