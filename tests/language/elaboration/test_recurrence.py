"""Recurrent layers in a spec: what they give, what they cost, and what is refused with which words."""

from __future__ import annotations

import pytest

from netspec.analysis import analyze
from netspec.check import check_text
from netspec.types import Type
from netspec.weights import initialise
from tests.language.author import graph_of, hold_refusals, wires_of


def whole(items: str, inputs: str = "input: [3, 20]") -> str:
    """A spec with these layers, on sequences of 20 steps unless told otherwise."""
    return f"netspec: 1\nname: a\n{inputs}\nlayers: [{items}]"


LENGTHS = "inputs: {x: [3, 20], lengths: {shape: [], vocabulary: 21}}"
MAP = "input: [3, 8, 6]"

GIVEN = {
    "{lstm: 5}": Type(5, (20,)),
    "{lstm: {units: 5, return: last}}": Type(5),
    "{gru: {units: 5, direction: both}}": Type(10, (20,)),
    "{gru: {units: 5, direction: both, merge: average, layers: 2}}": Type(5, (20,)),
    "{gru: {units: 5, direction: both, merge: sum, layers: 2, return: last}}": Type(5),
    "{gru: {units: 5, direction: both, merge: sum, layers: 3, return: state}}": Type(30),
    "{lstm: {units: 5, projection: 2, direction: both}}": Type(4, (20,)),
    "{rnn: {units: 5, axis: 0}}": Type(5, (20,)),
}


@pytest.mark.parametrize("item", GIVEN)
def test_what_a_layer_gives(item: str) -> None:
    graph = graph_of(whole(item))
    assert graph.nodes[0].output == GIVEN[item]


@pytest.mark.parametrize(
    ("item", "given"),
    [
        ("{gru: {units: 5, axis: width}}", Type(5, (8, 6))),
        ("{gru: {units: 5, axis: 1, return: last}}", Type(5, (8,))),
        ("{gru: {units: 5, axis: height, direction: both, return: state}}", Type(10, (6,))),
    ],
)
def test_the_other_axes_of_a_map_stay(item: str, given: Type) -> None:
    graph = graph_of(whole(item, MAP))
    assert graph.nodes[0].output == given


def test_the_axis_of_a_video_may_be_called_time() -> None:
    graph = graph_of(whole("{rnn: {units: 2, axis: time, return: last}}", "input: [3, 5, 8, 6]"))
    assert graph.nodes[0].output == Type(2, (8, 6))
    assert getattr(graph.nodes[0].op, "axis") == "depth"  # noqa: B009 - of one op


def test_states_are_further_outputs_and_inputs() -> None:
    layers = (
        "{lstm: 5, from: x, name: encoder}, "
        "{lstm: 5, from: [x, encoder.state, encoder.cell, lengths], name: decoder}"
    )
    graph = graph_of(whole(layers, LENGTHS))
    assert wires_of(graph)["decoder"] == ("x", "encoder.state", "encoder.cell", "lengths")
    assert graph.types["encoder.cell"] == Type(5)


def test_weights_cost_and_reach() -> None:
    graph = graph_of(whole("{lstm: {units: 5, direction: both, layers: 2}}"))
    found = analyze(graph)
    # Two directions of 4 gates: 5 units see the input and 5 states; one bias a gate.
    first, second = 2 * 4 * 5 * (3 + 5), 2 * 4 * 5 * (10 + 5)
    assert found.totals.params == first + second + 4 * 20
    assert found.totals.macs == 20 * (first + second)
    (layer,) = found.layers
    assert layer.receptive is not None
    assert layer.receptive.size == (20,)


def test_a_map_is_seen_along_the_axis() -> None:
    graph = graph_of(whole("{gru: {units: 5, axis: height}}, {conv: {filters: 2, kernel: 3}}", MAP))
    last = analyze(graph).layers[-1]
    assert last.receptive is not None
    assert last.receptive.size == (8, 3)


