"""Recurrent layers against layers that nobody here wrote, and against the equations of texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import Learns, Unsupported, backend, native_names
from netspec.graph import Graph
from netspec.ops import OPS
from netspec.passes.still import still
from netspec.proof.comparison import compare
from netspec.weights import WeightsError, load
from netspec_numpy import forward
from tests.backends.test_suite import Found, farthest, run, sample
from tests.building import Sketch
from tests.cases import Case, recurrent_rows
from tests.having import ORACLE, ready
from tests.language.author import graph_of

torch = pytest.importorskip("torch")
needs_keras = pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")

Values = NDArray[np.float64]
FORWARD, GRADIENTS, STEPS = 1e-12, 1e-11, 1e-9
N, CHANNELS, LENGTH, UNITS = 3, 4, 6, 5
LENGTHS = np.array([6, 2, 4])

NATIVE = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def network(keyword: str, lengths: bool = False, **fields: Any) -> Graph:
    """One layer, whose output and last states are outputs of the network."""
    sketch = Sketch("a", x=(CHANNELS, LENGTH))
    values = ["x"]
    if lengths:
        values.append(sketch.words("lengths", (), LENGTH + 1))
    sketch.add("layer", OPS[keyword].model_validate({"units": UNITS, **fields}), *values)
    ports = ("state", "cell") if keyword == "lstm" else ("state",)
    return sketch.graph(output="layer", **{port: f"layer.{port}" for port in ports})


def drawn(graph: Graph, seed: int = 0) -> tuple[dict[str, Values], dict[str, Values]]:
    """Weights and inputs."""
    draw = np.random.default_rng(seed)
    weights = {each.name: draw.standard_normal(each.shape) / 2 for each in graph.weights}
    inputs: dict[str, Any] = {"x": draw.standard_normal((N, CHANNELS, LENGTH)), "lengths": LENGTHS}
    return weights, {each.name: inputs[each.name] for each in graph.inputs}


def hold(found: Mapping[str, Any], wanted: Mapping[str, Any], tolerance: float = FORWARD) -> None:
    far, where = farthest(found, wanted)
    assert far <= tolerance, (where, far)


def generated(graph: Graph, weights: Mapping[str, Values], inputs: Mapping[str, Values]) -> dict[str, Values]:
    """What generated PyTorch gives."""
    model = backend("torch").build(graph, weights, "float64", "cpu")  # type: ignore[attr-defined]
    with torch.no_grad():
        given = model(*(torch.as_tensor(inputs[each.name]) for each in graph.inputs))
    return {name: value.numpy() for name, value in given.items()}


# Layers of PyTorch's


def carried(graph: Graph, weights: Mapping[str, Values], native: Any) -> None:
    """Put our weights into a layer of PyTorch's: its two biases of a gate add up to ours."""
    state = {}
    for key, tensor in native.state_dict().items():
        name = f"layer.{key}"
        first = f"layer.{key.replace('bias_hh', 'bias_ih')}"
        if name in weights and not (
            key.startswith("bias") and f"layer.{key.replace('_ih', '_hh')}" not in weights
        ):
            state[key] = torch.as_tensor(weights[name])
        else:  # 0.3 and 0.7 of the one bias
            state[key] = torch.as_tensor(weights[first] * (0.7 if "bias_hh" in key else 0.3))
        assert state[key].shape == tensor.shape
    native.load_state_dict(state)


@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize("both", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize(
    ("keyword", "more", "own"),
    [
        ("lstm", {}, {}),
        ("lstm", {"projection": 2}, {"proj_size": 2}),
        ("gru", {}, {}),
        ("rnn", {}, {}),
        ("rnn", {"activation": "relu"}, {"nonlinearity": "relu"}),
    ],
)
def test_layers_of_pytorch(
    keyword: str, more: dict[str, Any], own: dict[str, Any], both: bool, packed: bool
) -> None:
    fields = {**more, "layers": 2, "direction": "both" if both else "forward"}
    graph = network(keyword, lengths=packed, **fields)
    weights, inputs = drawn(graph)
    native = NATIVE[keyword](CHANNELS, UNITS, 2, bidirectional=both, batch_first=True, **own).double()
    carried(graph, weights, native)
    x: Any = torch.as_tensor(inputs["x"]).transpose(1, 2)
    if packed:
        x = torch.nn.utils.rnn.pack_padded_sequence(x, torch.as_tensor(LENGTHS), True, enforce_sorted=False)
    with torch.no_grad():
        y, last = native(x)
    if packed:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, True, total_length=LENGTH)
    ends = last if keyword == "lstm" else (last,)
    wanted = {
        "layer": y.transpose(1, 2).numpy(),
        **{
            f"layer.{name}": each.transpose(0, 1).flatten(1).numpy()
            for name, each in zip(("state", "cell"), ends, strict=False)
        },
    }
    outputs = {each.name: wanted[each.value] for each in graph.outputs}
    hold(generated(graph, weights, inputs), outputs)
    hold({"layer": forward(graph, weights, inputs)["layer"]}, {"layer": wanted["layer"]})


