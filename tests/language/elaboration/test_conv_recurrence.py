"""Convolutional recurrent layers in a spec: what they give and cost, what a position sees, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.analysis import analyze
from netspec.ops import OPS
from netspec.ops.reach import Window
from netspec.types import Type
from netspec.weights import initialise
from tests.building import Sketch
from tests.language.author import graph_of, hold_refusals, wires_of
from tests.oracle import forward

VIDEO = "input: [3, 7, 20, 12]"
PAIR = "inputs: {x: [3, 7, 20, 12], y: [3, 5, 20, 12]}"


def whole(items: str, inputs: str = VIDEO) -> str:
    """A spec with these layers, on videos of 7 frames unless the inputs say otherwise."""
    return f"netspec: 1\nname: a\n{inputs}\nlayers: [{items}]"


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ("kernel: 3", Type(5, (7, 18, 10))),
        ("kernel: 3, padding: same, stride: 2", Type(5, (7, 10, 6))),
        ("kernel: [5, 1], stride: [2, 1], dilation: [2, 1]", Type(5, (7, 6, 12))),
        ("kernel: 3, padding: same, return: last", Type(5, (20, 12))),
        ("kernel: 3, padding: same, direction: both", Type(10, (7, 20, 12))),
        ("kernel: 3, padding: same, direction: both, merge: sum, return: last", Type(5, (20, 12))),
        ("kernel: 3, direction: both, return: state", Type(10, (18, 10))),
        ("kernel: 3, padding: same, axis: width", Type(5, (7, 20, 12))),
        ("kernel: [3, 1], axis: height, recurrent_kernel: [1, 5]", Type(5, (5, 20, 12))),
        ("kernel: 1, axis: time, return: last", Type(5, (20, 12))),
    ],
)
def test_what_a_layer_gives(fields: str, given: Type) -> None:
    for keyword in ("conv_lstm", "conv_gru"):
        graph = graph_of(whole(f"{{{keyword}: {{filters: 5, {fields}}}}}"))
        assert graph.nodes[0].output == given


def test_it_runs_over_the_rows_of_a_map() -> None:
    graph = graph_of(whole("{conv_gru: {filters: 2, kernel: 3}}", "input: [3, 8, 6]"))
    assert graph.nodes[0].output == Type(2, (8, 4))


def test_states_are_further_outputs_and_inputs() -> None:
    layers = (
        "{conv_lstm: {filters: 5, kernel: 3, stride: 2, padding: same}, from: x, name: encoder}, "
        "{avg_pool: {kernel: [1, 2, 2]}, from: y}, "
        "{conv_lstm: {filters: 5, kernel: 3, padding: same}, from: [avg_pool1, encoder.state, encoder.cell], name: b}"
    )
    graph = graph_of(whole(layers, PAIR))
    assert wires_of(graph)["b"] == ("avg_pool1", "encoder.state", "encoder.cell")
    assert graph.types["encoder.cell"] == Type(5, (10, 6))


@pytest.mark.parametrize(("keyword", "gates"), [("conv_lstm", 4), ("conv_gru", 3)])
def test_weights_and_cost(keyword: str, gates: int) -> None:
    fields = "filters: 5, kernel: [3, 2], recurrent_kernel: 3, padding: same, stride: 2, direction: both"
    found = analyze(graph_of(whole(f"{{{keyword}: {{{fields}}}}}")))
    products = gates * 5 * (3 * 6 + 5 * 9)
    assert found.totals.params == 2 * (products + gates * 5)
    assert found.totals.macs == 2 * 7 * products * 10 * 6


def test_a_peephole_is_a_number_for_each_position() -> None:
    graph = graph_of(whole("{conv_lstm: {filters: 5, kernel: 3, peepholes: true}, name: a}"))
    assert {each.name: each.shape for each in graph.weights}["a.weight_ch_l0"] == (15, 18, 10)
    plain = analyze(graph_of(whole("{conv_lstm: {filters: 5, kernel: 3}}"))).totals
    found = analyze(graph).totals
    assert found.params - plain.params == 15 * 18 * 10
    assert (found.macs or 0) - (plain.macs or 0) == 7 * 15 * 18 * 10


def test_the_forget_gate_starts_at_its_bias() -> None:
    graph = graph_of(whole("{conv_lstm: {filters: 2, kernel: 1, forget_bias: 3}, name: a}"))
    assert initialise(graph)["a.bias_ih_l0"].tolist() == [0, 0, 3, 3, 0, 0, 0, 0]
    kernel = np.asarray(initialise(graph)["a.weight_hh_l0"], "float64").reshape(8, 2)
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(2), atol=1e-6)


SEEN: dict[str, dict[str, object]] = {
    "plain": {"kernel": 3, "padding": "same"},
    "apart": {"kernel": [3, 2], "recurrent_kernel": [1, 3]},
    "strided": {"kernel": 1, "stride": [2, 1], "padding": [[1, 0], [0, 0]], "recurrent_kernel": [3, 2]},
    "dilated": {"kernel": 2, "stride": 2, "dilation": [2, 1], "recurrent_kernel": [2, 1]},
}
SIZES = {
    "plain": ((9, 9), (15, 15)),
    "apart": ((3, 8), (3, 14)),
    "strided": ((13, 4), (25, 7)),
    "dilated": ((9, 2), (15, 2)),
}
"""What a position of the end sees of the first of 4 frames; resetting before, a step convolves the state twice."""


@pytest.mark.parametrize("unit", ["lstm", "after", "before"])
@pytest.mark.parametrize("name", SEEN)
def test_what_a_position_sees(name: str, unit: str) -> None:
    """Against an experiment: move one value of the first frame, and see whether one position of the end moves."""
    sizes, frames = (31, 17), 4
    sketch = Sketch("a", x=(1, frames, *sizes))
    keyword, own = ("conv_lstm", {}) if unit == "lstm" else ("conv_gru", {"reset": unit})
    fields = {"filters": 1, "return": "last", **SEEN[name], **own}
    sketch.add("layer", OPS[keyword].model_validate(fields), "x")
    graph = sketch.graph()
    (layer,) = analyze(graph).layers
    size = SIZES[name][unit == "before"]
    assert layer.receptive is not None
    assert layer.receptive.size == (frames, *size)
    weights = {each.name: np.full(each.shape, 0.15) for each in graph.weights}
    batch = np.ones((1 + sizes[0] * sizes[1], 1, frames, *sizes))
    batch[1:, 0, 0] += 10 * np.eye(sizes[0] * sizes[1]).reshape(-1, *sizes)
    y = np.asarray(forward(graph, weights, {"x": batch}, training=False)["layer"], "float64")[:, 0]
    middle = tuple(each // 2 for each in y.shape[1:])
    moved = (y[1:] != y[0])[(slice(None), *middle)].reshape(sizes)
    for axis, wanted in enumerate(size):
        seen = np.flatnonzero(moved.any(1 - axis))
        assert seen[-1] - seen[0] + 1 == wanted


@pytest.mark.parametrize("unit", ["lstm", "after", "before"])
@pytest.mark.parametrize("name", SEEN)
def test_what_a_position_of_each_output_sees_of_each_input(name: str, unit: str) -> None:
    """The same experiment with each value of the first frame, of the first state and of the first cell."""
    frames, sizes = 2, (13, 9)
    keyword, own = ("conv_lstm", {}) if unit == "lstm" else ("conv_gru", {"reset": unit})
    op = OPS[keyword].model_validate({"filters": 1, **SEEN[name], **own})
    (states,) = {
        each.sizes
        for each in op.resolve([Type(1, (frames, *sizes))]).outputs([Type(1, (frames, *sizes))])[1:]
    }
    shapes = {role.name: (1, *states) for role in op.inputs} | {"sequence": (1, frames, *sizes)}
    sketch = Sketch("a", **shapes)
    sketch.add("layer", op, *shapes)
    node = sketch.nodes["layer"]
    ends = {
        value: sketch.add(f"end_{number}", OPS["identity"](), value)
        for number, value in enumerate(node.values)
    }
    graph = sketch.graph(**{end: end for end in ends.values()})
    weights = {each.name: np.full(each.shape, 0.15) for each in graph.weights}
    types = [graph.types[value] for value in node.inputs]
    for number, (source, shape) in enumerate(shapes.items()):
        count = int(np.prod(shape[-2:]))
        batch = {each: np.ones((count + 1, *size)) for each, size in shapes.items()}
        moving = batch[source][1:, 0, 0] if source == "sequence" else batch[source][1:, 0]
        moving += 10 * np.eye(count).reshape(-1, *shape[-2:])
        found = forward(graph, weights, batch, training=False)
        for value in node.values:
            port = value.partition(".")[2]
            reach = (node.op.port_reaches(port, types) if port else node.op.reaches(types))[number]
            assert reach is not None
            axes = [each for each in reach.axes if each != "whole"]
            y = np.asarray(found[ends[value]], "float64")[:, 0]
            y = y[:, -1] if y.ndim == 4 else y
            middle = tuple(each // 2 for each in y.shape[1:])
            moved = (y[1:] != y[0])[(slice(None), *middle)].reshape(shape[-2:])
            for axis, taps in enumerate(axes):
                assert isinstance(taps, Window)
                wanted = [each for each in taps.at(middle[axis]) if 0 <= each < shape[-2:][axis]]
                assert np.flatnonzero(moved.any(1 - axis)).tolist() == wanted, (source, value)


def test_states_have_no_axis_of_steps_in_what_they_see() -> None:
    """A state of a layer that gives all steps, in a network and through one more window."""
    layers = "{conv_lstm: {filters: 2, kernel: 3}, name: a}, {conv: {filters: 1, kernel: 3}, from: a.cell, name: b}"
    found = {each.name: each.receptive for each in analyze(graph_of(whole(layers))).layers}
    assert found["b"] is not None
    assert str(found["b"]) == "7×17×17"


FIELDS = "filters: 2, kernel: 3"
REFUSED = [
    (f"{{«conv_lstm»: {{{FIELDS}}}}}", "input: [3]", ("NS0303", "runs along an axis")),
    (f"{{«conv_gru»: {{{FIELDS}}}}}", "input: [3, 9]", ("NS0303", "use `gru`")),
    ("{conv_lstm: {filters: 2, kernel: 3, axis: «channels»}}", VIDEO, ("NS0303", "its axes are `depth` (0)")),
    ("{conv_lstm: {filters: 2, kernel: «[3, 3, 3]»}}", VIDEO, ("NS0305", "a list of 2")),
    ("{conv_lstm: {filters: 2, kernel: 3, recurrent_kernel: «[1, 1, 1]»}}", VIDEO, ("NS0305", "a list of 2")),
    ("{conv_lstm: {filters: 2, kernel: 3, padding: «[[1, 1]]»}}", VIDEO, ("NS0305", "along `height` and `width`")),
    ("{conv_gru: {filters: 2, kernel: 3, padding: «causal»}}", VIDEO, ("NS0303", "use `same`")),
    ("{conv_gru: {filters: 2, kernel: «[3, 15]»}}", VIDEO, ("NS0301", "the input of a step is 3@20×12")),
    (f"{{conv_lstm: {{{FIELDS}, merge: «sum»}}}}", VIDEO, ("NS0317", "`direction: both`")),
    (f"{{conv_lstm: {{{FIELDS}, bias: false, forget_bias: «2»}}}}", VIDEO, ("NS0317", "leave one of them out")),
    (f"{{conv_gru: {{{FIELDS}, «peepholes»: true}}}}", VIDEO, ("NS0103", "a field of `conv_lstm`")),
    (f"{{conv_lstm: {{{FIELDS}, «layers»: 2}}}}", VIDEO, ("NS0103", "`repeat: n`")),
    (f"{{conv_lstm: {{{FIELDS}, «recurrent_dropout»: 0.1}}}}", VIDEO, ("NS0103", "`- spatial_dropout: …`")),
    (f"{{«ConvLSTM2D»: {{{FIELDS}}}}}", VIDEO, ("NS0105", "write `conv_lstm`")),
    (f"{{«ConvGRU»: {{{FIELDS}}}}}", VIDEO, ("NS0105", "write `conv_gru`")),
    (f"{{«conv_lstm»: {{{FIELDS}}}, from: [x, n]}}", "inputs: {x: [3, 7, 20, 12], n: {shape: [], vocabulary: 8}}",
     ("NS0304", "leave lengths out")),
    (f"{{conv_gru: {{{FIELDS}}}, from: x, name: a}}, {{«conv_gru»: {{{FIELDS}, direction: both}}, from: [y, a.state]}}",
     PAIR, ("NS0317", "must be 4@18×10; it gets 2@18×10")),
    (f"{{conv_lstm: {{{FIELDS}}}, from: x, name: a}}, {{«conv_lstm»: {{{FIELDS}}}, from: [y, a.state]}}",
     PAIR, ("NS0317", "OTHER is another `conv_lstm`")),
    (f"{{conv_gru: {{{FIELDS}}}, from: x, name: a}}, {{«conv_gru»: {{{FIELDS}, padding: same}}, from: [y, a.state]}}",
     PAIR, ("NS0317", "`conv: {filters: 2, kernel: 1}`")),
]  # fmt: skip


@pytest.mark.parametrize(("items", "inputs", "refusal"), REFUSED)
def test_what_does_not_fit_is_refused(items: str, inputs: str, refusal: tuple[str, str]) -> None:
    hold_refusals(whole(items, inputs), refusal)
