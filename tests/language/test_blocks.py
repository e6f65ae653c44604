"""Blocks: parameters, inputs, nesting, and what they see."""

from __future__ import annotations

from itertools import pairwise

import pytest

from netspec.language.document.item import RESERVED
from tests.language.author import graph_of, hold_refusals, names_of, told, types_of, wires_of

UNIT = """
params: {width: 4, scale: 2}
blocks:
  unit:
    params: {filters: , kernel: 3, half: "${filters // 2}", wide: "${width * scale}"}
    layers:
      - conv: {filters: $filters, kernel: $kernel, padding: same}
      - conv: {filters: $half, kernel: 1}
      - conv: {filters: $wide, kernel: 1}
"""


def test_parameters_have_defaults_which_use_earlier_ones_and_those_of_the_file() -> None:
    graph = graph_of(UNIT + "layers: [{unit: {filters: 6}}, {unit: {filters: 6, half: 5, kernel: 1}}]")
    assert list(types_of(graph).values()) == ["6@8×8", "3@8×8", "8@8×8", "6@8×8", "5@8×8", "8@8×8"]
    assert graph.by_name["unit2.conv1"].op.settings()["kernel"] == (1, 1)
    assert graph.scopes[0].arguments == (("filters", 6), ("kernel", 3), ("half", 3), ("wide", 8))


def test_the_only_parameter_is_taken_plainly() -> None:
    graph = graph_of("blocks: {unit: {params: {units: }, layers: [dense: $units]}}\nlayers: [unit: 7]")
    assert types_of(graph)["unit1.dense1"] == "7@8×8"


def test_the_only_parameter_may_be_a_list_of_lists() -> None:
    graph = graph_of(
        'blocks: {unit: {params: {w: }, layers: [dense: "${w[1][0]}"]}}\nlayers: [unit: [[1, 2], [3, 4]]]'
    )
    assert types_of(graph)["unit1.dense1"] == "3@8×8"


def test_arguments_see_what_the_call_receives() -> None:
    graph = graph_of(
        "blocks: {unit: {params: {n: }, layers: [{dense: 2}, {dense: $n}]}}\n"
        'layers: [dense: 5, unit: "${in.channels * 2}"]'
    )
    assert types_of(graph)["unit1.dense2"] == "10@8×8"


def test_a_block_sees_its_input_by_block_in() -> None:
    graph = graph_of(
        """
        blocks:
          inner: {layers: [{dense: "${block.in.channels + 1}"}]}
          outer:
            params: {n: "${block.in.channels}"}
            layers: [{dense: 9}, inner, {dense: "${block.in.channels}"}, {dense: $n}]
        layers: [outer]
        """
    )
    assert list(types_of(graph).values()) == ["9@8×8", "10@8×8", "4@8×8", "4@8×8"]


def chain(blocks: int) -> str:
    """A spec whose blocks call each other one by one; the list of layers is one level, too."""
    called = [f"b{number}x" for number in range(blocks)] + ["relu"]
    inner = [f"  {name}: {{layers: [{then}]}}" for name, then in pairwise(called)]
    return "\n".join(["blocks:", *inner, f"layers: [{called[0]}]"])


def test_blocks_call_each_other_64_levels_deep_and_no_deeper() -> None:
    assert names_of(graph_of(chain(63))) == [".".join(f"b{number}x1" for number in range(63)) + ".relu1"]
    ((code, message),) = [(each.code.id, each.message) for each in told(chain(64))]
    assert (code, message) == (
        "NS0119",
        "groups, branches and blocks are nested more than 64 levels deep",
    )


def test_blocks_nest() -> None:
    graph = graph_of(
        """
        blocks:
          a: {params: {n: 1}, layers: [{dense: $n}, relu]}
          b: {params: {n: 2}, layers: [{a: {n: "${n + 1}"}}, a]}
        layers: [b, {b: 7, name: last}]
        """
    )
    assert names_of(graph)[:4] == ["b1.a1.dense1", "b1.a1.relu1", "b1.a2.dense1", "b1.a2.relu1"]
    assert [type_ for name, type_ in types_of(graph).items() if "dense" in name] == [
        *("3@8×8", "1@8×8", "8@8×8", "1@8×8"),
    ]