# Layers of Keras'


def in_keras(keyword: str, weights: Mapping[str, Values], suffix: str, reset: str) -> list[Values]:
    """The weights of one direction as a layer of Keras' has them."""
    kernel, recurrent, *biases = (
        weights[f"layer.{name}_l0{suffix}"]
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        if f"layer.{name}_l0{suffix}" in weights
    )
    found = [kernel, recurrent, *biases]
    if keyword == "gru":  # from r, z, n to z, r, n
        found = [np.concatenate([each[UNITS : 2 * UNITS], each[:UNITS], each[2 * UNITS :]]) for each in found]
    kernel, recurrent, *biases = found
    return [kernel.T, recurrent.T, np.stack(biases) if reset == "after" and keyword == "gru" else biases[0]]


@needs_keras
@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize(
    ("keyword", "more", "own", "merge"),
    [
        *(("lstm", {}, {}, merge) for merge in ("", "concat", "sum", "average", "multiply")),
        *(("gru", {"reset": "after"}, {"reset_after": True}, merge) for merge in ("", "concat")),
        *(("gru", {"reset": "before"}, {"reset_after": False}, merge) for merge in ("", "concat")),
        *(("rnn", {"activation": "sigmoid"}, {"activation": "sigmoid"}, merge) for merge in ("", "concat")),
    ],
)
def test_layers_of_keras(
    keyword: str, more: dict[str, Any], own: dict[str, Any], merge: str, masked: bool
) -> None:
    import keras

    both = {"direction": "both", "merge": merge} if merge else {}
    graph = network(keyword, lengths=masked, **more, **both)
    weights, inputs = drawn(graph)
    cls = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}[keyword]
    layer: Any = cls(UNITS, return_sequences=True, dtype="float64", **own)
    if merge:
        words = {"concat": "concat", "sum": "sum", "average": "ave", "multiply": "mul"}
        layer = keras.layers.Bidirectional(layer, merge_mode=words[merge], dtype="float64")
    x = np.moveaxis(inputs["x"], 1, -1)
    mask = np.arange(LENGTH) < LENGTHS[:, None] if masked else None
    layer.build(x.shape)
    reset = more.get("reset", "")
    layer.set_weights([
        array for suffix in ("", "_reverse")[: 1 + bool(merge)] for array in in_keras(keyword, weights, suffix, reset)
    ])  # fmt: skip
    y = np.asarray(layer(keras.ops.convert_to_tensor(x, "float64"), mask=mask))
    if mask is not None:  # Keras repeats the last output beyond the length, where we have 0
        y = y * mask[:, :, None]
    wanted = {"layer": np.moveaxis(y, -1, 1)}
    hold({"layer": forward(graph, weights, inputs)["layer"]}, wanted)
    hold({"layer": backend("keras").trial(graph, weights).forward(inputs)["layer"]}, wanted)  # type: ignore[attr-defined]


# What a text says


def sigmoid(x: Values) -> Values:
    return 1 / (1 + np.exp(-x))


