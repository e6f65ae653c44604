"""`share` and `trainable`: whose weights a layer uses, and which learn."""

from __future__ import annotations

import pytest

from tests.language.author import graph_of, hold_refusals, wires_of

TWINS = """
netspec: 1
name: twins
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
blocks:
  pair: {params: {n: 4}, layers: [{conv: {filters: $n, kernel: 3}}, batch_norm]}
  encoder:
    layers:
      - pair
      - layers:
          - pair: {n: 5}
            name: inner
          - relu
        name: group
      - dense: 6
        repeat: 2
        name: stack
  other: {layers: [dense: 6]}
layers:
  - encoder:
    from: left
    name: first
"""


def test_an_op_uses_the_weights_of_another() -> None:
    graph = graph_of("layers: [{dense: 4, name: a}, {dense: 4, share: a}, {dense: 4, share: dense2}]")
    assert [node.shares for node in graph.nodes] == [None, "a", "a"]
    assert [weight.name for weight in graph.weights] == ["a.weight", "a.bias"]
    assert graph.by_name["dense3"].weights == graph.by_name["a"].weights


def test_other_fields_may_differ_as_long_as_the_weights_fit() -> None:
    graph = graph_of(
        "layers: [{conv: {filters: 4, kernel: 3, padding: same}, name: a}, "
        "{conv: {filters: 4, kernel: 3, stride: 2}, share: a}]"
    )
    assert graph.by_name["conv2"].shares == "a"


def test_a_block_call_uses_all_weights_of_another() -> None:
    graph = graph_of(
        TWINS
        + (
            "  - encoder:\n    from: right\n    name: second\n    share: first\n  - add:\n"
            "    from: [first, second]\n"
        )
    )
    for node in graph.nodes:
        if node.name.startswith("second.") and node.weights:
            assert node.shares == node.name.replace("second", "first", 1)
    assert graph.scope_by_path["second"].shares == "first"
    assert graph.scope_by_path["second.group.inner"].shares == "first.group.inner"
    assert not any(weight.name.startswith("second") for weight in graph.weights)


def test_it_finds_by_path_and_in_a_repeat() -> None:
    text = (
        "  - dense: 6\n    share: first.stack.1\n    repeat: 2\n    from: first.stack.0\n"
        "  - multiply:\n    from: [first, dense1]\n"
    )
    graph = graph_of(TWINS.replace(", right: [3, 8, 8]", "") + text)
    assert {node.shares for node in graph.nodes if node.name.startswith("dense1.")} == {"first.stack.1"}


def test_sharing_inside_a_shared_block_holds_its_own_rules() -> None:
    graph = graph_of(
        """
        blocks: {twice: {layers: [{dense: 4, name: a}, {dense: 4, share: a}]}}
        layers: [{twice: , name: one}, {twice: , share: one}]
        """
    )
    assert [node.shares for node in graph.nodes] == [None, "one.a", "one.a", "one.a"]


def test_a_call_that_leaves_something_out_still_shares_the_rest() -> None:
    graph = graph_of(
        """
        blocks: {unit: {params: {act: true}, layers: [{dense: 4}, {relu: , when: $act}, {tanh: , when: "${not act}"}]}}
        layers: [{unit: {}, name: a}, {unit: {act: false}, share: a}]
        """
    )
    assert graph.by_name["unit2.dense1"].shares == "a.dense1"
    assert graph.by_name["unit2.tanh1"].shares is None


REFUSED = [
    ("{dense: 5, share: «a»}", "the weights of `a` do not fit"),
    ("{dense: 5, share: «a»}", "needed: weight 5×4, bias 5"),
    ("{dense: 5, share: «a»}", "in `a`: weight 4×4, bias 4"),
    ("{dense: 5, share: «a»}", "give `dense2` `units: 4`"),
    ("{dense: {units: 4, bias: false}, share: «a»}", "do not fit"),
    ("{conv: {filters: 4, kernel: 1}, share: «a»}", "do not fit"),
    ("{relu: , share: «r»}", "`r` is not a layer with weights"),
    ("{dense: 4, share: «r»}", "`r` is not a layer with weights"),
    ("{dense: 4, share: «u»}", "`u` is not a layer with weights"),
    ("{dense: 4, share: «input»}", "`input` is not a layer with weights"),
    ("{unit: , share: «a»}", "`a` is not a call of `unit`"),
    ("{unit: , share: «o»}", "`o` is not a call of `unit`"),
    ("{unit: , share: «s»}", "`s` is not a call of `unit`"),
    ("{unit: , share: «s.*»}", "names 2 layers"),
    ("{unit: {n: 7}, share: «u»}", "the weights of `u.dense1` do not fit `unit"),
    ("{unit: {n: 7}, share: «u»}", "both need the same fields"),
    ("{dense: 4, share: «a», trainable: false}", "`a` is trainable"),
    ("{unit: , share: «u», trainable: false}", "is trainable"),
]


