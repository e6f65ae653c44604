"""Fans against counted connections, and every initialiser of every kernel against the definition and the frameworks.

A connection is counted by the oracle: the derivative of an output by an input, all weights positive, is not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.graph import Graph
from netspec.ops import OPS
from netspec.ops.base import Misfit, Weight
from netspec.weights import drawn, fans, initialise
from tests.building import Sketch
from tests.language.author import graph_of
from tests.oracle import forward

DOCS = Path(__file__).parents[1] / "docs" / "accounting.md"
TABLE = [[0], [0, 1], [1, 2, 3], [3]]
KERNELS: dict[str, tuple[str, dict[str, object], str]] = {
    "conv": ("conv", {"filters": 6, "kernel": 3}, "weight"),
    "dilated": ("conv", {"filters": 6, "kernel": 2, "dilation": 2}, "weight"),
    "grouped": ("conv", {"filters": 6, "kernel": 3, "groups": 2}, "weight"),
    "grouped apart": ("conv", {"filters": 4, "kernel": 3, "groups": 4}, "weight"),
    "by a table": ("conv", {"filters": 4, "kernel": 3, "table": TABLE}, "weight"),
    "depthwise": ("depthwise_conv", {"kernel": 3}, "weight"),
    "depthwise twice": ("depthwise_conv", {"kernel": 2, "multiplier": 2}, "weight"),
    "separable, depthwise": (
        "separable_conv",
        {"filters": 5, "kernel": 3, "multiplier": 2},
        "depthwise.weight",
    ),
    "separable, pointwise": (
        "separable_conv",
        {"filters": 5, "kernel": 3, "multiplier": 2},
        "pointwise.weight",
    ),
    "transposed": ("conv_transpose", {"filters": 6, "kernel": 3}, "weight"),
    "transposed, grouped": ("conv_transpose", {"filters": 6, "kernel": 3, "groups": 2}, "weight"),
    "dense": ("dense", {"units": 7}, "weight"),
    "rbf": ("rbf", {"units": 7}, "weight"),
    "scale": ("scale", {}, "weight"),
    "prelu": ("prelu", {}, "weight"),
    "l2_norm": ("l2_norm", {}, "weight"),
}
CHANNELS = 4
SIZES = {1: (13,), 2: (9, 9), 3: (7, 7, 7)}
ROWS = [(name, rank) for name in KERNELS for rank in SIZES]


def layer(name: str, rank: int, channels: int = CHANNELS, **more: Any) -> Graph:
    keyword, fields, _ = KERNELS[name]
    sketch = Sketch(x=(channels, *SIZES[rank]))
    sketch.add("layer", OPS[keyword].model_validate(fields | more))
    return sketch.graph()


def weight_of(graph: Graph, name: str) -> Weight:
    return next(each for each in graph.weights if each.name == f"layer.{KERNELS[name][2]}")


def connected(name: str, rank: int) -> Graph:
    """A layer whose connections are exactly those of the weight: of a separable layer the half that has it."""
    if name == "separable, depthwise":
        fields: dict[str, object] = {"kernel": 3, "multiplier": 2}
        sketch = Sketch(x=(CHANNELS, *SIZES[rank]))
        sketch.add("layer", OPS["depthwise_conv"].model_validate(fields))
        return sketch.graph()
    if name == "separable, pointwise":
        sketch = Sketch(x=(2 * CHANNELS, *SIZES[rank]))
        sketch.add("layer", OPS["conv"].model_validate({"filters": 5, "kernel": 1}))
        return sketch.graph()
    if name == "l2_norm":  # its scale, without what the length of the channels does
        sketch = Sketch(x=(CHANNELS, *SIZES[rank]))
        sketch.add("layer", OPS["scale"]())
        return sketch.graph()
    return layer(name, rank)


def counted(graph: Graph) -> tuple[Fraction, Fraction]:
    """Connections to an output, and from an input, in the middle of the map; the average over channels."""
    shape = graph.inputs[0].type.shape
    weights: dict[str, NDArray[np.generic]] = {each.name: np.full(each.shape, 0.5) for each in graph.weights}
    batch = np.ones((prod(shape) + 1, *shape)) * -1
    batch[1:].reshape(prod(shape), -1)[np.diag_indices(prod(shape))] -= 1
    outputs = np.asarray(forward(graph, weights, {"x": batch}, training=False)["layer"], "float64")
    moved = np.abs(outputs[1:] - outputs[0]) > 1e-9
    rank = len(shape) - 1
    moved = moved.reshape(*shape, *moved.shape[1:])
    ins = moved[(..., *(each // 2 for each in moved.shape[rank + 2 :]))]
    outs = moved[(slice(None), *(each // 2 for each in shape[1:]))]
    return Fraction(int(ins.sum()), ins.shape[-1]), Fraction(int(outs.sum()), shape[0])


@pytest.mark.parametrize(("name", "rank"), ROWS)
def test_fans_count_connections(name: str, rank: int) -> None:
    assert fans(weight_of(layer(name, rank), name)) == counted(connected(name, rank))


def test_a_depthwise_kernel_and_its_twins_start_alike() -> None:
    grouped = weight_of(layer("grouped apart", 2), "grouped apart")
    assert fans(grouped) == fans(weight_of(layer("depthwise", 2), "depthwise")) == (9, 9)
    apart = layer("by a table", 2, table=[[0], [1], [2], [3]])
    assert fans(weight_of(apart, "by a table")) == (9, 9)


VARIANCES: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}
WIDE: dict[str, dict[str, Any]] = {
    "conv": {"filters": 48},
    "dilated": {"filters": 48},
    "grouped": {"filters": 192, "groups": 6},
    "grouped apart": {"filters": 192, "groups": 48},
    "by a table": {"filters": 192, "table": [[each % 48] for each in range(192)]},
    "transposed": {"filters": 48},
    "transposed, grouped": {"filters": 192, "groups": 6},
    "separable, depthwise": {"multiplier": 8},
    "separable, pointwise": {"filters": 48},
    "depthwise": {"multiplier": 8},
    "depthwise twice": {"multiplier": 8},
    "dense": {"units": 192},
    "rbf": {"units": 192},
}
"""Fields that make enough weights to measure how they spread, on 48 channels."""


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("name", WIDE)
def test_every_scaled_initialiser_spreads_by_its_fans(name: str, rank: int) -> None:
    for rule, variance in VARIANCES.items():
        for form in ("uniform", "normal"):
            graph = layer(name, rank, 48, init=f"{rule}_{form}", **WIDE[name])
            weight = weight_of(graph, name)
            expected = sqrt(variance(*map(Fraction, fans(weight))))
            values = drawn(weight, 0)
            assert values.size > 500
            assert values.std() == pytest.approx(expected, rel=0.1), (rule, form)
            if form == "uniform":
                assert 0.97 * sqrt(3) < np.abs(values).max() / expected <= sqrt(3)


@pytest.mark.parametrize("rank", SIZES)
@pytest.mark.parametrize("name", [each for each in WIDE if each not in ("by a table", "dense", "rbf")])
def test_orthogonal_within_each_group(name: str, rank: int) -> None:
    weight = weight_of(layer(name, rank, 12, init="orthogonal"), name)
    rows = weight.shape[0] // weight.groups
    for group in drawn(weight, 0).reshape(weight.groups, rows, -1):
        gram = group @ group.T if rows <= group.shape[1] else group.T @ group
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize("name", ["conv", "grouped", "depthwise", "transposed", "transposed, grouped"])
def test_bilinear_takes_each_channel_to_itself(name: str) -> None:
    fields: dict[str, Any] = {} if name == "depthwise" else {"filters": CHANNELS}
    graph = layer(name, 2, init="bilinear", **fields)
    batch = np.zeros((CHANNELS, CHANNELS, 9, 9))
    batch[range(CHANNELS), range(CHANNELS), 4, 4] = 1
    result = np.asarray(
        forward(graph, initialise(graph, 0, "float64"), {"x": batch}, training=False)["layer"]
    )
    there = result.reshape(CHANNELS, CHANNELS, -1).sum(-1)
    assert (np.diag(there) > 0).all()
    np.testing.assert_array_equal(there, np.diag(np.diag(there)))


@pytest.mark.parametrize("kind", ["orthogonal", "bilinear"])
def test_a_table_has_no_whole_matrix(kind: str) -> None:
    with pytest.raises(Misfit, match=f"`init: {kind}` needs all connections"):
        layer("by a table", 2, init=kind)


PAIRS = """
input: [64, 16, 16]
blocks:
  pair:
    layers:
      - depthwise_conv: {kernel: 3, padding: same, activation: relu, init: INIT}
      - conv: {filters: 64, kernel: 1, activation: relu, init: INIT}