def test_the_unit_of_a_thesis_has_the_other_sign_of_z() -> None:
    """There h = (1 − z) · h + z · n, the reset before the product: our z is 1 − z, so its weights are negated."""
    graph = network("gru", reset="before")
    weights, inputs = drawn(graph)
    w, u, b = (np.split(weights[f"layer.{name}_l0"], 3) for name in ("weight_ih", "weight_hh", "bias_ih"))
    h = np.zeros((N, UNITS))
    outputs = []
    for x in np.moveaxis(inputs["x"], 2, 0):
        r = sigmoid(x @ w[0].T + h @ u[0].T + b[0])
        z = sigmoid(-(x @ w[1].T + h @ u[1].T + b[1]))
        n = np.tanh(x @ w[2].T + (r * h) @ u[2].T + b[2])
        h = (1 - z) * h + z * n
        outputs.append(h)
    wanted = {"layer": np.stack(outputs, axis=2)}
    hold({"layer": forward(graph, weights, inputs)["layer"]}, wanted, 1e-14)
    found = generated(graph, weights, inputs)
    hold({"layer": found["output"]}, wanted)


def test_padding_leaves_everything_alone() -> None:
    """A sample of 2 steps gives what a sequence of these 2 steps gives, in each direction; beyond them it gives 0."""
    graph = network("lstm", lengths=True, direction="both", peepholes=True)
    weights, inputs = drawn(graph)
    found = forward(graph, weights, inputs)["layer"][1]
    sketch = Sketch("a", x=(CHANNELS, 2))
    sketch.add("layer", OPS["lstm"].model_validate({"units": UNITS, "direction": "both", "peepholes": True}))
    short = forward(sketch.graph(), weights, {"x": inputs["x"][1:2, :, :2]})["layer"][0]
    np.testing.assert_allclose(found[:, :2], short, atol=1e-14)
    assert not found[:, 2:].any()


# Dropout


def test_variational_dropout_is_one_mask_for_all_steps() -> None:
    """A layer that only doubles its state: what a mask lets through is doubled at all steps, and the rest is 0."""
    sketch = Sketch("a", x=(1, LENGTH), first=(64,))
    op = OPS["rnn"].model_validate({"units": 64, "activation": "relu", "variational": True, "dropout": 0.5})
    sketch.add("layer", op, "x", "first")
    graph = sketch.graph()
    weights = {each.name: np.zeros(each.shape, "float32") for each in graph.weights}
    weights["layer.weight_hh_l0"] = np.eye(64, dtype="float32")
    model = backend("torch").build(graph, weights, device="cpu").train()  # type: ignore[attr-defined]
    torch.manual_seed(0)
    y = model(torch.zeros(N, 1, LENGTH), torch.ones(N, 64)).detach().numpy()
    kept = y[:, :, 0] > 0
    assert 0.3 < kept.mean() < 0.7
    np.testing.assert_array_equal(y, np.where(kept[..., None], 2.0 ** np.arange(1, LENGTH + 1), 0))
    assert not np.array_equal(kept[0], kept[1])
    np.testing.assert_array_equal(model.eval()(torch.zeros(N, 1, LENGTH), torch.ones(N, 64)).detach(), 1)


@needs_keras
@pytest.mark.slow
@pytest.mark.parametrize("keyword", ["rnn", "gru", "lstm"])
def test_variational_dropout_in_keras(keyword: str) -> None:
    """What is dropped is drawn in training only, and is not the same for all samples."""
    graph = network(keyword, variational=True, dropout=0.5, layers=2)
    weights, inputs = drawn(graph)
    model = backend("keras").build(graph, weights, "float64")  # type: ignore[attr-defined]
    x = np.repeat(np.moveaxis(inputs["x"], 1, -1)[:1], 2, axis=0)
    still_, noisy = (np.asarray(model(x, training=training)["output"]) for training in (False, True))
    np.testing.assert_allclose(still_[0], still_[1], atol=1e-14)
    assert np.abs(noisy[0] - noisy[1]).max() > 0.01


# In networks

