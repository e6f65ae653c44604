"""Generated text by itself starts as the spec says: every initialiser on every kind of layer, and the zoo.

The text is executed as it is, and nothing but the framework gives its weights their values. What is expected comes
from the spec: constants exactly, bounds, and moments within five standard errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod, sqrt
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from docs.proofs import ROWS, Row
from netspec.dataclass import replace
from netspec.graph import Graph
from netspec.ops import OPS
from netspec.ops.base import Weight
from netspec.ops.fans import SCALED, constant, fans
from netspec.ops.initializers import SETTINGS
from netspec.types import Type
from netspec.weights import drawn
from tests.building import Sketch
from tests.language.author import graph_of
from tests.structures import structure

Values = NDArray[np.float64]


Change = Callable[[str], str]


def in_torch(graph: Graph, change: Change = str) -> dict[str, Values]:
    """The weights of the network that the PyTorch text defines, as it constructs it."""
    torch = pytest.importorskip("torch")
    from netspec_torch import backend
    from netspec_torch.runtime import keys
    from netspec_torch.source import class_name

    space: dict[str, Any] = {"__name__": "alone"}
    exec(compile(change(backend().source(graph).text), graph.name, "exec"), space)
    torch.manual_seed(5)
    state = space[class_name(graph)]().state_dict()
    return {name: np.asarray(state[key].numpy(), "float64") for name, key in keys(graph).items()}


def in_keras(graph: Graph, change: Change = str) -> dict[str, Values]:
    """The weights of the model that the Keras text makes."""
    keras = pytest.importorskip("keras")
    from netspec_keras import backend
    from netspec_keras.runtime import read
    from netspec_keras.source import function_name

    space: dict[str, Any] = {"__name__": "alone"}
    exec(compile(change(backend().source(graph).text), graph.name, "exec"), space)
    keras.utils.set_random_seed(5)
    model = space[function_name(graph)]()
    return {name: np.asarray(array, "float64") for name, array in read(model, graph).items()}


FIXED = ("bilinear", "by_gate", "values")
"""Initialisers that draw nothing, and give a tensor of several values."""
FRAMEWORKS: Mapping[str, Callable[..., dict[str, Values]]] = {"torch": in_torch, "keras": in_keras}


def check(weight: Weight, values: Values) -> None:
    """Hold the first values of a weight to its initialiser.

    Raises:
        AssertionError: they are not what it draws.
    """
    init, value = weight.init, constant(weight.init)
    told = f"{weight.name} {weight.shape} {init}: {values.ravel()[:3]}"
    assert values.shape == weight.shape, told
    if value is not None:
        assert (values == np.float32(value)).all(), told
    elif init.kind in ("by_gate", "values"):
        np.testing.assert_array_equal(values, drawn(weight, 0).astype("float32"), err_msg=told)
    elif weight.lifts:
        lifts = np.repeat(np.array(weight.lifts), weight.shape[0] // len(weight.lifts))
        check(replace(weight, lifts=()), values - lifts)
    elif init.kind == "bilinear":
        np.testing.assert_allclose(values, drawn(weight, 0), atol=1e-6, err_msg=told)
    elif init.kind == "orthogonal":
        rows = weight.shape[0] // weight.groups
        for group in values.reshape(weight.groups, rows, -1):
            gram = group @ group.T if rows <= group.shape[1] else group.T @ group
            np.testing.assert_allclose(gram, init["gain"] ** 2 * np.eye(len(gram)), atol=2e-5, err_msg=told)
        alike = len({group.tobytes() for group in values.reshape(weight.groups, -1)})
        assert alike == weight.groups or prod(weight.shape) == weight.groups, told
    else:
        check_moments(values.ravel(), *distribution(weight), told)


def check_all(graph: Graph, found: Mapping[str, Values]) -> None:
    """Hold every weight of a network to its initialiser, and each to its own draw."""
    assert sorted(found) == sorted(weight.name for weight in graph.weights)
    drawn_ones = set()
    for weight in graph.weights:
        values = found[weight.name]
        check(weight, values)
        if constant(weight.init) is None and weight.init.kind not in FIXED and values.size > 2:
            three = values[values != 0][:3]  # the vector of a padding index is 0
            three = three - np.array(weight.lifts[:1] or [0.0])
            first = tuple(np.sign(three[0]) * three / np.abs(three).max())
            assert first not in drawn_ones, f"{weight.name} starts as another weight does"
            drawn_ones.add(first)


def distribution(weight: Weight) -> tuple[float, float, bool]:
    """The mean and the standard deviation, and whether it is uniform."""
    init = weight.init
    if init.kind == "uniform":
        return (init["high"] + init["low"]) / 2, (init["high"] - init["low"]) / sqrt(12), True
    if init.kind == "normal":
        return init["mean"], init["std"], False
    rule = SCALED[init.kind]
    return 0.0, sqrt(rule.variance(fans(weight))), rule.form == "uniform"


def check_moments(values: Values, mean: float, std: float, uniform: bool, told: str) -> None:
    count = len(values)
    assert len(np.unique(values)) >= 0.9 * count, told
    assert abs(values.mean() - mean) <= 5 * std / sqrt(count), told
    variance = ((values - mean) ** 2).mean() / std**2
    # The cube root of a chi-square is nearly normal, of few values, too (Wilson and Hilferty 1931).
    error = sqrt(2 / (9 * count)) if not uniform else sqrt(0.8 / count)
    away = variance - 1 if uniform else variance ** (1 / 3) - (1 - error**2)
    assert abs(away) <= 5 * error, told
    largest = np.abs(values - mean).max() / std
    if uniform:
        assert largest <= sqrt(3) * (1 + 1e-6), told
        assert largest >= sqrt(3) * 0.9 or count < 100, told
    else:  # a normal that is cut off at two standard deviations, and widened, reaches 2.28
        assert largest > 2.3 or count < 500, told


SETTING: Mapping[str, object] = {
    "constant": {"constant": 0.375},
    "uniform": {"uniform": {"low": -0.25, "high": 0.75}},
    "normal": {"normal": {"std": 0.3, "mean": 1.5}},
    "orthogonal": {"orthogonal": {"gain": 1.5}},
}
LAYERS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("conv", {"filters": 24, "kernel": 3}, 16),
    ("conv", {"filters": 24, "kernel": [3, 2], "bias": False}, 16),
    ("conv", {"filters": 96, "kernel": 3, "groups": 4}, 48),
    ("conv", {"filters": 192, "kernel": 3, "groups": 96}, 96),
    ("depthwise_conv", {"kernel": 3, "multiplier": 2}, 64),
    ("separable_conv", {"filters": 40, "kernel": 3, "multiplier": 4}, 24),
    ("conv_transpose", {"filters": 48, "kernel": 3, "stride": 2}, 12),
    ("conv_transpose", {"filters": 12, "kernel": 3, "stride": 2, "dilation": 2}, 48),
    ("conv_transpose", {"filters": 24, "kernel": 3, "groups": 6}, 96),
    ("dense", {"units": 40}, 96),
    ("dense", {"units": 600, "bias": True}, 8),
    ("scale", {}, 600),
)
TABLE = [[(row + each) % 16 for each in range(1 + row % 3)] for row in range(48)]
LOOSE: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("conv", {"filters": 48, "kernel": 3, "table": TABLE}, 16),
    ("rbf", {"units": 40}, 24),
    ("prelu", {}, 600),
    ("l2_norm", {}, 600),
)
"""Layers without a bias to start, or that not every initialiser suits."""
WHOLE = ("orthogonal", "bilinear")


def network(kind: str, rank: int) -> Graph:
    """Every kind of layer side by side, all with this initialiser, for biases, too."""
    init = SETTING.get(kind, kind)
    sizes = {1: (9,), 2: (7, 8), 3: (4, 5, 5)}[rank]
    counts = {channels for *_, channels in (*LAYERS, *LOOSE)}
    sketch = Sketch(f"starts_{kind}_{rank}", **{f"in{count}": (count, *sizes) for count in sorted(counts)})
    outputs = {}
    for number, (keyword, fields, channels) in enumerate((*LAYERS, *LOOSE)):
        if fields.get("table") and kind in WHOLE:
            continue
        given = dict(fields) if keyword in ("dense", "scale", "rbf", "prelu", "l2_norm") else {
            key: (value * rank)[:rank] if key == "kernel" and isinstance(value, list) else value
            for key, value in fields.items()
        }  # fmt: skip
        own = "bias_init" in OPS[keyword].model_fields
        op = OPS[keyword].model_validate({**given, "init": init, **({"bias_init": init} if own else {})})
        name = f"{keyword}_{number}"
        outputs[name] = sketch.add(name, op, f"in{channels}")
    return sketch.graph(**outputs)


GRID = [
    pytest.param(kind, rank, name, marks=() if name == "torch" or rank == 2 else pytest.mark.slow)
    for kind in SETTINGS
    for rank in (1, 2, 3)
    for name in FRAMEWORKS
]


@pytest.mark.parametrize(("kind", "rank", "framework"), GRID)
def test_every_initialiser_starts_every_kind_of_layer(kind: str, rank: int, framework: str) -> None:
    graph = network(kind, rank)
    found = FRAMEWORKS[framework](graph)
    check_all(graph, found)


SWEPT: Mapping[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("rnn", {"units": 90}),
    "rnn_both": ("rnn", {"units": 90, "direction": "both", "merge": "sum", "layers": 2}),
    "gru_after": ("gru", {"units": 40, "direction": "both"}),
    "gru_before": ("gru", {"units": 40, "reset": "before"}),
    "gru_held": ("gru", {"units": 40, "layers": 2}),
    "gru_variational": ("gru", {"units": 40, "variational": True, "dropout": 0.5}),
    "lstm": ("lstm", {"units": 30}),
    "lstm_both": ("lstm", {"units": 30, "direction": "both", "forget_bias": 0.0}),
    "lstm_forgetful": ("lstm", {"units": 30, "forget_bias": 2.5, "direction": "backward"}),
    "lstm_deep": ("lstm", {"units": 30, "layers": 2, "direction": "both"}),
    "lstm_coupled": ("lstm", {"units": 30, "coupled": True}),
    "lstm_peepholes": ("lstm", {"units": 30, "peepholes": True, "projection": 25, "forget_bias": 0.5}),
    "conv_lstm": ("conv_lstm", {"filters": 30, "kernel": 2}),
    "conv_lstm_both": ("conv_lstm", {"filters": 30, "kernel": 2, "direction": "both", "forget_bias": 0.5}),
    "conv_gru_before": ("conv_gru", {"filters": 40, "kernel": 2}),
    "conv_gru_after": ("conv_gru", {"filters": 40, "kernel": 2, "reset": "after"}),
}
"""Every kind of recurrent layer, in every way that a backend writes it."""


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("kind", [each if each in ("uniform", "orthogonal") else
                                  pytest.param(each, marks=pytest.mark.slow) for each in SETTINGS])  # fmt: skip
def test_every_initialiser_starts_every_recurrent_layer(kind: str, framework: str) -> None:
    init = SETTING.get(kind, kind)
    sketch = Sketch(f"swept_{kind}", sequence=(20, 6), video=(6, 3, 4))
    outputs = {}
    for name, (keyword, fields) in SWEPT.items():
        starts = {"bias_init": init}
        if kind != "bilinear":
            starts |= {"init": init, "recurrent_init": init}
        op = OPS[keyword].model_validate({**fields, **starts})
        outputs[name] = sketch.add(name, op, "video" if keyword.startswith("conv") else "sequence")
    graph = sketch.graph(**outputs)
    check_all(graph, FRAMEWORKS[framework](graph))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_recurrent_layers_with_and_without_a_bias_start_side_by_side(framework: str) -> None:
    text = """
        input: [6, 5]
        layers:
          - gru: {units: 60, reset: before, bias_init: normal}
          - gru: {units: 60, reset: before, bias: false}
          - lstm: {units: 40, peepholes: true, bias: false}
          - lstm: {units: 40, coupled: true}
          - lstm: {units: 40, bias: false}
          - lstm: {units: 40, layers: 2, bias_init: he_normal, forget_bias: 2}
          - rnn: {units: 40, bias: false}
          - rnn: {units: 40, bias_init: ones}
        """
    graph = graph_of(f"netspec: 1\nname: swept\n{dedent(text)}")
    check_all(graph, FRAMEWORKS[framework](graph))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_cells_of_three_and_of_four_gates_start_side_by_side(framework: str) -> None:
    """In PyTorch both have one class; six rows do not divide into four gates."""
    items = "  - lstm: {units: 1, peepholes: true, forget_bias: 2}\n  - lstm: {units: 2, coupled: true}\n"
    found = FRAMEWORKS[framework](graph_of(f"netspec: 1\nname: a\ninput: [3, 4]\nlayers:\n{items}"))
    np.testing.assert_array_equal(found["lstm1.bias_ih_l0"], [0, 2, 0, 0])
    np.testing.assert_array_equal(found["lstm2.bias_ih_l0"], [-1, -1, 0, 0, 0, 0])


def test_what_lifts_a_gate_is_added_to_what_its_bias_is_drawn_from() -> None:
    fields = {"units": 2, "bias_init": {"uniform": {"low": -0.25, "high": 0.25}}, "forget_bias": 2.0}
    plain, coupled = (
        OPS["lstm"].model_validate({**fields, "coupled": each}).weights((Type(3, (4,)),))[2]
        for each in (False, True)
    )
    without = drawn(replace(plain, lifts=()), 0)
    np.testing.assert_array_equal(drawn(plain, 0) - without, [0, 0, 2, 2, 0, 0, 0, 0])
    without = drawn(replace(coupled, lifts=()), 0)
    np.testing.assert_array_equal(drawn(coupled, 0) - without, [-2, -2, 0, 0, 0, 0])
    constant_ = OPS["lstm"].model_validate({"units": 2, "bias_init": "ones"}).weights((Type(3, (4,)),))[2]
    np.testing.assert_array_equal(drawn(constant_, 0), [1, 1, 2, 2, 1, 1, 1, 1])


QUICK = ("vgg16", "resnet50", "lenet5_1998")
ZOO = [pytest.param(row, id=row.spec, marks=() if row.spec in QUICK else pytest.mark.slow) for row in ROWS]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("row", ZOO)
def test_every_weight_of_the_zoo_starts_as_its_spec_says(row: Row, framework: str) -> None:
    graph = row.graph(full=False)
    check_all(graph, FRAMEWORKS[framework](graph))


def without_init_weights(text: str) -> str:
    """A PyTorch text that leaves the first weights to PyTorch."""
    return text.replace("        self.apply(init_weights)\n", "")


def without_initializers(text: str) -> str:
    """A Keras text that leaves the first weights of the outermost function to Keras."""
    start = text.rindex("\ndef ")
    return text[:start] + re.sub(r'\w+_initializer=([\w.]+\([^()]*\)|"\w+"),?', "", text[start:])


@pytest.mark.parametrize(
    ("framework", "change"), [("torch", without_init_weights), ("keras", without_initializers)]
)
@pytest.mark.parametrize("row", [row for row in ROWS if row.spec in QUICK], ids=lambda row: row.spec)
def test_without_the_lines_a_network_starts_otherwise(row: Row, framework: str, change: Change) -> None:
    graph = row.graph(full=False)
    found = FRAMEWORKS[framework](graph, change)
    with pytest.raises(AssertionError, match=r"weight|bias"):
        check_all(graph, found)


MIXED = ("starts", "starts_alike", "starts_shared")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", MIXED)
def test_layers_of_one_kind_may_start_in_many_ways(name: str, framework: str) -> None:
    graph = structure(name)
    check_all(graph, FRAMEWORKS[framework](graph))


GIVEN = """\
netspec: 1
name: given
input: [2, 6, 5]
blocks:
  edges:
    params: {bias: }
    layers:
      - conv:
          filters: 2
          kernel: [1, 3]
          init: {values: [[[[-1, 0, 1]], [[0, 0, 0]]], [[[0.1, 0, 0]], [[-0.5, 0, 0.5]]]]}
          bias_init: {values: [$bias, 0.25]}
