"""`from`: own scope, outwards as far as the block, dotted paths, `*`, and earlier layers only."""

from __future__ import annotations

import pytest

from tests.language.author import graph_of, hold_refusals, told, wires_of

TRUNK = """
blocks:
  unit:
    layers:
      - relu
      - tanh:
        name: inside
      - sigmoid
layers:
  - relu:
    name: first
  - unit:
    repeat: 3
    name: stage
  - layers:
      - tanh
      - relu:
        name: deep
      - tanh
    name: tail
"""

FOUND = [
    ("first", "first"),
    ("input", "input"),
    ("stage", "stage.2.sigmoid1"),
    ("stage.1", "stage.1.sigmoid1"),
    ("stage.0.inside", "stage.0.inside"),
    ("stage.2.relu1", "stage.2.relu1"),
    ("tail", "tail.tanh2"),
    ("tail.deep", "tail.deep"),
    ("tail.tanh1", "tail.tanh1"),
    ("first.output", "first"),
    ("tail.deep.output", "tail.deep"),
]


@pytest.mark.parametrize(("path", "value"), FOUND)
def test_it_finds_by_path(path: str, value: str) -> None:
    graph = graph_of(TRUNK + f"  - softmax:\n    from: {path}\n  - add:\n    from: [tail, softmax1]\n")
    assert wires_of(graph)["softmax1"] == (value,)


def test_a_star_is_every_repetition() -> None:
    graph = graph_of(
        TRUNK
        + "  - concat:\n    from: [stage.*.inside, first]\n  - concat:\n    from: [stage.*, tail, concat1]"
    )
    wires = wires_of(graph)
    assert wires["concat1"] == ("stage.0.inside", "stage.1.inside", "stage.2.inside", "first")
    assert wires["concat2"][:3] == ("stage.0.sigmoid1", "stage.1.sigmoid1", "stage.2.sigmoid1")


def test_wavenet_sums_its_skips() -> None:
    graph = graph_of(
        """
        netspec: 1
        name: wavenet
        input: [4, 64]
        blocks:
          residual:
            params: {dilation: }
            inputs: [x]
            layers:
              - conv: {filters: 4, kernel: 2, dilation: $dilation, padding: causal}
              - conv: {filters: 4, kernel: 1}
                name: skip
              - add:
                from: [x, skip]
        layers:
          - layers:
              - residual: {dilation: "${2 ** index}"}
                repeat: 3
                name: layers
            repeat: 2
            name: stacks
          - add:
            from: [stacks.*.layers.*.skip, stacks]
        """
    )
    wires = wires_of(graph)["add1"]
    skips = [f"stacks.{i}.layers.{j}.skip" for i in range(2) for j in range(3)]
    assert wires == (*skips, "stacks.1.layers.2.add1")
    assert [node.op.settings()["dilation"] for node in graph.nodes if node.name.endswith("conv1")] == [
        (1,),
        (2,),
        (4,),
    ] * 2


def test_it_looks_in_its_own_scope_first_then_outwards() -> None:
    graph = graph_of(
        """
        layers:
          - relu: {}
            name: a
          - tanh:
            name: b
          - layers:
              - sigmoid:
                name: a
              - relu:
                from: a
              - tanh:
                from: b
              - add:
                from: [relu1, tanh1]
            name: inner
          - add:
            from: [a, inner]
        """
    )
    wires = wires_of(graph)
    assert wires["inner.relu1"] == ("inner.a",)
    assert wires["inner.tanh1"] == ("b",)
    assert wires["add1"] == ("a", "inner.add1")


def test_it_looks_from_a_repetition_and_a_branch_outwards() -> None:
    graph = graph_of(
        """
        layers:
          - relu:
            name: a
          - layers:
              - tanh
              - add:
                  - - relu:
                      from: a
                  - []
            repeat: 2
        """
    )
    wires = wires_of(graph)
    assert wires["group1.0.relu1"] == wires["group1.1.relu1"] == ("a",)


def test_a_later_repetition_finds_an_earlier_one() -> None:
    graph = graph_of(
        """
        layers:
          - layers:
              - relu
              - when: "${index > 0}"
                layers:
                  - add:
                    from: [stage.0.relu1, relu1]
            repeat: 2
            name: stage
        """
    )
    assert wires_of(graph)["stage.1.add1"] == ("stage.0.relu1", "stage.1.relu1")


def test_what_is_left_out_stands_for_what_flows_past() -> None:
    graph = graph_of(
        """
        layers:
          - relu
          - {tanh: , when: false, name: a}
          - {tanh: , repeat: 0, name: b}
          - add: {branches: [[{sigmoid: , from: a}], [{tanh: , from: b}]]}
        """
    )
    wires = wires_of(graph)
    assert wires["sigmoid1"] == wires["tanh1"] == ("relu1",)


def test_a_head_finds_what_the_network_has() -> None:
    graph = graph_of(
        TRUNK + "heads: {aux: {from: stage.1.inside, layers: [relu]}, next: {from: aux, layers: [tanh]}}"
    )
    assert wires_of(graph)["aux.relu1"] == ("stage.1.inside",)
    assert wires_of(graph)["next.tanh1"] == ("aux.relu1",)


