"""Inputs and outputs: shapes, several inputs, vocabularies, open sizes, heads, and what nothing uses."""

from __future__ import annotations

import pytest

from netspec.check import check_text
from netspec.graph import verify
from tests.language.author import FILE, graph_of, hold_refusals, names_of, spec, told, types_of, wires_of

SHAPES = [
    ("[8]", "8"),
    ("[4, 20]", "4@20"),
    ("[3, 8, 6]", "3@8×6"),
    ("[3, 4, 8, 8]", "3@4×8×8"),
    ("[$n, 8]", "5@8"),
]


@pytest.mark.parametrize(("shape", "type_"), SHAPES)
@pytest.mark.parametrize("how", ["input: @", "input: {shape: @}"])
def test_a_shape_is_channels_first(how: str, shape: str, type_: str) -> None:
    graph = graph_of(f"netspec: 1\nname: a\nparams: {{n: 5}}\n{how.replace('@', shape)}\nlayers: [relu]")
    assert str(graph.inputs[0].type) == type_


def test_an_input_of_indices_has_no_channels() -> None:
    text = (
        "netspec: 1\nname: a\ninputs: {words: {shape: [20], vocabulary: 50}, x: [3]}\n"
        "layers: [{relu: , from: x}]"
    )
    graph, diagnostics = check_text(text, FILE)
    assert graph is not None
    assert [each.code.id for each in diagnostics] == ["NS0121"]
    assert graph.inputs[0].type.channels is None
    assert graph.inputs[0].vocabulary == 50
    hold_refusals(
        "netspec: 1\nname: a\ninput: {shape: [20], vocabulary: 50}\nlayers: [«relu»]", ("NS0304", "indices")
    )


def test_several_inputs_are_named_and_the_first_item_says_which() -> None:
    graph = graph_of(
        "netspec: 1\nname: a\ninputs: {left: [8], right: [8]}\nlayers: [{add: , from: [left, right]}, relu]"
    )
    assert wires_of(graph) == {"add1": ("left", "right"), "relu1": ("add1",)}
    graph = graph_of("netspec: 1\nname: a\ninputs: {only: [8]}\nlayers: [{layers: [relu], from: only}]")
    assert wires_of(graph) == {"relu1": ("only",)}
    graph = graph_of(
        "netspec: 1\nname: a\ninputs: {l: [8], r: [8]}\n"
        "layers: [{add: [[{relu: , from: l}], [{tanh: , from: r}]]}]"
    )
    assert wires_of(graph)["add1"] == ("relu1", "tanh1")


NO_CURRENT = [
    "«relu»",
    "{«relu»: , repeat: 2}",
    "{layers: [«relu»]}",
    "{add: [[«relu»], [{tanh: , from: a}]]}",
    "{«add»: [[], [{tanh: , from: a}]]}",
    "«unit»",
    "{«network»: 'zoo:mlp'}",
]


@pytest.mark.parametrize("item", NO_CURRENT)
def test_without_from_there_is_no_current_tensor(item: str) -> None:
    text = (
        f"netspec: 1\nname: a\ninputs: {{a: [8], b: [8]}}\nblocks: {{unit: {{layers: [relu]}}}}\n"
        f"layers: [{item}, {{add: , from: [a, b]}}]"
    )
    hold_refusals(text, ("NS0115", "needs a `from`"))


def test_an_expression_without_a_current_tensor_says_so() -> None:
    text = (
        "netspec: 1\nname: a\ninputs: {a: [8], b: [8]}\n"
        "layers: [{relu: , from: a, when: true}, {layers: [], from: b}]\nheads: {h: {layers: [relu]}}"
    )
    assert {each.code.id for each in told(text)} == {"NS0117"}
    text = (
        "netspec: 1\nname: a\ninputs: {a: [8], b: [8]}\n"
        'layers: [{layers: [{add: , from: [a, b]}], when: "${«in».channels > 1}"}]'
    )
    hold_refusals(text, ("NS0214", "with several inputs, state a `from`"))