NETWORKS = {
    "shared": """
input: [3, 6]
layers:
  - lstm: {units: 3, direction: both, merge: sum}
    name: a
  - lstm: {units: 3, direction: both, merge: sum}
    share: a
  - gru: {units: 3, return: last}
    trainable: false
""",
    "states": """
inputs: {x: [3, 6], n: {shape: [], vocabulary: 7}}
layers:
  - lstm: 4
    from: [x, n]
    name: a
  - lstm: 4
    from: [x, a.state, a.cell]
    name: b
  - lstm: 4
    from: [x, b.state, b.cell]
    name: c
    share: b
""",
    "returns": """
inputs: {x: [3, 6], n: {shape: [], vocabulary: 7}}
layers:
  - lstm: 4
    from: x
    name: a
  - lstm: {units: 4, return: last}
    from: x
    name: b
    share: a
  - lstm: {units: 4, return: state}
    from: [x, n]
    name: c
    share: a
  - lstm: {units: 4, return: last}
    from: [x, b.state, b.cell]
    name: d
    share: a
  - concat:
    from: [b, c, c.state, d]
heads:
  steps: {from: a, layers: [identity]}
""",
    "ways": """
params: {ways: [forward, backward]}
inputs: {x: [3, 6], n: {shape: [], vocabulary: 7}}
layers:
  - lstm: {units: 4, layers: 2}
    from: [x, n]
    name: a
  - lstm: {units: 4, layers: 2, direction: backward}
    from: [x, n]
    name: b
    share: a
  - lstm: {units: 4, layers: 2, direction: backward, return: last}
    from: x
    name: c
    share: a
  - concat:
    from: [c, b.cell]
  - gru: {units: 4, direction: backward}
    from: b
    name: g
  - gru: {units: 4, direction: "${ways[index]}"}
    name: turns
    repeat: 2
    share: g
heads: {steps: a, cells: concat1}
""",
    "axes": """
input: [4, 4, 5]
layers:
  - gru: {units: 2, axis: height, direction: both, merge: multiply}
    name: a
  - gru: {units: 2, axis: width, direction: both, merge: average}
    from: input
    name: b
    share: a
  - gru: {units: 2, axis: width, direction: both, return: last}
    from: input
    share: a
  - conv_gru: {filters: 4, kernel: 3, padding: same}
    from: input
    name: d
  - conv_gru: {filters: 4, kernel: 3, padding: same, axis: width, direction: backward}
    from: input
    name: e
    share: d
  - conv_lstm: {filters: 2, kernel: 2, padding: same, direction: both, merge: sum}
    from: input
    name: f
  - conv_lstm: {filters: 2, kernel: 2, padding: same, axis: width, direction: both, merge: multiply, return: last}
    from: input
    name: g
    share: f
  - concat:
    from: [a, b, d, e, f]
heads: {last: gru3, column: g}
""",
    "sweeps": """
input: [3, 6, 5]
blocks:
  renet:
    params: {units: }
    layers:
      - gru: {units: $units, axis: height, direction: both}
      - gru: {units: $units, axis: width, direction: both}
layers:
  - renet: 4
  - renet: 6
  - lstm: {units: 4, axis: width, return: last}
  - rnn: {units: 5, return: last, activation: relu}
""",
    "repeated": """
input: [4, 6]
layers:
  - gru: 4
    repeat: 3
  - lstm: {units: 4, init: he_normal}
  - lstm: {units: 4, layers: 2, forget_bias: 0}
""",
}


def written(name: str) -> Graph:
    return graph_of(f"netspec: 1\nname: {name}{NETWORKS[name]}")


@needs_keras
def test_a_layer_that_is_shared_gives_all_that_one_of_its_uses_needs() -> None:
    graph = written("states")
    text = backend("keras").source(graph).text  # type: ignore[attr-defined]
    assert "_, b_state, b_cell = shared_b([x, a_state, a_cell])" in text
    assert "c, _, _ = shared_b([x, b_state, b_cell])" in text
    assert "self.c.weight_hh_l0 = self.b.weight_hh_l0" in backend("torch").source(graph).text  # type: ignore[attr-defined]


@needs_keras
def test_layers_that_share_can_return_what_they_like() -> None:
    text = backend("keras").source(written("returns")).text  # type: ignore[attr-defined]
    assert "a, _, _, _, _ = shared_a(x)" in text
    assert "_, b, _, b_state, cell = shared_a(x)" in text
    assert "_, _, c, c_state, _ = shared_a([x, n])" in text


@needs_keras
def test_layers_that_share_state_in_each_call_how_they_run() -> None:
    text = backend("keras").source(written("ways")).text  # type: ignore[attr-defined]
    assert re.findall(r"shared_a\(([^)]*)\)", text) == [
        '[x, n], direction="forward"',
        '[x, n], direction="backward"',
        'x, direction="backward"',
    ]
    text = backend("keras").source(written("axes")).text  # type: ignore[attr-defined]
    assert re.findall(r"shared_[af]\(([^)]*)\)", text) == [
        'inputs, axis=1, merge="multiply"',
        'inputs, axis=2, merge="average"',
        'inputs, axis=2, merge="concat"',
        'inputs, axis=1, merge="sum"',
        'inputs, axis=2, merge="multiply"',
    ]