def test_inputs_are_given_by_from_in_order_and_are_names_inside() -> None:
    graph = graph_of(
        """
        blocks:
          join:
            inputs: [x, skip]
            layers:
              - relu
              - concat:
                from: [skip, relu1, x]
        layers:
          - dense: 2
          - dense: 3
          - join:
            from: [dense1, dense2]
        """
    )
    assert wires_of(graph)["join1.relu1"] == ("dense1",)
    assert wires_of(graph)["join1.concat1"] == ("dense2", "join1.relu1", "dense1")
    assert graph.scope_by_path["join1"].inputs == ("dense1", "dense2")


def test_a_block_of_one_input_takes_the_current_tensor_or_a_name() -> None:
    text = "blocks: {unit: {inputs: [x], layers: [relu, {add: , from: [x, relu1]}]}}\n"
    assert wires_of(graph_of(text + "layers: [tanh, unit]"))["unit1.add1"] == ("tanh1", "unit1.relu1")
    graph = graph_of(text + "layers: [tanh, {unit: , from: input}, {add: , from: [tanh1, unit1]}]")
    assert wires_of(graph)["unit1.relu1"] == ("input",)


def test_a_block_without_layers_is_the_identity() -> None:
    assert names_of(
        graph_of("blocks: {nothing: {layers: []}}\nlayers: [relu, nothing, {tanh: , from: nothing1}]")
    ) == [
        *("relu1", "tanh1"),
    ]


def test_a_parameter_of_a_block_hides_that_of_the_file() -> None:
    graph = graph_of(
        "params: {n: 1}\nblocks: {unit: {params: {n: 2}, layers: [dense: $n]}}\nlayers: [unit, dense: $n]"
    )
    assert list(types_of(graph).values()) == ["2@8×8", "1@8×8"]


REFUSED = [
    ("layers: [«unit»]", "NS0102", "the block `unit` needs `filters`"),
    ("layers: [{unit: {«filter»: 3}}]", "NS0103", "write `filters`"),
    ("layers: [{unit: {filters: 3, «nobody»: 1}}]", "NS0103", "it has `filters`, `half`, `kernel`, `wide`"),
    ("layers: [{unit: {«filters»: }}]", "NS0102", "`filters` has no value"),
    ("layers: [{unit: {filters: «{a: 1}»}}]", "NS0104", "a finite number, a boolean, a word or a list"),
    ("layers: [{unit: {filters: «.nan»}}]", "NS0104", "a finite number"),
    ("layers: [{unit: {filters: «[1, ~]»}}]", "NS0104", "a finite number"),
    ("layers: [{unit: {filters: '${«fliters» + 1}'}}]", "NS0203", "fliters"),
    (
        "layers: [{unit: {filters: 3}, from: «[input, input]»}]",
        "NS0123",
        "takes 1 (the current tensor), but gets 2",
    ),
]


@pytest.mark.parametrize(("text", "code", "words"), REFUSED)
def test_a_call_that_does_not_fit_is_refused(text: str, code: str, words: str) -> None:
    hold_refusals(UNIT + text, (code, words))


def test_a_plain_value_is_that_of_the_only_required_parameter() -> None:
    """Whatever has a default beside it; or that of the only parameter."""
    body = "layers: [{{dense: $a}}, {{dense: {}}}]"
    for params, other in (("{a: , b: 1}", "$b"), ("{b: 1, a: , c: 7}", "$b"), ("{a: 3}", "1")):
        graph = graph_of(f"blocks: {{u: {{params: {params}, {body.format(other)}}}}}\nlayers: [u: 4]")
        assert [node.output.channels for node in graph.nodes] == [4, 1]


def test_a_plain_value_could_be_of_several_parameters() -> None:
    for params, has in (
        ("{a: , b: }", "2 required parameters, which must be named"),
        ("{a: , b: , c: 1}", "write `u: {a: …, b: …}`"),
        ("{a: 1, b: 2}", "2 parameters, which must be named"),
        ("{}", "has no parameters"),
    ):
        text = f"blocks: {{u: {{params: {params}, layers: [relu]}}}}\nlayers: [u: «4»]"
        hold_refusals(text, ("NS0120", has))


