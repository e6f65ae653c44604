"""The Keras backend against the oracle and against PyTorch: every op, every way in which scopes can meet."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import Unsupported
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.lowering.template import WrongFold
from netspec.ops import OPS
from netspec.ops.activation import Elu, LeakyRelu, Relu, Selu
from netspec.ops.base import Op
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.dense import Dense
from netspec.ops.norm import BatchNorm, GroupNorm
from netspec.ops.pool import GlobalAvgPool
from netspec.ops.regularize import GaussianNoise, MaskInput
from netspec.ops.scale import ScaleBy
from netspec.ops.transpose import ConvTranspose
from netspec.passes.still import still
from netspec.proof.comparison import compare
from netspec.recipe.optimizers import Adam, Optimizer, Sgd
from netspec.weights import initialise
from netspec_keras import backend
from netspec_keras.helpers import HELPERS
from netspec_numpy import forward
from tests.building import Sketch
from tests.cases import CASES, Case
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure
from tests.windows import WINDOWED, Window, window

keras = pytest.importorskip("keras")

Values = NDArray[np.float64]
BATCH = 3
FORWARD = 1e-12


@dataclass(frozen=True)
class Sample:
    """A network that draws nothing by lot, with weights, a batch and what it shall give."""

    graph: Graph
    weights: dict[str, Any]
    inputs: dict[str, Values]
    targets: dict[str, Values]


def sample(graph: Graph, dtype: str = "float64", batch: int = BATCH) -> Sample:
    graph = still(graph)
    draw = np.random.default_rng(0)
    drawn = initialise(graph, 1, "float64")
    weights = {
        name: (np.asarray(array, "float64") + 0.3 * draw.random(array.shape)).astype(dtype)
        for name, array in drawn.items()
    }
    inputs: dict[str, Any] = {
        each.name: draw.standard_normal((batch, *each.type.shape)).astype(dtype)
        if each.vocabulary is None
        else draw.integers(0, each.vocabulary, (batch, *each.type.shape))
        for each in graph.inputs
    }
    targets = {
        each.name: draw.standard_normal((batch, *graph.types[each.value].shape)).astype(dtype)
        for each in graph.outputs
    }
    return Sample(graph, weights, inputs, targets)


def farthest(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[float, str]:
    """How far apart two sets of tensors are, and where; of what is small all over, beside the largest of all."""
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert found[name].shape == array.shape, name
        assert np.isfinite(found[name]).all(), name
    floor = 1e-3 * max((np.abs(array).max() for array in wanted.values()), default=0.0)
    return max(
        (
            (float(np.abs(found[name] - array).max()) / max(float(np.abs(array).max()), floor, 1e-300), name)
            for name, array in wanted.items()
        ),
        default=(0.0, ""),
    )


def close(found: Any, wanted: Any, rtol: float, atol: float = 0.0) -> None:
    np.testing.assert_allclose(
        np.asarray(found, "float64"), np.asarray(wanted, "float64"), rtol=rtol, atol=atol
    )


BY_NAME: dict[str, Case] = {case.name: case for case in CASES}


def network(name: str) -> Graph:
    return BY_NAME[name].graph(learning=True) if name in BY_NAME else structure(name)


@pytest.mark.parametrize("keyword", WINDOWED)
@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_random_windows_give_the_oracles_numbers(keyword: str, count: int) -> None:
    fitting = (seed for seed in itertools.count() if window(keyword, seed).op is not None)
    for seed in itertools.islice(fitting, count):
        this = sample(one_layer(window(keyword, seed)))
        outputs = backend().trial(this.graph, this.weights).forward(this.inputs)
        far, _ = farthest(outputs, forward(this.graph, this.weights, this.inputs))
        assert far <= FORWARD, f"window({keyword!r}, {seed}): {this.graph}"


@pytest.mark.parametrize(
    ("keyword", "seed"),
    [("conv", 77), ("conv", 109), ("depthwise_conv", 38), ("separable_conv", 73)],
)
def test_a_window_that_steps_over_positions_is_where_it_should_be(keyword: str, seed: int) -> None:
    this = sample(one_layer(window(keyword, seed)))
    outputs = backend().trial(this.graph, this.weights).forward(this.inputs)
    far, _ = farthest(outputs, forward(this.graph, this.weights, this.inputs))
    assert far <= FORWARD


def test_one_column_of_one_channel_is_right_in_single_precision() -> None:
    sketch = Sketch("column", x=(1, 4, 5, 5))
    sketch.add("layer", Conv(filters=3, kernel=(3, 2, 3), stride=(3, 1, 3)))
    this = sample(sketch.graph(), "float32")
    outputs = backend().trial(this.graph, this.weights, "float32").forward(this.inputs)
    far, _ = farthest(outputs, forward(this.graph, this.weights, this.inputs))
    assert far <= 1e-5


def one_layer(each: Window) -> Graph:
    assert each.op is not None
    sketch = Sketch("window", x=each.input.shape)
    sketch.add("layer", each.op)
    return sketch.graph()


@pytest.mark.parametrize(
    ("keyword", "fields", "derivative"),
    [
        ("relu", {}, 0.0),
        ("leaky_relu", {"slope": 0.25}, 0.25),
        ("relu6", {}, 0.0),
        ("elu", {"alpha": 0.5}, 0.5),
        ("selu", {}, 1.0507009873554805 * 1.6732632423543772),
        ("prelu", {}, 0.375),
        ("abs", {}, 0.0),
        ("square", {}, 0.0),
        ("step", {}, 0.0),
        ("clip", {"min": 0.0}, 1.0),
        ("clip", {"max": 0.0}, 1.0),
        ("clip", {"min": 0.25}, 0.0),
    ],
)
def test_where_an_activation_bends_its_derivative_is_that_of_below(
    keyword: str, fields: dict[str, Any], derivative: float
) -> None:
    sketch = Sketch("bend", x=(2, 3))
    sketch.add("before", Dense(units=2, bias=True))
    sketch.add("layer", OPS[keyword].model_validate(fields))
    graph = sketch.graph()
    zero = {weight.name: np.zeros(weight.shape) for weight in graph.weights}
    weights = {**zero, **({"layer.weight": np.full(2, 0.375)} if keyword == "prelu" else {})}
    inputs, targets = {"x": np.ones((1, 2, 3))}, {"output": -np.ones((1, 2, 3))}
    for each in both():
        found = each.trial(graph, weights).gradients(inputs, targets)["before.bias"]
        np.testing.assert_allclose(found, 3 * derivative, rtol=1e-14, err_msg=each.name)


@pytest.mark.parametrize("keyword", ["maximum", "minimum"])
@pytest.mark.parametrize("count", [2, 3])
def test_branches_that_are_equal_share_the_gradient_of_a_maximum(count: int, keyword: str) -> None:
    sketch = Sketch("tie", x=(2, 3))
    branches = [sketch.add(f"branch{number}", Dense(units=2), "x") for number in range(count)]
    sketch.add("layer", OPS[keyword](), *branches)
    graph = sketch.graph()
    weights = {weight.name: np.full(weight.shape, 0.5) for weight in graph.weights}
    inputs, targets = {"x": np.ones((1, 2, 3))}, {"output": np.zeros((1, 2, 3))}
    for each in both():
        gradients = each.trial(graph, weights).gradients(inputs, targets)
        for branch in branches:
            np.testing.assert_allclose(
                gradients[f"{branch}.bias"], 3 * 1.5 / count, rtol=1e-14, err_msg=each.name
            )


def test_of_equal_values_the_first_has_the_gradient_of_a_pool_to_a_size() -> None:
    sketch = Sketch("tie", x=(2, 7, 6))
    sketch.add("before", OPS["positions"].model_validate({"kind": "learned"}))
    sketch.add("layer", OPS["adaptive_max_pool"].model_validate({"size": [3, 4]}))
    graph = sketch.graph()
    values = np.random.default_rng(4).integers(0, 2, (1, 2, 7, 6)).astype("float64")
    targets = {"output": np.random.default_rng(5).standard_normal((1, 2, 3, 4))}
    weights = {weight.name: np.zeros(weight.shape) for weight in graph.weights}
    keras, torch = (each.trial(graph, weights).gradients({"x": values}, targets) for each in both())
    (name,) = keras
    assert np.count_nonzero(keras[name]) < 24  # windows that share the first of their maxima
    np.testing.assert_allclose(keras[name], torch[name], rtol=1e-14, atol=1e-15)


def both() -> list[Any]:
    return [backend(), pytest.importorskip("netspec_torch").backend()]


def test_noise_is_there_in_training_alone() -> None:
    for op, told in ((MaskInput(rate=0.5), "masked"), (GaussianNoise(std=2.0), "moved")):
        sketch = Sketch(told, x=(8, 50))
        sketch.add("layer", op)
        model = backend().build(sketch.graph(), {})
        x = np.random.default_rng(0).standard_normal((4, 50, 8)).astype("float32")
        np.testing.assert_array_equal(model(x), x)
        y = np.asarray(keras.ops.convert_to_numpy(model(x, training=True)))
        if told == "masked":
            assert 0.4 < np.mean(y == 0) < 0.6
            np.testing.assert_array_equal(y[y != 0], x[y != 0])
        else:
            assert 1.8 < np.std(y - x) < 2.2


def test_a_constant_that_single_precision_cannot_hold_is_kept_in_full() -> None:
    sketch = Sketch("constants", x=(4, 5))
    sketch.add("first", LeakyRelu(slope=0.1))
    sketch.add("scaled", ScaleBy(factor=0.17))
    sketch.add("bent", Elu(alpha=0.3))
    sketch.add("second", Conv(filters=2, kernel=(1,), activation=LeakyRelu(slope=0.3)))
    this = sample(sketch.graph())
    far, _ = farthest(
        backend().trial(this.graph, this.weights).forward(this.inputs),
        forward(this.graph, this.weights, this.inputs),
    )
    assert far <= FORWARD


def test_a_layer_that_is_disturbed_differs_from_there_on() -> None:
    this = sample(structure("residual"))
    plain = backend().trial(this.graph, this.weights).forward(this.inputs)
    moved = backend().trial(this.graph, this.weights, inject=("unit2.0.relu1", 1e-3)).forward(this.inputs)
    differing = [name for name in plain if np.abs(np.subtract(plain[name], moved[name])).max() > 1e-9]
    assert differing[0] == "unit2.0.relu1"
    close(np.subtract(moved["unit2.0.relu1"], plain["unit2.0.relu1"]), 1e-3, rtol=1e-9)


LAID_OUT = (
    "conv_2d_depthwise", "conv_1d_depthwise", "conv_3d_all", "conv_2d_table", "conv_transpose_2d_grouped",
    "conv_transpose_3d_more", "depthwise_conv_2d_same", "separable_conv_1d_all", "separable_conv_3d_plain",
    "dense_0d_plain", "rbf_2d_plain", "prelu_3d_plain", "layer_norm_2d_everything", "scale_1d_plain",
    "l2_norm_2d_plain", "batch_norm_2d_no_center",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_come_out_of_a_model_as_they_went_in(dtype: Any) -> None:
    for name in (*STRUCTURES, *LAID_OUT):
        this = sample(network(name), dtype)
        model = backend().build(this.graph, this.weights, dtype)
        found = backend().weights(model, this.graph)
        assert list(found) == [weight.name for weight in this.graph.weights]
        for key, array in this.weights.items():
            assert found[key].dtype == dtype
            assert found[key].flags["C_CONTIGUOUS"]
            np.testing.assert_array_equal(found[key], array, err_msg=f"{name}: {key}")


@pytest.mark.parametrize(
    "item",
    [
        "lstm: 2",
        "lstm: {units: 2, peepholes: true}",
        "gru: {units: 2, direction: both}",
        "rnn: {units: 2, layers: 2, direction: both}",
    ],
)
def test_a_frozen_recurrent_layer_does_not_learn(item: str) -> None:
    """Keras' layers do not all pass `trainable=False` on to the cells and layers that they hold."""
    graph = graph_of(f"netspec: 1\nname: a\ninput: [3, 4]\nlayers: [{{{item}, trainable: false}}]")
    model = backend().build(graph, initialise(graph), device="cpu")
    assert model.variables
    assert not model.trainable_variables


