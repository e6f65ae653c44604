"""Branches that are names, heads that take a layer's own name, an activation by parameter, and `like` for sizes."""

from __future__ import annotations

import pytest

from netspec.ops.resize import Crop, Pad
from tests.language.author import graph_of, hold_refusals, hold_words, names_of, told, types_of, wires_of

AB = "{tanh: , name: a}, {dense: 4, name: b}"


def test_branches_mix_names_and_items() -> None:
    graph = graph_of(f"layers: [{AB}, {{add: [a, [relu], [], b]}}]")
    assert wires_of(graph)["add1"] == ("a", "relu1", "b", "b")
    graph = graph_of(
        f"params: {{from: a}}\nlayers: [{AB}, {{concat: {{branches: [$from, [relu]], axis: height}}}}]"
    )
    assert wires_of(graph)["concat1"] == ("a", "relu1")


def test_a_name_can_be_a_path_and_stand_for_every_repetition() -> None:
    graph = graph_of(
        "layers: [{layers: [{tanh: , name: t}], repeat: 2, name: r}, {add: [r.0.t, [relu], r.*.t]}]"
    )
    assert wires_of(graph)["add1"] == ("r.0.t", "relu1", "r.0.t", "r.1.t")


def test_a_merge_of_names_can_be_repeated() -> None:
    graph = graph_of(f"layers: [{AB}, {{add: [a, []], repeat: 2}}]")
    wires = wires_of(graph)
    assert wires["add1.0.add1" if "add1.0.add1" in wires else "add1.0"] == ("a", "b")
    assert wires["add1.1.add1" if "add1.1.add1" in wires else "add1.1"][0] == "a"


@pytest.mark.parametrize(
    ("branches", "code", "words"),
    [
        ("[a, «nobody»]", "NS0109", "no earlier layer is called `nobody`"),
        ("[a, «relu»]", "NS0116", "write `[relu]`"),
        ("[a, «unit»]", "NS0116", "write `[unit]`"),
        ("[a, «5»]", "NS0116", "a branch is a list of items, or the name of a layer"),
        ("[[], «{relu: }»]", "NS0116", "or the name of a layer"),
        ("[a, «later»]", "NS0110", "only earlier layers can be used"),
    ],
)
def test_a_branch_that_is_neither_is_refused(branches: str, code: str, words: str) -> None:
    text = (
        f"blocks: {{unit: {{layers: [relu]}}}}\nlayers: [{AB}, {{add: {branches}}}, {{relu: , name: later}}]"
    )
    hold_refusals(text, (code, words))


def test_a_head_can_have_the_name_of_its_layer() -> None:
    graph = graph_of(
        f"layers: [{AB}, relu]\nheads: {{a: a, b: {{from: b, layers: []}}, c: {{layers: [softmax]}}}}"
    )
    assert [(each.name, each.value) for each in graph.outputs] == [
        ("a", "a"),
        ("b", "b"),
        ("c", "c.softmax1"),
    ]
    graph = graph_of(f"layers: [{AB}]\nheads: {{b: b}}")
    assert [each.name for each in graph.outputs] == ["b"]
    graph = graph_of(
        "layers: [{layers: [relu, tanh], name: mean}, relu]\nheads: {mean: mean, other: mean.relu1}"
    )
    assert {each.name: each.value for each in graph.outputs} == {
        "output": "relu1",
        "mean": "mean.tanh1",
        "other": "mean.relu1",
    }


@pytest.mark.parametrize(
    ("heads", "code", "words"),
    [
        ("{«a»: b}", "NS0108", "or write `a: a` for that layer"),
        ("{«a»: {from: a, layers: [relu]}}", "NS0108", "rename one of the two"),
        ("{c: «nobody»}", "NS0109", "no earlier layer is called `nobody`"),
        ("{c: «5»}", "NS0104", "or the name of a layer"),
        ("{c: «[a]»}", "NS0104", "or the name of a layer"),
    ],
)
def test_a_head_with_another_layers_name_is_refused(heads: str, code: str, words: str) -> None:
    hold_refusals(f"layers: [{AB}]\nheads: {heads}", (code, words))