def test_a_parameter_may_hold_names() -> None:
    graph = graph_of(
        "params: {a: input, both: [relu1, tanh1]}\nlayers: [{relu: , from: $a}, tanh, {add: , from: $both}]"
    )
    assert wires_of(graph)["add1"] == ("relu1", "tanh1")


REFUSED = [
    ("nobody", "NS0109", "no earlier layer is called `nobody`"),
    ("frist", "NS0109", "did you mean `first`?"),
    ("inside", "NS0109", "no earlier layer"),
    ("stage.3", "NS0109", "`stage` does not contain `3`"),
    ("stage.0.insid", "NS0109", "did you mean `stage.0.inside`?"),
    ("stage.*.nobody", "NS0109", "`stage.0` does not contain `nobody`"),
    ("tail.*", "NS0109", "`tail` is not repeated"),
    ("first.state", "NS0109", "`first` does not contain `state`"),
    ("input.relu1", "NS0109", "it contains no names"),
    ("stage.0.unit", "NS0109", "it contains relu1, inside, sigmoid1"),
    ("a b", "NS0124", "`a b` is not the name of a layer"),
    ("'*.a'", "NS0124", "names joined by dots"),
    ("a..b", "NS0124", "`a..b`"),
    ("a.", "NS0124", ""),
    ("3", "NS0124", "`3`"),
    ("true", "NS0124", "`true`"),
    ("''", "NS0124", "nothing is not the name of a layer"),
    ("null", "NS0124", ""),
    ("{a: b}", "NS0124", "this is not the name of a layer"),
    ("[]", "NS0102", "`from` is empty"),
    ("stage.*", "NS0311", "`softmax` takes one input; `from` names 3"),
    ("[first, tail]", "NS0311", "merge them first"),
]


@pytest.mark.parametrize(("path", "code", "words"), REFUSED)
def test_it_refuses_what_is_not_there(path: str, code: str, words: str) -> None:
    hold_refusals(TRUNK + f"  - softmax:\n    from: «{path}»\n  - dense: 3\n", (code, words))


NOT_YET = [
    ("layers: [{relu: , from: «b»}, {tanh: , name: b}]", "it is defined on line 4"),
    ("layers: [{relu: , name: a, from: «a»}]", "it is this item itself"),
    ("layers: [{add: , name: a, from: [input, «a»]}]", "it is this item itself"),
    ("layers: [{add: [[{relu: , from: «a»}], []], name: a}]", "this item is a part of it"),
    ("layers: [{relu: , from: «b»}, {add: [[{tanh: , name: b}], []]}]", "defined on line 4"),
    ("layers: [{relu: , from: «b»}, {layers: [{tanh: , name: b}]}]", "defined on line 4"),
    ("layers: [{layers: [tanh, {relu: , from: «g»}], name: g}]", "this item is a part of it"),
    ("layers: [{layers: [tanh, {relu: , from: «s»}], name: s, repeat: 2}]", "this item is a part of it"),
    ("layers: [{layers: [tanh, {relu: , from: «s.0»}], name: s, repeat: 2}]", "this item is a part of it"),
    ("layers: [{layers: [{relu: , from: «b»}]}, {tanh: , name: b}]", "defined on line 4"),
]


@pytest.mark.parametrize(("text", "words"), NOT_YET)
def test_it_finds_earlier_layers_only(text: str, words: str) -> None:
    hold_refusals(text, ("NS0110", words))


def test_a_block_sees_nothing_of_its_caller() -> None:
    hold_refusals(
        "blocks: {unit: {layers: [{relu: , from: «first»}]}}\nlayers: [{tanh: , name: first}, unit]",
        ("NS0109", "no earlier layer is called `first`"),
    )
    hold_refusals(
        "blocks: {unit: {layers: [{relu: , from: «input»}]}}\nlayers: [tanh, unit]", ("NS0109", "`input`")
    )


def test_a_caller_sees_into_its_blocks_by_dots_alone() -> None:
    hold_refusals(
        "blocks: {unit: {layers: [{relu: , name: a}]}}\nlayers: [unit, {tanh: , from: «a»}]",
        ("NS0109", "`a`"),
    )


def test_a_later_or_broken_thing_is_told_once() -> None:
    hold_refusals(
        """
        layers:
          - conv: {filters: 4, kernel: «9»}
            name: a
          - relu:
            from: a
          - add:
            from: [a, relu1, input]
          - layers: [tanh]
            name: g
          - sigmoid:
            from: g.tanh1
        """,
        ("NS0301", "9×9 on a padded input of 8×8"),
    )


def test_a_layer_is_not_among_what_it_may_name() -> None:
    (found,) = told("layers: [relu, {crop: {like: nowhere}}]")
    assert found.help == "the names here are `input`, `relu1`"


def test_what_is_as_large_as_a_vector_has_no_sizes() -> None:
    hold_refusals(
        "layers: [{global_max_pool: , name: flat}, {crop: {like: «flat»}, from: input}]",
        ("NS0303", "`flat` is a vector, 4, which has no spatial sizes"),
    )