@pytest.mark.parametrize("op", ["conv_lstm", "conv_gru"])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_a_frozen_convolutional_recurrent_layer_does_not_learn(op: str, direction: str) -> None:
    item = f"{op}: {{filters: 2, kernel: 1, direction: {direction}}}, trainable: false"
    graph = graph_of(f"netspec: 1\nname: a\ninput: [2, 3, 4]\nlayers: [{{{item}}}]")
    model = backend().build(graph, initialise(graph), device="cpu")
    assert model.variables
    assert not model.trainable_variables


def test_a_frozen_layer_along_an_axis_does_not_learn() -> None:
    graph = graph_of(
        "netspec: 1\nname: a\ninput: [2, 3, 4]\nlayers: [{gru: {units: 2, axis: width}, trainable: false}]"
    )
    model = backend().build(graph, initialise(graph), device="cpu")
    assert model.variables
    assert not model.trainable_variables


def _by_output(predicted: Any) -> dict[str, np.ndarray]:
    """The values of every output of a model, whose only output Keras gives without its name."""
    named = predicted if isinstance(predicted, dict) else {"output": predicted}
    return {name: np.asarray(values) for name, values in named.items()}


def _classes(graph: Graph) -> list[str]:
    return re.findall(r"^class (\w+)\(", backend().source(graph).text, re.MULTILINE)