def test_the_forget_gate_starts_at_its_bias() -> None:
    graph = graph_of(
        whole("{lstm: {units: 2, forget_bias: 3, name: a}}".replace(", name: a}}", "}, name: a}"))
    )
    assert initialise(graph)["a.bias_ih_l0"].tolist() == [0, 0, 3, 3, 0, 0, 0, 0]
    coupled = graph_of(whole("{lstm: {units: 2, forget_bias: 3, coupled: true}, name: a}"))
    assert initialise(coupled)["a.bias_ih_l0"].tolist() == [-3, -3, 0, 0, 0, 0]


REFUSED = [
    ("{lstm: {units: 4, axis: «width»}}", "", ("NS0303", "its axes are `time` (0)")),
    ("{lstm: {units: 4, axis: «1»}}", "", ("NS0303", "has no axis `1`")),
    ("{«lstm»: 4}", "input: [3]", ("NS0303", "use `dense`")),
    ("{«gru»: 4}", MAP, ("NS0303", "`axis: height` or `axis: width`")),
    ("{lstm: {units: 4, return: last}}, {«conv»: {filters: 2, kernel: 3}}", "", ("NS0303", "`return: sequence`")),
    ("{gru: {units: 4, «peepholes»: true}}", "", ("NS0103", "no cell to see")),
    ("{rnn: {units: 4, «coupled»: true}}", "", ("NS0103", "no cell to see")),
    ("{gru: {units: 4, merge: «sum»}}", "", ("NS0317", "`direction: both`")),
    ("{gru: {units: 4, dropout: «0.5»}}", "", ("NS0317", "write `- dropout: 0.5` after it")),
    ("{lstm: {units: 4, bias: false, forget_bias: «2»}}", "", ("NS0317", "leave one of them out")),
    ("{«gru»: {units: 4, axis: width}, from: [x, n]}", "inputs: {x: [3, 8, 6], n: {shape: [], vocabulary: 7}}",
     ("NS0317", "its rows are as long as the map")),
    ("{«gru»: 4, from: [x, n]}", "inputs: {x: [3, 8], n: {shape: [2], vocabulary: 9}}", ("NS0317", "`shape: []`")),
    ("{«gru»: 4, from: [x, n]}", "inputs: {x: [3, 8], n: {shape: [], vocabulary: 90}}",
     ("NS0317", "`vocabulary: 9`: its numbers are then 0 to 8")),
    ("{lstm: 4, from: x, name: a}, {«lstm»: 4, from: [x, a.state]}", LENGTHS, ("NS0317", "OTHER.cell")),
    ("{gru: 4, from: x, name: a}, {«gru»: {units: 4, direction: both}, from: [x, a.state]}", LENGTHS,
     ("NS0317", "must be 8; it gets 4")),
    ("{gru: 4, from: x, name: a}, {«gru»: 4, from: [x, a]}", LENGTHS, ("NS0317", "must be 4; it gets 4@20")),
    ("{lstm: 4, from: «[x, x, x, lengths, x]»}", LENGTHS, ("NS0311", "takes 1 to 4 inputs")),
    ("{«lstm»: 4, from: [x, n, k]}",
     "inputs: {x: [3, 8], n: {shape: [], vocabulary: 9}, k: {shape: [], vocabulary: 5}}",
     ("NS0311", "keep 1 of them in `from`")),
    ("{«gru»: 4, from: [x, lengths, lengths]}", LENGTHS, ("NS0311", "keep 1 of them")),
    ("{«gru»: 4, from: [lengths, x, lengths]}", LENGTHS, ("NS0304", "keep one of each: `from` names `sequence`")),
    ("{«LSTM»: 4}", "", ("NS0105", "write `lstm`")),
    ("{«Bidirectional»: 4}", "", ("NS0105", "`gru` takes `direction: both`")),
    ("{«nn.GRU»: 4}", "", ("NS0105", "write `gru`")),
    ("{lstm: {units: 4, «return_sequences»: true}}", "", ("NS0103", "`return: sequence`")),
    ("{dense: 4, name: a}, {dense: 3, name: b}, {«add»: , from: [a, b]}", "input: [3]",
     ("NS0302", "`dense: 4` on the branch of 3")),
    ("{lstm: {units: 4, «return_sequences»: false}}", "", ("NS0103", "put `return: last` in its place")),
    ("{gru: {units: 4, «go_backwards»: false}}", "", ("NS0103", "remove it: a layer runs forward")),
    ("{gru: {units: 4, «bidirectional»: false}}", "", ("NS0103", "remove it: a layer runs in one direction")),
    ("{gru: {units: 4, «bidirectional»: true}}", "", ("NS0103", "put `direction: both` in its place")),
    ("{gru: {units: 4, direction: «bidirectional»}}", "", ("NS0104", "write `direction: both`")),
    ("{lstm: {units: 4, «activation»: relu}}", "", ("NS0103", "an `lstm` has tanh")),
    ("{gru: {units: 4, axis: width}, from: m, name: a}, {«gru»: {units: 4, axis: height}, from: [m, v]}",
     "inputs: {m: [3, 7, 9], v: [4]}", ("NS0317", "spread a vector with `repeat_vector: [9]`")),
    ("{«gru»: 4, from: [x, n]}", "inputs: {x: [3, 20], n: [1]}", ("NS0317", "as `{shape: [], vocabulary: 21}`")),
    ("{«gru»: 4, from: [x, n, h]}", "inputs: {x: [3, 20], h: [4], n: {shape: [], vocabulary: 21}}",
     ("NS0304", "change their order: `from` names `sequence`, then `state`, then `lengths`")),
]  # fmt: skip