@pytest.mark.parametrize(("item", "words"), REFUSED)
def test_weights_that_cannot_be_shared_are_refused_once(item: str, words: str) -> None:
    hold_refusals(
        f"""
        blocks:
          unit: {{params: {{n: 4}}, layers: [{{dense: $n}}, {{add: [[dense: $n], [dense: $n]]}}]}}
          other: {{layers: [dense: 4]}}
        layers:
          - {{dense: 4, name: a}}
          - {{relu: , name: r}}
          - {{unit: , name: u}}
          - {{other: , name: o}}
          - {{unit: , name: s, repeat: 2}}
          - {item}
          - dense: 2
        """,
        ("NS0309", words),
    )


FURTHER = """
blocks:
  unit:
    params: {more: 0}
    layers:
      - dense: 4
      - {tanh: , when: "${more > 0}"}
      - {dense: 4, when: "${more > 1}"}
layers:
  - {unit: , name: one}
  - {unit: {more: MORE}, share: «one»}
  - dense: 2
"""


def test_a_call_may_have_further_layers_without_weights() -> None:
    graph = graph_of(FURTHER.replace("MORE", "1").replace("«one»", "one"))
    assert [(node.name, node.shares) for node in graph.nodes] == [
        ("one.dense1", None),
        ("unit2.dense1", "one.dense1"),
        ("unit2.tanh1", None),
        ("dense1", None),
    ]


def test_a_call_whose_further_layer_has_weights_is_refused() -> None:
    hold_refusals(FURTHER.replace("MORE", "2"), ("NS0309", "`one.dense2` is not a layer with weights"))


NAMES = [
    ("{dense: 4, share: «nobody»}", "NS0109"),
    ("{dense: 4, name: x, share: «x»}", "NS0110"),
    ("{unit: , name: x, share: «x»}", "NS0110"),
    ("{unit: , name: x, share: «x», repeat: 2}", "NS0110"),
    ("{dense: 4, share: «later»}, {dense: 4, name: later}", "NS0110"),
    ("{dense: 4, share: «3»}", "NS0124"),
    ("{dense: 4, share: «[a]»}", "NS0104"),
    ("{layers: [dense: 4], share: «a»}", "NS0103"),
    ("{dense: {units: «-4»}, name: x}, {dense: 4, share: x}", "NS0104"),
]


@pytest.mark.parametrize(("items", "code"), NAMES)
def test_share_finds_what_from_finds(items: str, code: str) -> None:
    text = f"blocks: {{unit: {{layers: [dense: 3]}}}}\nlayers: [{{dense: 4, name: a}}, {items}, {{dense: 5}}]"
    hold_refusals(text, (code, ""))


def test_a_block_in_a_block_sees_no_weights_of_its_caller() -> None:
    hold_refusals(
        "blocks: {unit: {layers: [{dense: 4, share: «a»}]}}\nlayers: [{dense: 4, name: a}, unit]",
        ("NS0109", "`a`"),
    )


def test_frozen_weights_do_not_learn() -> None:
    graph = graph_of(
        """
        blocks: {unit: {params: {learn: true}, layers: [{dense: 4}, {batch_norm: , trainable: $learn}]}}
        layers:
          - {dense: 4, trainable: false}
          - {unit: }
          - {unit: {learn: false}}
          - {unit: , trainable: false, repeat: 2}
          - {layers: [{dense: 3}], trainable: false, name: g}
          - {dense: 2, trainable: true}
          - {dense: 2, trainable: "${in.channels > 2}"}
        """
    )
    frozen = [node.name for node in graph.nodes if not node.trainable]
    assert frozen == [
        *("dense1", "unit2.batch_norm1", "unit3.0.dense1", "unit3.0.batch_norm1", "unit3.1.dense1"),
        *("unit3.1.batch_norm1", "g.dense1", "dense3"),
    ]
    for node in graph.nodes:
        assert all(weight.trainable == (node.trainable and not weight.statistic) for weight in node.weights)


def test_frozen_weights_may_be_shared() -> None:
    graph = graph_of(
        "layers: [{dense: 4, name: a, trainable: false}, {dense: 4, share: a}, "
        "{dense: 4, share: a, trainable: false}]"
    )
    assert not any(node.trainable for node in graph.nodes)
    assert wires_of(graph)["dense3"] == ("dense2",)