# TensorFlow's variables turn into arrays in a way of which NumPy warns.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.slow
def test_a_saved_model_loads_whatever_layers_its_text_defines(tmp_path: Path) -> None:
    # Helpers for constants that the table does not have: those that single precision cannot hold, a large deviation.
    others = (
        Case("tenth", "leaky_relu", {"slope": 0.1}, ((4,),)),
        Case("tenth", "scale_by", {"factor": 0.1}, ((4,),)),
        Case("linear", "depthwise_conv", {"kernel": 3, "init": "bilinear"}, ((4, 5, 5),)),
        Case("apart", "conv", {"filters": 6, "kernel": 3, "groups": 2, "init": "orthogonal"}, ((4, 5, 5),)),
        Case("loud", "gaussian_noise", {"std": 1.5}, ((4,),)),
    )
    graphs = {name: case.graph() for case in (*CASES, *others) for name in _classes(case.graph())}
    # Only a network with two kinds of recurrent layers has the class that they share.
    graphs["Recurrent"] = graph_of(RECURRENT)
    # A row of the table has no other layer whose size it could take.
    graphs["SpreadLike"] = graph_of(SPREAD)
    assert all(name in _classes(graphs[name]) for name in ("Recurrent", "SpreadLike"))
    defined = {name for name, each in HELPERS.items() if each.text.lstrip().startswith("class ")}
    assert defined == set(graphs)
    for name, graph in graphs.items():
        this = sample(graph, "float32")
        model = backend().build(graph, this.weights, "float32", "cpu")
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        named = {
            each.name: this.inputs[each.name]
            if each.type.channels is None
            else np.moveaxis(this.inputs[each.name], 1, -1)
            for each in graph.inputs
        }
        given = named if len(named) > 1 else next(iter(named.values()))
        for each in (*loaded.layers, *model.layers):
            # A layer that draws at inference too begins anew: Keras does not save where its generator stands.
            if hasattr(each, "seed_generator"):
                each.seed_generator.state.assign([0, 1])
        found, wanted = (_by_output(each.predict_on_batch(given)) for each in (loaded, model))
        assert found.keys() == wanted.keys(), name
        for output, values in wanted.items():
            np.testing.assert_array_equal(found[output], values, f"{name}: {output}")