WRONG_BLOCKS = [
    ("«relu»: {layers: [tanh]}", "NS0114", "`relu` is already an op"),
    ("«network»: {layers: [tanh]}", "NS0114", "already"),
    ("«layers»: {layers: [tanh]}", "NS0114", "already"),
    *((f"«{word}»: {{layers: [tanh]}}", "NS0114", "a word of the language") for word in RESERVED),
    ("unit: «5»", "NS0104", "the block `unit` must be a mapping"),
    ("unit: «[relu]»", "NS0104", "write `unit: {layers: […]}`"),
    ("«unit»: {params: {a: 1}}", "NS0102", "the block `unit` needs `layers`"),
    ("unit: {«layer»: [relu]}", "NS0103", "write `layers`"),
    ("unit: {layers: [relu], «heads»: {}}", "NS0103", "the block `unit` has no `heads`"),
    ("unit: {layers: «relu»}", "NS0104", "is a list of items"),
    ("unit: {params: «[a]», layers: [relu]}", "NS0104", "`params` must be a mapping"),
    ("unit: {inputs: [«3»], layers: [relu]}", "NS0107", "3 cannot be a name"),
    ("unit: {layers: [«reul»]}", "NS0105", "did you mean `relu`?"),
    ("unit: {layers: [{dense: $«a»}]}", "NS0203", "`a` is not a parameter here"),
    ("unit: {params: {a: $«b», b: 1}, layers: [{dense: $a}]}", "NS0203", "`b` is not a parameter here"),
    ("unit: {layers: [{dense: «-1»}]}", "NS0104", "at least 1"),
    ("unit: {layers: [relu, «unit»]}", "NS0111", "the block `unit` contains itself"),
    ("unit: {layers: [{add: [[], [«unit»]]}]}", "NS0111", "the block `unit` contains itself"),
    ("unit: {layers: [{«unit»: , when: true}]}", "NS0111", "contains itself"),
    ("unit: {layers: [{«unit»: , repeat: 2}]}", "NS0111", "and no `when` ends it"),
    (
        "unit: {layers: [other]}, other: {layers: [third]}, third: {layers: [«unit»]}",
        "NS0111",
        "through `other`, `third`",
    ),
]


@pytest.mark.parametrize(("block", "code", "words"), WRONG_BLOCKS)
@pytest.mark.parametrize(
    "calls", ["relu", "unit", "{unit: , repeat: 3}, unit, {unit: , name: a}, {tanh: , from: a}"]
)
def test_a_mistake_in_a_block_is_told_once_however_often_it_is_called(
    block: str, code: str, words: str, calls: str
) -> None:
    called = calls if "unit:" in block else "relu"
    hold_refusals(f"blocks: {{{block}}}\nlayers: [{called}]", (code, words))


def test_a_shape_that_does_not_fit_inside_is_told_once_with_its_layer() -> None:
    hold_refusals(
        (
            "blocks: {unit: {layers: [{conv: {filters: 2, kernel: «5»}}]}}\n"
            "layers: [{unit: , repeat: 4}, unit, {dense: 3}]"
        ),
        ("NS0301", "the layer is `unit1.1.conv1`"),
    )


def test_calls_that_fail_alike_are_told_once() -> None:
    hold_refusals(
        """
        blocks: {unit: {params: {k: 9}, layers: [{conv: {filters: 2, kernel: «$k»}}]}}
        layers:
          - unit
          - {unit: , from: input}
          - {unit: {k: 11}, from: input, name: other}
          - {layers: [{unit: , from: input}], repeat: 3}
        """,
        ("NS0301", "the layer is `unit1.conv1`"),
    )


def test_inputs_of_a_block_are_counted() -> None:
    text = "blocks: {join: {inputs: [x, skip], layers: [{add: , from: [x, skip]}]}}\n"
    hold_refusals(text + "layers: [«join»]", ("NS0123", "takes 2 (x, skip), but gets 1"))
    hold_refusals(text + "layers: [{join: , from: «[input, input, input]»}]", ("NS0123", "from: […, …]"))


def test_a_block_sees_no_parameter_of_its_caller_and_no_index() -> None:
    text = (
        "blocks: {outer: {params: {n: 1}, layers: [inner]}, inner: {layers: [{dense: $«n»}]}}\n"
        "layers: [outer]"
    )
    hold_refusals(text, ("NS0203", "`n` is not a parameter here"))
    text = 'blocks: {unit: {layers: [{dense: "${«index» + 1}"}]}}\nlayers: [{unit: , repeat: 2}]'
    hold_refusals(text, ("NS0214", "cannot use the repetitions of its caller"))
    hold_refusals('layers: [{dense: "${«block.in».channels}"}]', ("NS0214", "this is not inside a block"))


def test_a_default_sees_no_parameter_of_the_caller() -> None:
    text = (
        "blocks: {outer: {params: {n: 1}, layers: [inner]}, inner: {params: {m: $«n»}, layers: [{dense: $m}]}}\n"
        "layers: [outer]"
    )
    hold_refusals(text, ("NS0203", "`n`"))