layers:
  - edges: {bias: 0.5}
  - edges: {bias: -1}
  - conv: {filters: 3, kernel: 1}
  - depthwise_conv: {kernel: 1, bias: false, init: {values: [[[[1]]], [[[2]]], [[[0.3]]]]}}
  - conv_transpose: {filters: 1, kernel: 1, init: {values: [[[[1]]], [[[2]]], [[[3]]]]}}
  - prelu: {init: {values: [0.75]}}
  - reshape: [1, -1]
  - gru: {units: 1, init: {values: [[1], [2], [3]]}, bias_init: {values: [0.1, 0.2, 0.3]}, return: last}
  - dense: {units: 2, init: {values: [[1], [-0.7]]}}
"""
"""Weights of every layout, and one that only calls of a block differ in."""


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_given_values_are_where_a_text_starts(framework: str) -> None:
    graph = graph_of(GIVEN)
    found = FRAMEWORKS[framework](graph)
    check_all(graph, found)
    np.testing.assert_array_equal(found["edges2.conv1.bias"], [-1, 0.25])
    np.testing.assert_array_equal(found["edges1.conv1.weight"][1, 1, 0], [-0.5, 0, 0.5])
    np.testing.assert_array_equal(found["gru1.weight_ih_l0"].ravel(), [1, 2, 3])