SPREAD = """netspec: 1
name: a
input: [2, 3, 4]
layers:
  - global_avg_pool
  - repeat_vector: {like: input}
"""

RECURRENT = """netspec: 1
name: a
input: [2, 3, 4, 3]
layers:
  - conv_lstm: {filters: 2, kernel: 3, padding: same, peepholes: true}
  - conv_gru: {filters: 2, kernel: 1, direction: both, return: last}
  - lstm: {units: 3, peepholes: true, axis: height, direction: both}
  - gru: {units: 3, axis: width}
  - gru: {units: 2, axis: height, layers: 2, dropout: 0.5, variational: true}
  - reshape: [2, -1]
  - rnn: {units: 3, layers: 2, dropout: 0.5}
  - lstm: {units: 3, layers: 2, direction: both, dropout: 0.5}
"""


# TensorFlow's variables turn into arrays in a way of which NumPy warns.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float64", "mixed_bfloat16"])
def test_layers_in_a_layer_have_its_precision_after_saving_and_cloning(policy: str, tmp_path: Path) -> None:
    """Whatever policy holds where the model is loaded or cloned."""
    graph = graph_of(RECURRENT)
    before = keras.config.dtype_policy()
    space: dict[str, Any] = {"__name__": "recurrent"}
    try:
        keras.config.set_dtype_policy(policy)
        exec(compile(backend().source(graph).text, "recurrent", "exec"), space)
        model = space[graph.name]()
        model.save(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy(before)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 3, 2))
    wanted = keras.ops.convert_to_numpy(keras.ops.cast(model(x, training=False), "float64"))
    for other in (loaded, cloned):
        found = keras.ops.convert_to_numpy(keras.ops.cast(other(x, training=False), "float64"))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-15)