@pytest.mark.parametrize(("items", "inputs", "refusal"), REFUSED)
def test_what_does_not_fit_is_refused(items: str, inputs: str, refusal: tuple[str, str]) -> None:
    hold_refusals(whole(items, inputs or "input: [3, 20]"), refusal)


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (
            "{gru: {units: 5, layers: 2, variational: true}}",
            ["`variational` has no effect with `dropout: 0`"],
        ),
        ("{gru: {units: 5, variational: true, dropout: 0.5}}", []),
        (
            "{lstm: {units: 5, bias: false, bias_init: ones}}",
            ["`bias_init` has no effect with `bias: false`"],
        ),
        ("{lstm: {units: 5, bias: false, bias_init: zeros}}", []),
        (
            "{gru: {units: 5, direction: both, merge: sum, return: state}}",
            ["`merge` has no effect with `return: state`"],
        ),
        ("{gru: {units: 5, direction: both, merge: sum, return: state, layers: 2}}", []),
        ("{conv: {filters: 5, kernel: 1, bias: false, bias_init: normal}}", ["`bias_init` has no effect"]),
        ("{scale: {bias: false, bias_init: ones}}", ["`bias_init` has no effect with `bias: false`"]),
    ],
)
def test_a_field_without_an_effect_gets_a_warning(items: str, told: list[str]) -> None:
    graph, found = check_text(whole(items), "a.yaml")
    assert graph is not None
    assert [each.code.id for each in found] == ["NS0130"] * len(told)
    assert all(words in each.message for words, each in zip(told, found, strict=True))


@pytest.mark.parametrize("field", ["init", "recurrent_init"])
def test_a_matrix_of_gates_does_not_interpolate(field: str) -> None:
    hold_refusals(whole(f"{{gru: {{units: 5, {field}: «bilinear»}}}}"), ("NS0317", "connects each channel"))


def test_a_default_without_an_effect_gets_no_warning() -> None:
    text = whole("{dense: {units: 5, bias: false}}").replace(
        "layers:", "defaults: {dense: {bias_init: ones}}\nlayers:"
    )
    assert check_text(text, "a.yaml")[1] == []