INPUTS = [
    ("input: «3»", "NS0104", "a list, channels first, not 3"),
    ("input: «image»", "NS0104", "not the text `image`"),
    ("input: «[]»", "NS0104", "not 0 sizes"),
    ("input: «[1, 2, 3, 4, 5]»", "NS0104", "up to 3 spatial axes"),
    ("input: [3, «-1», 8]", "NS0104", "a whole number from 1, not −1"),
    ("input: [3, «0», 8]", "NS0104", "not 0"),
    ("input: [3, «8.5», 8]", "NS0104", "not 8.5"),
    ("input: [3, «true», 8]", "NS0104", "not `true`"),
    ("input: [3, «.nan», 8]", "NS0104", ""),
    ("input: [3, «.inf», 8]", "NS0104", ""),
    ("input: [3, «~», 8]", "NS0104", "not nothing"),
    ("input: [3, «-1», 8]", "NS0104", "positions along this axis, one sample has"),
    ("input: [3, «[1]», 8]", "NS0104", "not `[1]`"),
    ("input: [3, «'a b'», 8]", "NS0104", "the text `a b`"),
    ("input: [3, «H», «W»]", "NS0310", "make it a parameter"),
    ("input: [3, $«n», 8]", "NS0203", "`n`"),
    ('input: [3, "${8 // «0»}", 8]', "NS0207", ""),
    ('input: [3, "${«in».height}", 8]', "NS0214", "no item takes a tensor"),
    ("input: {«shpe»: [3]}", "NS0103", "did you mean `shape`?"),
    ("«input»: {vocabulary: 3}", "NS0102", "the input `input` needs `shape`"),
    ("input: {shape: [20], vocabulary: «0»}", "NS0104", "a whole number from 1"),
    ("input: {shape: [20], vocabulary: «2.5»}", "NS0104", "`vocabulary: 10` for the indices 0 to 9"),
    ("input: {shape: [20], vocabulary: «many»}", "NS0104", ""),
    ("input: {shape: «[2, 2, 2, 2]», vocabulary: 9}", "NS0104", "0 to 3 spatial axes"),
    ("«inputs»: {}", "NS0102", "names no input"),
    ("«inputs»:", "NS0102", "names no input"),
    ("inputs: «[3, 8]»", "NS0104", "`inputs` must be a mapping"),
    ("input: [3]\n«inputs»: {a: [3]}", "NS0106", "keep one of them"),
    ("«inptu»: [3]", "NS0103", "did you mean `input`?"),
]


@pytest.mark.parametrize(("line", "code", "words"), INPUTS)
def test_an_input_that_is_none_is_refused_and_feeds_nothing(line: str, code: str, words: str) -> None:
    text = (
        f"netspec: 1\nname: a\n{line}\n"
        f"layers: [{{conv: {{filters: 3, kernel: 99}}, from: a}}, {{add: , from: [a, conv1]}}]"
    )
    if "inputs" not in line.replace("inptu", "inputs"):
        text = text.replace(", from: a}", "}").replace("[a, conv1]", "[conv1, conv1]")
    hold_refusals(text, *[(code, words)] * text.count("«"))


def test_a_spec_needs_an_input() -> None:
    hold_refusals("«netspec»: 1\nname: a\nlayers: [relu]", ("NS0102", "add `input: [3, 224, 224]`"))


def test_a_network_needs_a_layer() -> None:
    hold_refusals("«netspec»: 1\nname: a\ninput: [3]\nlayers: []", ("NS0102", "no layer"))
    hold_refusals(
        "«netspec»: 1\nname: a\ninput: [3]\nlayers: [{relu: , when: false}]", ("NS0102", "no layer")
    )
    hold_refusals("netspec: 1\nname: a\ninput: [3]\nlayers: «~»", ("NS0104", "`layers` is a list of items"))
    hold_refusals("«netspec»: 1\nname: a\ninput: [3]", ("NS0102", "a spec needs `layers`"))


def test_the_end_is_the_output() -> None:
    graph = graph_of("layers: [relu, tanh]")
    assert [(output.name, output.value) for output in graph.outputs] == [("output", "tanh1")]


def test_heads_add_outputs_and_take_the_place_of_the_end_where_they_start_there() -> None:
    graph = graph_of(
        "layers: [{relu: , name: a}, tanh]\nheads: {aux: {from: a, layers: [global_avg_pool, dense: 2]}}"
    )
    assert [(output.name, output.value) for output in graph.outputs] == [
        ("output", "tanh1"),
        ("aux", "aux.dense1"),
    ]
    graph = graph_of("layers: [relu, tanh]\nheads: {box: {layers: [dense: 4]}, kind: {layers: [dense: 3]}}")
    assert [output.name for output in graph.outputs] == ["box", "kind"]
    assert wires_of(graph)["box.dense1"] == wires_of(graph)["kind.dense1"] == ("tanh1",)
    graph = graph_of("layers: [relu, tanh]\nheads: {kind: {from: tanh1, layers: [dense: 3]}}")
    assert [output.name for output in graph.outputs] == ["kind"]
    assert types_of(graph)["kind.dense1"] == "3@8×8"


