"""Convolutional recurrent layers against those of Keras, and against `lstm` and `gru` where they mean the same."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.api import compile as compile_
from netspec.backend import Learns, backend
from netspec.graph import Graph
from netspec.loading import load
from netspec.ops import OPS
from netspec.ops.reshape import Identity
from netspec.passes.still import still
from netspec.proof.comparison import compare
from netspec_numpy import forward
from tests.backends.test_recurrence import GRADIENTS, STEPS, hold
from tests.building import Sketch
from tests.having import ORACLE, ready

needs_keras = pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")

Values = NDArray[np.float64]
N, CHANNELS, FRAMES, FILTERS = 2, 3, 4, 5
SIZES = (9, 6)


def network(keyword: str, rank: int = 2, starts: int = 0, **fields: Any) -> Graph:
    """One layer, whose output and last states are outputs of the network."""
    inputs = {f"s{number}": (FILTERS, *SIZES[:rank]) for number in range(starts)}
    sketch = Sketch("a", x=(CHANNELS, FRAMES, *SIZES[:rank]), **inputs)
    settings = {("units" if keyword in ("lstm", "gru") else "filters"): FILTERS, **fields}
    sketch.add("layer", OPS[keyword].model_validate(settings), "x", *inputs)
    ports = ("state", "cell") if "lstm" in keyword else ("state",)
    ends = {port: sketch.add(f"last_{port}", Identity(), f"layer.{port}") for port in ports}
    return sketch.graph(output="layer", **ends)


def drawn(graph: Graph) -> tuple[dict[str, Values], dict[str, Values]]:
    """Weights and inputs."""
    draw = np.random.default_rng(0)
    weights = {each.name: draw.standard_normal(each.shape) / 3 for each in graph.weights}
    return weights, {each.name: draw.standard_normal((N, *each.type.shape)) for each in graph.inputs}


def run(graph: Graph, name: str, weights: dict[str, Values], inputs: dict[str, Values]) -> dict[str, Values]:
    """What generated code gives: output and states."""
    trial: Any = backend(name).trial(graph, weights)  # type: ignore[attr-defined]
    found = trial.forward(inputs)
    return {each.name: found[each.value] for each in graph.outputs}


WAYS: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "same": (2, {"kernel": 3, "padding": "same"}, {"kernel_size": 3, "padding": "same"}),
    "sequence": (1, {"kernel": 2}, {"kernel_size": 2}),
    "strided": (
        2,
        {"kernel": [3, 2], "stride": 2, "padding": "same"},
        {"kernel_size": (3, 2), "strides": 2, "padding": "same"},
    ),
    "dilated": (2, {"kernel": 2, "dilation": [3, 1]}, {"kernel_size": 2, "dilation_rate": (3, 1)}),
    "words": (
        1,
        {"kernel": 3, "activation": "relu", "recurrent_activation": "hard_sigmoid", "bias": False},
        {"kernel_size": 3, "activation": "relu", "recurrent_activation": "hard_sigmoid", "use_bias": False},
    ),
}


@needs_keras
@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "way"),
    [*((name, way) for name in WAYS for way in ("forward", "backward", "both")), ("same", "started")],
)
def test_layers_of_keras(name: str, way: str) -> None:
    import keras

    rank, fields, own = WAYS[name]
    more = {} if way in ("forward", "started") else {"direction": way}
    graph = network("conv_lstm", rank, 2 if way == "started" else 0, **fields, **more)
    weights, inputs = drawn(graph)
    cls = keras.layers.ConvLSTM1D if rank == 1 else keras.layers.ConvLSTM2D
    layer: Any = cls(
        FILTERS, return_sequences=True, return_state=True, go_backwards=way == "backward", dtype="float64", **own
    )  # fmt: skip
    if way == "both":
        layer = keras.layers.Bidirectional(layer, dtype="float64")
    x, *starts = (np.moveaxis(each, 1, -1) for each in inputs.values())
    layer.build(x.shape)
    layer.set_weights([
        each if each.ndim == 1 else np.moveaxis(each, (0, 1), (-1, -2))
        for suffix in ("", "_reverse")[: 1 + (way == "both")]
        for each in (weights.get(f"layer.{part}_l0{suffix}") for part in ("weight_ih", "weight_hh", "bias_ih"))
        if each is not None
    ])  # fmt: skip
    as_tensors = [keras.ops.convert_to_tensor(each, "float64") for each in (x, *starts)]
    y, *states = layer(as_tensors[0], initial_state=as_tensors[1:] or None)
    found = [np.moveaxis(np.asarray(each), -1, 1) for each in (y, *states)]
    if way == "backward":
        found[0] = found[0][:, :, ::-1]
    if way == "both":  # the states of one direction, then those of the other
        found[1:] = [np.concatenate([found[at], found[at + 2]], axis=1) for at in (1, 2)]
    wanted = dict(zip(("output", "state", "cell"), found, strict=True))
    for engine in (ORACLE, *ready(Learns)):
        hold(run(graph, engine, weights, inputs), wanted)


@pytest.mark.parametrize(
    ("keyword", "fields"),
    [
        ("lstm", {"direction": "both", "merge": "multiply"}),
        ("lstm", {"peepholes": True, "direction": "backward"}),
        ("gru", {"reset": "before"}),
        ("gru", {"reset": "after", "direction": "both", "return": "last"}),
    ],
)
def test_kernels_of_one_position_are_units_at_each_position(keyword: str, fields: dict[str, Any]) -> None:
    ours = network(f"conv_{keyword}", kernel=1, **fields)
    plain = network(keyword, axis="depth", **fields)
    weights, inputs = drawn(plain)
    maps = {
        name: np.broadcast_to(each[:, None, None], (len(each), *SIZES))
        if "weight_ch" in name
        else each.reshape(*each.shape, 1, 1)
        if "weight" in name
        else each
        for name, each in weights.items()
    }
    hold(run(ours, ORACLE, maps, inputs), run(plain, ORACLE, weights, inputs), 1e-14)


def test_peepholes_are_added_times_the_cell() -> None:
    """One position, one frame: the equations of Shi et al. with numbers."""
    sketch = Sketch("a", x=(1, 1, 1, 1), h=(1, 1, 1), c=(1, 1, 1))
    op = OPS["conv_lstm"].model_validate({"filters": 1, "kernel": 1, "peepholes": True})
    sketch.add("layer", op, "x", "h", "c")
    wx, wh, wc, b = (
        np.array(each)
        for each in ([1.0, 2, 3, 4], [0.5, 0.25, -1, 2], [0.3, -0.7, 0.9], [0.1, 0.2, 0.3, 0.4])
    )
    x, h, c = 0.7, -0.4, 0.6

    def sigmoid(a: float) -> float:
        return float(1 / (1 + np.exp(-a)))

    i = sigmoid(wx[0] * x + wh[0] * h + b[0] + wc[0] * c)
    f = sigmoid(wx[1] * x + wh[1] * h + b[1] + wc[1] * c)
    new = f * c + i * np.tanh(wx[2] * x + wh[2] * h + b[2])
    o = sigmoid(wx[3] * x + wh[3] * h + b[3] + wc[2] * new)
    weights = {"weight_ih": wx, "weight_hh": wh, "weight_ch": wc, "bias_ih": b}
    graph = sketch.graph()
    held = {each.name: weights[each.name.split(".")[1][:-3]].reshape(each.shape) for each in graph.weights}
    inputs = {name: np.full((1, *shape), value) for name, shape, value in
              (("x", (1, 1, 1, 1), x), ("h", (1, 1, 1), h), ("c", (1, 1, 1), c))}  # fmt: skip
    np.testing.assert_allclose(forward(graph, held, inputs)["layer"].item(), o * np.tanh(new), rtol=1e-14)


def test_the_text_of_what_most_networks_use_is_short() -> None:
    graph = load("zoo:video_segmentation")
    in_torch, in_keras = (compile_(graph, name) for name in ("torch", "keras"))
    assert "class ConvLSTM2d(" in in_torch
    assert "ConvRecurrent" not in in_torch
    assert in_torch.count("\n") < 120
    assert "layers.ConvLSTM2D(" in in_keras


STEPPED: dict[str, dict[str, Any]] = {
    "conv_lstm": {"kernel": 3, "padding": "same", "direction": "both"},
    "conv_gru": {"kernel": [3, 2], "stride": 2, "padding": "half"},
}


@pytest.mark.slow
@pytest.mark.parametrize("keyword", STEPPED)
def test_twenty_steps(keyword: str) -> None:
    graph = still(network(keyword, **STEPPED[keyword]))
    found = compare(graph, ready(Learns, count=2), batch=N, steps=20, sizes=(), seed=1)
    assert all(each.max_rel <= GRADIENTS for each in found.gradients)
    assert all(each.max_rel <= STEPS for steps in found.steps for each in steps.found)