# TensorFlow's variables turn into arrays in a way of which NumPy warns.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_two_generated_modules_in_one_process_load_each_its_own_layers(tmp_path: Path) -> None:
    """A class of one network is not taken for that of the other, though both are called alike."""
    text = backend().source(structure("residual")).text
    other = text.replace('package="residual"', 'package="other"').replace("def residual()", "def other()")
    spaces: list[dict[str, Any]] = [{"__name__": "one"}, {"__name__": "two"}]
    models = []
    for space, code, function in zip(spaces, (text, other), ("residual", "other"), strict=True):
        exec(compile(code, function, "exec"), space)
        models.append(space[function]())
    for number, (model, space) in enumerate(zip(models, spaces, strict=True)):
        model.save(tmp_path / f"{number}.keras")
        loaded = keras.models.load_model(tmp_path / f"{number}.keras")
        norms = {type(each) for each in loaded.layers if "norm" in each.name}
        assert norms == {space["UnbiasedBatchNormalization"]}


def test_what_a_model_holds_beyond_the_graph_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    this = sample(structure("chain"), "float32")
    kept = keras.layers.Dense.build

    def build(self: Any, shape: Any) -> None:
        kept(self, shape)
        self.mask = self.add_weight((3,), name="mask")

    monkeypatch.setattr(keras.layers.Dense, "build", build)
    with pytest.raises(WrongFold, match="no weight of the graph is dense1/mask"):
        backend().build(this.graph, this.weights)


def test_a_model_takes_and_gives_channels_last() -> None:
    this = sample(structure("heads"), "float32")
    model = backend().build(this.graph, this.weights)
    (image,) = this.inputs.values()
    given = model(np.moveaxis(image, 1, -1))
    assert set(given) == {each.name for each in this.graph.outputs}
    wanted = forward(this.graph, this.weights, this.inputs, training=False)
    for each in this.graph.outputs:
        close(given[each.name], wanted[each.value], rtol=2e-5, atol=1e-6)


def test_building_leaves_keras_as_it_was() -> None:
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    this = sample(structure("chain"))
    model = backend().build(this.graph, this.weights, "float64", device="cpu")
    assert {layer.compute_dtype for layer in model.layers} == {"float64"}
    assert (keras.config.dtype_policy(), keras.config.floatx()) == (policy, floatx)
    # Kernels that nobody gives a value are drawn again.
    assert np.any(keras.layers.Dense(3).kernel_initializer((4, 4)).numpy())


def test_weights_that_are_frozen_stay_and_statistics_with_them() -> None:
    this = sample(structure("frozen"))
    trial = backend().trial(this.graph, this.weights)
    frozen = {weight.name for node in this.graph.nodes if not node.trainable for weight in node.weights}
    assert frozen
    assert not frozen & set(trial.gradients(this.inputs, this.targets))
    stepped = trial.steps(this.inputs, this.targets, Sgd(learning_rate=0.1), 2)
    moved = {name for name, array in this.weights.items() if not np.array_equal(array, stepped[name])}
    assert moved == set(this.weights) - frozen