def test_an_activation_by_parameter() -> None:
    graph = graph_of(
        """
        params: {act: elu, none: none}
        layers:
          - activation: $act
          - activation: {leaky_relu: 0.5}
          - activation: $none
          - {activation: prelu, repeat: 2, name: p}
          - {activation: "${act if in.channels == 4 else none}", name: last}
        """
    )
    ops = {node.name: str(node.op) for node in graph.nodes}
    assert ops == {
        "activation1": "elu[alpha=1.0]",
        "activation2": "leaky_relu[slope=0.5]",
        "activation3": "identity",
        "p.0": ops["p.1"],
        "p.1": ops["p.1"],
        "last": "elu[alpha=1.0]",
    }
    assert ops["p.1"].startswith("prelu[")
    assert [weight.name for weight in graph.weights] == ["p.0.weight", "p.1.weight"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("reul", "`activation` does not take this word"),
        ("{leaky: 0.5}", "write `{leaky_relu: 0.1}`"),
        ("{leaky_relu: {slop: 0.5}}", "slope"),
        ("{leaky_relu: -1}", "0"),
        ("5", "an activation is a name"),
        ("[relu]", "an activation is a name"),
    ],
)
def test_an_activation_that_is_none_is_refused(value: str, words: str) -> None:
    (found,) = told(f"layers: [activation: {value}]")
    hold_words(words, found)
    (found,) = told("layers: [activation]")
    assert found.code.id == "NS0102"


def test_like_takes_the_sizes_of_a_layer() -> None:
    graph = graph_of(
        """
        layers:
          - {conv: {filters: 2, kernel: [2, 3]}, name: small}
          - {pad: {like: input, mode: reflect}}
          - {crop: {like: small}}
          - {upsample: {like: input, mode: linear}}
          - {crop: {like: small}}
          - {pad: {size: [9, 8]}, name: last}
        """
    )
    assert types_of(graph) == {
        "small": "2@7×6",
        "pad1": "2@8×8",
        "crop1": "2@7×6",
        "upsample1": "2@8×8",
        "crop2": "2@7×6",
        "last": "2@9×8",
    }
    borders = {
        node.name: (node.op.pads if isinstance(node.op, Pad) else node.op.cuts)(
            [graph.types[value] for value in node.inputs]
        )
        for node in graph.nodes
        if isinstance(node.op, Pad | Crop)
    }
    assert borders["pad1"] == ((0, 1), (1, 1)), "as `crop`, which removes it again: the odd one at the end"
    assert borders["crop1"] == ((0, 1), (1, 1))
    assert borders["last"] == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("item", "code", "words"),
    [
        ("{pad: {like: «nobody»}}", "NS0109", "no earlier layer is called `nobody`"),
        ("{pad: {like: «small»}, from: input}", "NS0314", "`crop` makes a map smaller"),
        ("{upsample: {like: «small»}, from: input}", "NS0314", "is larger than"),
        ("{«pad»: {like: input, amount: 1}}", "NS0314", "one of `amount`, `size` and `like`"),
        ("{«pad»: {mode: reflect}}", "NS0314", "one of `amount`, `size` and `like`"),
        ("{«upsample»: {like: input, factor: 2}}", "NS0314", "one of `factor`, `size` and `like`"),
        ("{crop: {size: 2, «like»: input}}", "NS0104", "`crop` has `size` and `like`"),
        ("{upsample: {size: 9, «like»: input}}", "NS0104", "`upsample` has `size` and `like`"),
    ],
)
def test_a_like_that_does_not_fit_is_refused(item: str, code: str, words: str) -> None:
    hold_refusals(f"layers: [{{conv: {{filters: 2, kernel: 3}}, name: small}}, {item}]", (code, words))


def test_an_item_overrides_a_default_that_states_the_size_otherwise() -> None:
    head = "defaults: {crop: {like: small}}\nlayers: [{conv: {filters: 2, kernel: 3}, name: small}, "
    assert types_of(graph_of(f"{head}{{crop: {{size: 2}}}}]"))["crop1"] == "2@2×2"
    graph = graph_of(f"{head}{{crop: , from: input}}, {{concat: [small, []]}}]")
    assert names_of(graph) == ["small", "crop1", "concat1"]