@needs_keras
def test_layers_that_share_cannot_have_other_steps_in_keras() -> None:
    items = "  - rnn: 3\n    name: a\n  - rnn: {units: 3, activation: relu}\n    share: a\n"
    graph = graph_of(f"netspec: 1\nname: a\ninput: [3, 6]\nlayers:\n{items}")
    with pytest.raises(Unsupported, match="differ in more than `axis`, `direction`, `merge` and `return`"):
        backend("keras").source(graph)  # type: ignore[attr-defined]


def test_each_sweep_over_another_axis_moves_the_axes_once() -> None:
    text = backend("torch").source(written("sweeps")).text  # type: ignore[attr-defined]
    network = text[text.index("class Renet") :]
    assert "self.gru1 = GRU(in_channels, units, bidirectional=True)" in network
    body, calls = network.split("class Sweeps")
    assert "It takes (N, width, height, channels) and gives (N, height, width, channels)." in body
    assert re.findall(r"transpose|movedim|permute", body) == ["transpose"]
    # The blocks sweep height, width, height, width, and the last two layers width and height.
    assert len(re.findall(r"transpose|movedim|permute", calls)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    names = [ORACLE, *ready(Learns, count=2)]
    found = compare(written(name), names, batch=N, steps=2, sizes=(), seed=1)
    assert all(each.max_rel <= FORWARD for each in found.layers)
    assert all(each.max_rel <= GRADIENTS for each in found.gradients)


def test_the_state_of_a_model_comes_back_and_a_second_bias_must_be_zero(tmp_path: Path) -> None:
    files = pytest.importorskip("safetensors.torch")
    graph = network("lstm", layers=2)
    weights, _ = drawn(graph)
    model = backend("torch").build(graph, weights, "float64", "cpu")  # type: ignore[attr-defined]
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    files.save_file(state, tmp_path / "w.safetensors")
    notes: list[str] = []
    found = load(tmp_path / "w.safetensors", graph, "float64", native_names(graph), notes.append)
    assert all(np.array_equal(found[name], array) for name, array in weights.items())
    assert [note.partition(": ")[2] for note in notes] == ["2 tensors of second biases, all 0, left out"]
    state["layer.bias_hh_l1"] += 1
    files.save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="bias_hh_l1 is not 0: a gate has one bias here"):
        load(tmp_path / "w.safetensors", graph, "float64", native_names(graph), notes.append)


# More rows, and steps

CHOSEN = [
    case for number, case in enumerate(recurrent_rows()) if case.slow and number % 7 == (number // 7 + 3) % 7
]
"""Another way to run each cell than the one that the suite of all backends has. There are seven ways."""


@pytest.mark.slow
@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_every_cell_in_every_way(case: Case) -> None:
    first, *others = ready(Learns, count=2)
    found = Found(sample(case.graph(learning=True)))
    judge: Any = backend(ORACLE)
    trial = judge.trial(found.sample.graph, found.sample.weights)
    found.wanted = {N: trial.forward(found.sample.inputs(N))}
    for name in (first, *others):
        run(found, backend(name))  # type: ignore[arg-type]
    for name in others:
        far, where = farthest(found.gradients[first], found.gradients[name])
        found.check("gradients", far, where, GRADIENTS)
    assert not found.wrong


STEPPED: dict[str, dict[str, Any]] = {
    "lstm": {"direction": "both", "layers": 2},
    "gru": {"direction": "both"},
    "rnn": {"activation": "relu"},
}


@pytest.mark.slow
@pytest.mark.parametrize("keyword", STEPPED)
def test_twenty_steps(keyword: str) -> None:
    graph = still(network(keyword, **STEPPED[keyword]))
    found = compare(graph, ready(Learns, count=2), batch=N, steps=20, sizes=(), seed=1)
    assert all(each.max_rel <= GRADIENTS for each in found.gradients)
    assert all(each.max_rel <= STEPS for steps in found.steps for each in steps.found)