def test_the_running_variance_is_unbiased() -> None:
    sketch = Sketch("norm", x=(2, 3))
    sketch.add("norm", BatchNorm(momentum=0.75))
    this = sample(sketch.graph())
    trial = backend().trial(this.graph, this.weights)
    stepped = trial.steps(this.inputs, this.targets, Sgd(learning_rate=0.1), 1)
    values = this.inputs["x"]
    wanted = 0.75 * this.weights["norm.running_var"] + 0.25 * values.var(axis=(0, 2), ddof=1)
    close(stepped["norm.running_var"], wanted, rtol=1e-14)
    wanted = 0.75 * this.weights["norm.running_mean"] + 0.25 * values.mean(axis=(0, 2))
    close(stepped["norm.running_mean"], wanted, rtol=1e-14)


OPTIMIZERS: tuple[Optimizer, ...] = (
    Sgd(learning_rate=0.1),
    Sgd(learning_rate=0.1, momentum=0.9),
    Sgd(learning_rate=0.1, momentum=0.9, nesterov=True),
    Adam(learning_rate=0.01),
    Adam(learning_rate=0.1, beta1=0.0, beta2=0.5, epsilon=1e-3),
)


def stepped_by_hand(optimizer: Optimizer, weight: Values, gradient: Values, count: int) -> Values:
    """The definitions of the two optimisers, on a gradient that does not change."""
    first, second = np.zeros_like(weight), np.zeros_like(weight)
    for step in range(1, count + 1):
        if isinstance(optimizer, Sgd):
            first = optimizer.momentum * first + gradient
            ahead = gradient + optimizer.momentum * first if optimizer.nesterov else first
            weight = weight - optimizer.learning_rate * ahead
        else:
            assert isinstance(optimizer, Adam)
            first = optimizer.beta1 * first + (1 - optimizer.beta1) * gradient
            second = optimizer.beta2 * second + (1 - optimizer.beta2) * gradient**2
            mean, square = first / (1 - optimizer.beta1**step), second / (1 - optimizer.beta2**step)
            weight = weight - optimizer.learning_rate * mean / (np.sqrt(square) + optimizer.epsilon)
    return weight


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 3e-6)])
def test_optimisers_are_what_they_are_defined_as(optimizer: Optimizer, dtype: str, tolerance: float) -> None:
    from netspec_keras.training.optimizers import native

    draw = np.random.default_rng(0)
    weight, gradient = draw.standard_normal((2, 5, 4))
    variable = keras.Variable(weight, dtype=dtype)
    stepper = native(optimizer)
    for _ in range(4):
        stepper.apply([keras.ops.convert_to_tensor(gradient, dtype=dtype)], [variable])
    found = variable.value.numpy()
    close(found, stepped_by_hand(optimizer, weight, gradient, 4), rtol=0, atol=tolerance)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_steps_are_pytorchs(optimizer: Optimizer) -> None:
    torch = pytest.importorskip("netspec_torch")
    this = sample(structure("chain"))
    sides = [
        each.trial(this.graph, this.weights).steps(this.inputs, this.targets, optimizer, 5)
        for each in (backend(), torch.backend())
    ]
    far, where = farthest(*sides)
    assert far <= 1e-9, where


def test_layers_that_no_one_layer_serves_are_refused() -> None:
    sketch = Sketch("trident", x=(3, 6, 6))
    sketch.add("first", Conv(filters=3, kernel=(3,), padding="same"))
    sketch.add("wide", Conv(filters=3, kernel=(3,), padding="same", dilation=(2,)), shares="first")
    with pytest.raises(Unsupported, match="`wide` cannot share with `first`"):
        backend().source(sketch.graph())


@pytest.mark.parametrize("norm", [BatchNorm(), GroupNorm(groups=2)], ids=lambda op: op.keyword)
def test_a_norm_of_a_map_cannot_be_that_of_a_vector_too(norm: Op) -> None:
    sketch = Sketch("ranks", x=(4, 6, 6))
    sketch.add("first", norm)
    sketch.add("mean", GlobalAvgPool())
    sketch.add("second", norm, shares="first")
    with pytest.raises(Unsupported, match="their inputs have 0 and 2 spatial axes"):
        backend().source(sketch.graph())