def test_heads_may_start_at_the_input_and_be_empty() -> None:
    graph = graph_of("layers: []\nheads: {a: {layers: [relu]}, b: {from: input, layers: [tanh]}}")
    assert [output.name for output in graph.outputs] == ["a", "b"]
    graph = graph_of("layers: [{relu: , name: r}, tanh]\nheads: {mid: {from: r, layers: []}}")
    assert graph.outputs[1].value == "r"


HEADS = [
    ("h: {from: «nobody», layers: [relu]}", "NS0109", "nobody"),
    ("h: {from: «[input, relu1]», layers: [relu]}", "NS0311", "a head starts from one layer"),
    ("h: «{from: input}»", "NS0102", "the head `h` needs `layers`"),
    ("h: {«form»: input, layers: [tanh]}", "NS0103", "did you mean `from`?"),
    ("h: «[relu]»", "NS0104", "the head `h` must be a mapping"),
    ("h: {layers: «relu»}", "NS0104", "is a list of items"),
    ("h: {layers: [«reul»]}", "NS0105", "did you mean `relu`?"),
    ("h: {layers: [{conv: {filters: 2, kernel: «9»}}, {dense: 3}]}", "NS0301", "the layer is `h.conv1`"),
    ("h: {layers: [relu]}, g: {from: «i», layers: [relu]}, i: {layers: [relu]}", "NS0109", "`i`"),
]


@pytest.mark.parametrize(("head", "code", "words"), HEADS)
def test_a_head_that_is_none_is_refused(head: str, code: str, words: str) -> None:
    hold_refusals(f"layers: [relu]\nheads: {{{head}}}", (code, words))


def test_heads_are_a_mapping() -> None:
    hold_refusals("layers: [relu]\nheads: «[relu]»", ("NS0104", "`heads` must be a mapping"))


def test_what_nothing_uses_is_a_warning() -> None:
    text = spec(
        """
        blocks:
          unit: {layers: [{relu: , name: lost}, {tanh: , from: lost}, {dense: 4}, {sigmoid: , from: tanh1}]}
        layers: [{unit: , repeat: 3}, unit]
        """
    )
    graph, diagnostics = check_text(text, FILE)
    assert graph is not None
    verify(graph)
    assert [(each.code.id, each.severity) for each in diagnostics] == [("NS0117", "warning")]
    assert "unit1.0.dense1" in diagnostics[0].message
    assert "unit1.0.dense1" in names_of(graph)


@pytest.mark.parametrize(("unused", "notes"), [("dense: 4", 1), ("relu: ", 0)])
def test_only_an_unused_layer_with_weights_has_a_note_on_them(unused: str, notes: int) -> None:
    (diagnostic,) = told(f"layers: [{{{unused}}}, {{tanh: , from: input}}]")
    assert (diagnostic.code.id, len(diagnostic.notes)) == ("NS0117", notes)
    assert all("it has weights" in note for note in diagnostic.notes)


def test_the_end_is_an_output_though_a_block_in_a_head_takes_it() -> None:
    graph = graph_of(
        """
        blocks: {unit: {layers: [relu]}}
        layers: [{tanh: , name: first}, {sigmoid: , name: last}]
        heads: {far: {from: first, layers: [{relu: , name: own}, {unit: , from: last}, {add: , from: [own, unit1]}]}}
        """
    )
    assert [(each.name, each.value) for each in graph.outputs] == [("output", "last"), ("far", "far.add1")]


def test_an_item_that_is_left_out_before_there_is_a_current_tensor_is_no_fault() -> None:
    graph = graph_of(
        """
        netspec: 1
        name: late
        inputs: {a: [4], b: [4]}
        params: {flag: 0}
        layers:
          - {relu: , name: x, from: a, when: "${flag > 0}"}
          - {add: , from: [a, b]}
        """
    )
    assert [node.name for node in graph.nodes] == ["add1"]
