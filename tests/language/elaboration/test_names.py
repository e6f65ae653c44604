"""Canonical names: the path of names, an unnamed layer being its op and its ordinal in its scope."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Problems
from netspec.loading import graph_of_text
from tests.language.author import graph_of, hold_refusals, names_of, wires_of


def test_an_unnamed_layer_is_its_op_and_its_ordinal_among_its_like() -> None:
    graph = graph_of("layers: [relu, relu, tanh, relu]")
    assert names_of(graph) == ["relu1", "relu2", "tanh1", "relu3"]


def test_named_layers_count_too() -> None:
    graph = graph_of("layers: [relu, {relu: , name: second}, relu]")
    assert names_of(graph) == ["relu1", "second", "relu3"]


def test_ordinals_start_anew_in_each_scope() -> None:
    graph = graph_of(
        """
        blocks: {unit: {layers: [relu, relu]}}
        layers:
          - relu
          - unit
          - unit: {}
            name: mine
          - unit
          - layers: [relu, tanh]
            name: tail
          - relu
        """
    )
    assert names_of(graph) == [
        *("relu1", "unit1.relu1", "unit1.relu2", "mine.relu1", "mine.relu2", "unit3.relu1", "unit3.relu2"),
        *("tail.relu1", "tail.tanh1", "relu2"),
    ]


def test_repetitions_count_from_0_and_open_a_scope() -> None:
    graph = graph_of(
        """
        blocks: {unit: {layers: [relu]}}
        layers:
          - unit:
            repeat: 2
            name: stage2
          - unit:
            repeat: 2
          - relu:
            repeat: 2
          - layers: [relu, tanh]
            repeat: 2
        """
    )
    assert names_of(graph) == [
        *("stage2.0.relu1", "stage2.1.relu1", "unit2.0.relu1", "unit2.1.relu1", "relu1.0", "relu1.1"),
        *("group1.0.relu1", "group1.0.tanh1", "group1.1.relu1", "group1.1.tanh1"),
    ]


def test_branches_and_unnamed_groups_open_no_scope() -> None:
    graph = graph_of(
        """
        layers:
          - relu
          - add:
              - - relu
                - layers: [relu]
              - [relu]
          - relu
        """
    )
    assert names_of(graph) == ["relu1", "relu2", "relu3", "relu4", "add1", "relu5"]


def test_heads_and_networks_open_a_scope() -> None:
    graph = graph_of(
        """
        netspec: 1
        name: spec
        input: [1, 32, 32]
        layers: [{network: {spec: "zoo:lenet5", until: S2}}, {network: "zoo:lenet5", from: input}]
        heads: {aux: {from: network1, layers: [relu]}}
        """
    )
    assert names_of(graph)[:3] == ["network1.C1", "network1.S2", "network2.C1"]
    assert names_of(graph)[-1] == "aux.relu1"


def test_a_merge_is_numbered_before_what_stands_in_its_branches_is_not_its_like() -> None:
    graph = graph_of("layers: [{add: [[relu, {add: [[], [tanh]]}], []]}]")
    assert wires_of(graph)["add1"] == ("add2", "input")


def test_weights_carry_the_name_of_their_layer() -> None:
    graph = graph_of(
        """
        blocks: {unit: {layers: [{conv: {filters: 4, kernel: 1}}]}}
        layers: [{unit: , repeat: 2, name: stage}, {dense: 3, name: out}]
        """
    )
    assert [weight.name for weight in graph.weights] == [
        *("stage.0.conv1.weight", "stage.0.conv1.bias", "stage.1.conv1.weight", "stage.1.conv1.bias"),
        *("out.weight", "out.bias"),
    ]


@pytest.mark.parametrize(
    "name", ["class", "train", "forward", "half", "C1", "a_b", "stage2", "relu", "x" * 80]
)
def test_any_identifier_is_a_name(name: str) -> None:
    assert names_of(graph_of(f"layers: [{{tanh: , name: {name}}}]")) == [name]


def test_the_same_name_may_stand_in_two_scopes() -> None:
    graph = graph_of(
        "layers: [{layers: [{relu: , name: a}], name: x}, {layers: [{relu: , name: a}], name: y}]"
    )
    assert names_of(graph) == ["x.a", "y.a"]


REFUSED = [
    ("my-layer", "letters, digits and underscores"),
    ("_a", "a letter, followed by"),
    ("1a", "a letter, followed by"),
    ("é", "letters, digits"),
    ("a.b", "letters, digits"),
    ("x" * 81, "at most 80 characters"),
    ("'a; import os'", "cannot be a name"),
    ("'a b'", "cannot be a name"),
    ('"a\\nb"', "cannot be a name"),
    ("3", "3 cannot be a name"),
    ("true", "`true` cannot be a name"),
    ("input", "it is the name of the network's input"),
    ("output", "it is the name of the end of the network"),
    ("indices", "it is the name of an output of an op"),
]


@pytest.mark.parametrize(("name", "words"), REFUSED)
@pytest.mark.parametrize(
    "how", ["{relu: , name: «@»}", "{relu: , name: «@», repeat: 2}", "{layers: [relu], name: «@»}"]
)
def test_a_name_that_cannot_be_one_is_refused(name: str, words: str, how: str) -> None:
    item = how.replace("@", name)
    hold_refusals(f"blocks: {{unit: {{layers: [relu]}}}}\nlayers: [unit, {item}]", ("NS0107", words))


def test_a_name_is_refused_where_its_item_is_left_out_too() -> None:
    hold_refusals("layers: [relu, {relu: , when: false, name: «a-b»}]", ("NS0107", "a-b"))


@pytest.mark.parametrize(
    "text",
    [
        "layers: [{relu: , name: a}, {tanh: , name: «a»}]",
        "layers: [{relu: , name: a}, {tanh: , name: «a», repeat: 2}]",
        "layers: [{relu: , name: a}, {layers: [tanh], name: «a»}]",
        "layers: [{relu: , name: a}, {layers: [{tanh: , name: «a»}]}]",
        "layers: [{relu: , name: a}, {add: [[], [{tanh: , name: «a»}]]}]",
        "layers: [{relu: , name: a}]\nheads: {«a»: {layers: [relu]}}",
        "blocks: {unit: {inputs: [x], layers: [{relu: , name: «x»}]}}\nlayers: [unit]",
        "blocks: {unit: {inputs: [x, «x»], layers: [relu]}}\nlayers: [{unit: , from: [input, input]}]",
    ],
)
def test_a_name_stands_once_in_a_scope(text: str) -> None:
    hold_refusals(text, ("NS0108", ""))


@pytest.mark.parametrize(
    "text",
    [
        "layers: [relu]\nheads: {«output»: {layers: [relu]}}",
        "layers: [relu]\nheads: {«a-b»: {layers: [relu]}}",
        "blocks: {«a-b»: {layers: [relu]}}\nlayers: [relu]",
        "blocks: {unit: {inputs: [«output»], layers: [relu]}}\nlayers: [unit]",
        "params: {«a-b»: 1}\nlayers: [relu]",
        "params: {«in»: 1}\nlayers: [relu]",
        "blocks: {unit: {params: {«index»: 1}, layers: [relu]}}\nlayers: [unit]",
    ],
)
def test_other_names_are_held_to_the_same(text: str) -> None:
    hold_refusals(text, ("NS0107", ""))


def test_names_of_inputs_and_of_the_spec_are_held_too() -> None:
    hold_refusals("netspec: 1\nname: «my net»\ninput: [8]\nlayers: [relu]", ("NS0107", "my net"))
    hold_refusals(
        (
            "netspec: 1\nname: a\ninputs: {«indices»: [8], «a b»: [8]}\n"
            "layers: [{relu: , from: indices}, {add: , from: [indices, a b]}]"
        ),
        ("NS0107", "output of an op"),
        ("NS0107", "a b"),
    )


def test_what_refers_to_a_refused_name_is_quiet() -> None:
    hold_refusals("layers: [{relu: , name: «a-b»}, {tanh: , from: a-b}]", ("NS0107", "a-b"))


def test_an_unnamed_layer_steps_aside_for_a_name_of_the_author() -> None:
    """Papers number their layers: a `conv1` of the author's is theirs, also if it comes later."""
    conv = "conv: {filters: 4, kernel: 1}"
    graph = graph_of(f"layers: [{conv}, {{{conv}, name: conv1}}, {conv}, {{{conv}, name: conv2}}, {conv}]")
    assert names_of(graph) == ["conv3", "conv1", "conv4", "conv2", "conv5"]
    graph = graph_of(f"layers: [{{{conv}, name: conv2}}, {conv}, {conv}]")
    assert names_of(graph) == ["conv2", "conv3", "conv4"]