@pytest.mark.parametrize("shares", [None, "first"], ids=["its own", "shared"])
def test_weights_that_no_output_depends_on_are_refused(shares: str | None) -> None:
    # Of a shared layer that is measured a model would forget one of the two calls.
    sketch = Sketch("unused", x=(4, 6, 6))
    sketch.add("first", BatchNorm())
    sketch.add("unused", BatchNorm(), shares=shares)
    sketch.add("behind", Relu())
    with pytest.raises(Unsupported, match="no output depends on `unused`"):
        backend().source(sketch.graph(output="first"))


def test_a_layer_without_an_output_may_lend_its_weights() -> None:
    sketch = Sketch("lent", x=(4, 6, 6))
    sketch.add("first", Dense(units=3), "x")
    sketch.add("second", Dense(units=3), "x", shares="first")
    this = sample(sketch.graph())
    found = backend().trial(this.graph, this.weights).forward(this.inputs)
    far, _ = farthest(found, forward(this.graph, this.weights, this.inputs))
    assert far <= FORWARD


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DepthwiseConv(kernel=(3,), padding="same"), DepthwiseConv(kernel=(3,), padding=((2, 0), (0, 1)))),
        (
            SeparableConv(filters=3, kernel=(3,), padding="same"),
            SeparableConv(filters=3, kernel=(3,), padding=1, activation=Selu()),
        ),
        (
            Conv(filters=3, kernel=(3,), table=((0,), (1, 2), (0, 2)), padding="same"),
            Conv(filters=3, kernel=(3,), table=((0,), (1, 2), (0, 2)), padding=((2, 0), (0, 1))),
        ),
        (
            ConvTranspose(filters=3, kernel=(4,), stride=(2,), padding="same"),
            ConvTranspose(filters=3, kernel=(4,), stride=(2,), padding=((1, 2), (0, 2)), activation=Relu()),
        ),
    ],
    ids=lambda op: op.keyword,
)
def test_convolutions_of_every_kind_share_with_other_padding(first: Op, second: Op) -> None:
    sketch = Sketch("shared", x=(3, 6, 6))
    sketch.add("first", first)
    sketch.add("second", second, shares="first")
    this = sample(sketch.graph())
    far, _ = farthest(
        backend().trial(this.graph, this.weights).forward(this.inputs),
        forward(this.graph, this.weights, this.inputs),
    )
    assert far <= FORWARD


def test_layers_that_differ_in_padding_and_activation_share() -> None:
    sketch = Sketch("shared", x=(3, 6, 6))
    sketch.add("first", Conv(filters=3, kernel=(3,), padding="same"))
    sketch.add(
        "second", Conv(filters=3, kernel=(3,), padding=((2, 0), (0, 1)), activation=Relu()), shares="first"
    )
    this = sample(sketch.graph())
    far, _ = farthest(
        backend().trial(this.graph, this.weights).forward(this.inputs),
        forward(this.graph, this.weights, this.inputs),
    )
    assert far <= FORWARD


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (
            "{out: , name: a}, tanh, tanh",
            "{out: , share: a}",
            False,
        ),  # the first call is farther from the output
        ("relu, {out: , name: a}, tanh", "{out: , share: a}, tanh, tanh", True),
        ("relu, {out: , name: a}", "{out: , share: a}", True),  # equally far: Keras runs the second first
        ("{out: , name: a}, relu, {out: , share: a}", "tanh", False),  # one after the other
    ],
)
def test_norms_that_share_statistics_run_in_the_authors_order_or_are_refused(
    first: str, second: str, refused: bool
) -> None:
    text = f"""
netspec: 1
name: order
input: [3, 4]
blocks: {{out: {{layers: [batch_norm]}}}}
layers:
  - {{add: [[{first}], [{second}]]}}
"""
    graph = graph_of_text(text, "order.yaml", Problems())
    assert graph is not None
    if refused:
        with pytest.raises(Unsupported, match="both update the running statistics"):
            backend().source(graph)
    else:
        assert compare(graph, ("torch", "keras"), steps=2).ok