layers:
  - pair:
    repeat: 6
"""


@pytest.mark.parametrize(("init", "least"), [("glorot_uniform", 2**-6 / 4), ("he_normal", 0.25)])
def test_depthwise_pairs_pass_a_signal_on(init: str, least: float) -> None:
    """Twelve rectifiers halve the variance each; He's rule makes up for that, Glorot's does not."""
    graph = graph_of("netspec: 1\nname: pairs\n" + PAIRS.lstrip("\n").replace("INIT", init))
    batch = np.random.default_rng(0).standard_normal((2, 64, 16, 16))
    values = forward(graph, initialise(graph, 0, "float64"), {"input": batch}, training=False)
    assert np.asarray(values[graph.outputs[0].value], "float64").std() > least


# What the frameworks' own functions make of the kernels of the layers that our words stand for.

LAYERS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "conv: {filters: 16, kernel: 3}": lambda nn, layers: (nn.Conv2d(8, 16, 3), layers.Conv2D(16, 3)),
    "conv: {filters: 16, kernel: 3, groups: 4}": lambda nn, layers: (
        nn.Conv2d(8, 16, 3, groups=4),
        layers.Conv2D(16, 3, groups=4),
    ),
    "depthwise_conv: {kernel: 3, multiplier: 2}": lambda nn, layers: (
        nn.Conv2d(8, 16, 3, groups=8),
        layers.DepthwiseConv2D(3, depth_multiplier=2),
    ),
    "conv_transpose: {filters: 16, kernel: 3}": lambda nn, layers: (
        nn.ConvTranspose2d(8, 16, 3),
        layers.Conv2DTranspose(16, 3),
    ),
    "conv_transpose: {filters: 16, kernel: 3, groups: 4}": lambda nn, layers: (
        nn.ConvTranspose2d(8, 16, 3, groups=4),
        None,
    ),
    "dense: 16": lambda nn, layers: (nn.Linear(8, 16), layers.Dense(16)),
}


@pytest.mark.parametrize("text", LAYERS)
def test_the_docs_say_where_the_frameworks_differ(text: str) -> None:
    torch = pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    compute_fans = pytest.importorskip("keras.src.initializers.random_initializers").compute_fans
    in_torch, in_keras = LAYERS[text](torch.nn, keras.layers)
    keyword, _, fields = text.partition(": ")
    sizes = () if keyword == "dense" else (9, 9)
    shape = [8, *sizes]
    graph = graph_of(f"netspec: 1\nname: one\ninput: {shape}\nlayers:\n  - {keyword}: {fields}\n")
    cells = ["{}, {}".format(*fans(next(iter(graph.weights))))]
    cells.append("{}, {}".format(*torch.nn.init._calculate_fan_in_and_fan_out(in_torch.weight)))
    if in_keras is not None:
        in_keras.build((None, *sizes, 8))
        cells.append("{}, {}".format(*compute_fans(tuple(in_keras.weights[0].shape))))
    else:
        cells.append("not there")
    assert f"| `{text}` | {' | '.join(cells)} |" in DOCS.read_text(encoding="utf-8")


THEIRS: dict[str, tuple[str | None, str]] = {
    "glorot_uniform": ("xavier_uniform_", "GlorotUniform"),
    "glorot_normal": ("xavier_normal_", "GlorotNormal"),
    "he_uniform": ("kaiming_uniform_", "HeUniform"),
    "he_normal": ("kaiming_normal_", "HeNormal"),
    "lecun_uniform": (None, "LecunUniform"),
    "lecun_normal": (None, "LecunNormal"),
}
"""The names of our initialisers in torch.nn.init and keras.initializers."""


@pytest.mark.parametrize("kind", THEIRS)
def test_where_fans_agree_the_frameworks_draw_alike(kind: str) -> None:
    """PyTorch's and Keras' own initialisers on a kernel from 32 to 64 channels: the same spread, the same bounds."""
    torch = pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    ours = drawn(weight_of(layer("conv", 2, 32, filters=64, init=kind), "conv"), 0)
    in_torch, in_keras = THEIRS[kind]
    samples = [np.asarray(getattr(keras.initializers, in_keras)(seed=0)((3, 3, 32, 64)))]
    if in_torch is not None:
        torch.manual_seed(0)
        relu = {"nonlinearity": "relu"} if kind.startswith("he") else {}
        samples.append(getattr(torch.nn.init, in_torch)(torch.empty(64, 32, 3, 3), **relu).numpy())
    for theirs in samples:
        assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
        if kind.endswith("uniform"):
            assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)