STEPS_ASIDE = [
    ("layers: [relu, {add: [[{tanh: , name: relu1}], []]}]", ["relu2", "relu1", "add1"]),
    ("layers: [relu, {layers: [{tanh: , name: relu1}]}]", ["relu2", "relu1"]),
    ("layers: [relu, {when: false, layers: [tanh], else: [{tanh: , name: relu1}]}]", ["relu2", "relu1"]),
    ("params: {n: relu1}\nlayers: [relu, {tanh: , name: $n}]", ["relu2", "relu1"]),
    ("layers: [relu, {layers: [{tanh: , name: relu1}], name: g}]", ["relu1", "g.relu1"]),
    ("layers: [{add: [[{tanh: , name: add1}], []], repeat: 1}]", ["add1.0.add1", "add1.0.add2"]),
    ("layers: [relu]\nheads: {relu1: {from: relu2, layers: [tanh]}}", ["relu2", "relu1.tanh1"]),
    ("blocks: {u: {inputs: [relu1], layers: [relu]}}\nlayers: [u]", ["u1.relu2"]),
    ("blocks: {u: {layers: [relu]}}\nlayers: [u, {tanh: , name: u1}]", ["u2.relu1", "u1"]),
    ("layers: [{layers: [relu], repeat: 1}, {tanh: , name: group1}]", ["group2.0.relu1", "group1"]),
    (
        "layers: [relu, relu, {add: , from: [relu1, relu2]}]\nheads: {relu2: relu2}",
        ["relu1", "relu2", "add1"],
    ),
]


@pytest.mark.parametrize(("text", "names"), STEPS_ASIDE)
def test_it_steps_aside_wherever_the_name_is(text: str, names: list[str]) -> None:
    assert names_of(graph_of(text)) == names


HIDING = """
layers:
  - conv: {filters: 4, kernel: 1}
    name: relu2
  - name: g
    layers:
      - relu
      - relu:%s
      - concat:
        from: [«relu2», input]
"""


def test_an_automatic_name_does_not_hide_a_name_that_the_author_gave() -> None:
    text = "netspec: 1\nname: t\ninput: [3, 8, 8]" + HIDING
    hold_refusals(text % "", ("NS0108", "give the unnamed layer a `name`"))
    problems = Problems()
    graph = graph_of_text(
        (text % "\n        name: second").replace("«", "").replace("»", ""), "t.yaml", problems
    )
    assert graph is not None, list(problems)
    assert (
        graph.types[graph.outputs[0].value].channels == 7
    )  # 4 of the convolution that is called relu2, 3 of the input
