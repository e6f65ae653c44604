"""`repeat`: how often, `index`, and that everything is worked out anew each time."""

from __future__ import annotations

import re

import pytest

from tests.language.author import graph_of, hold_refusals, names_of, types_of, wires_of


def test_each_repetition_takes_the_last_ones_output() -> None:
    wires = wires_of(graph_of("layers: [tanh, {relu: , repeat: 3}, sigmoid]"))
    assert wires == {
        "tanh1": ("input",),
        "relu1.0": ("tanh1",),
        "relu1.1": ("relu1.0",),
        "relu1.2": ("relu1.1",),
        "sigmoid1": ("relu1.2",),
    }


def test_arguments_are_evaluated_anew() -> None:
    graph = graph_of('layers: [{dense: "${in.channels + index + 1}", repeat: 3}]')
    assert list(types_of(graph).values()) == ["5@8×8", "7@8×8", "10@8×8"]


def test_when_is_evaluated_anew() -> None:
    graph = graph_of('layers: [{relu: , repeat: 4, when: "${index % 2 == 1}", name: a}, tanh]')
    assert wires_of(graph) == {"a.1": ("input",), "a.3": ("a.1",), "tanh1": ("a.3",)}


def test_else_is_chosen_anew() -> None:
    graph = graph_of('layers: [{relu: , repeat: 2, when: "${index == 0}", else: [tanh, sigmoid]}]')
    assert names_of(graph) == ["relu1.0", "relu1.1.tanh1", "relu1.1.sigmoid1"]


def test_a_repetition_that_is_left_out_changes_nothing() -> None:
    graph = graph_of(
        'layers: [{tanh: , name: a}, sigmoid, {relu: , from: a, repeat: 2, when: "${index == 1}"}, '
        "{add: , from: [relu1, sigmoid1]}]"
    )
    assert wires_of(graph)["relu1.1"] == ("a",)
    graph = graph_of(
        "layers: [{tanh: , name: a}, sigmoid, {relu: , from: a, repeat: 2, when: false}, {add: [[], "
        "[{layers: [], from: a}]]}]"
    )
    assert wires_of(graph)["add1"] == ("sigmoid1", "a")


@pytest.mark.parametrize("count", ["0", '"${1 - 1}"', "$none"])
def test_no_repetition_is_the_identity(count: str) -> None:
    graph = graph_of(
        f"params: {{none: 0}}\nlayers: [tanh, {{relu: , repeat: {count}, name: a}}, {{sigmoid: , from: a}}]"
    )
    assert wires_of(graph)["sigmoid1"] == ("tanh1",)


def test_index_is_that_of_the_nearest_repeat() -> None:
    graph = graph_of(
        """
        layers:
          - layers:
              - dense: "${10 + index}"
                repeat: 2
              - dense: "${20 + index}"
            repeat: 2
        """
    )
    assert [type_.split("@")[0] for type_ in types_of(graph).values()] == ["10", "11", "20", "10", "11", "21"]


def test_the_count_sees_the_index_around_and_what_it_receives() -> None:
    graph = graph_of(
        'layers: [{layers: [{relu: , repeat: "${index + 1}"}, tanh], repeat: 2}, '
        '{relu: , repeat: "${in.channels // 2}"}]'
    )
    assert names_of(graph) == [
        *("group1.0.relu1.0", "group1.0.tanh1", "group1.1.relu1.0", "group1.1.relu1.1", "group1.1.tanh1"),
        *("relu1.0", "relu1.1"),
    ]


def test_a_parameter_of_a_block_counts_its_calls_where_they_stand() -> None:
    """As an argument of the call does; where a caller has no calls, its number is 0."""
    text = """
    blocks:
      v: {params: {n: "${u.count + 1}"}, layers: [dense: $n]}
      u: {params: {n: "${u.count + 1}"}, layers: [{dense: $n}, v]}
    layers: [{layers: [u], repeat: 2}, {u: , repeat: 2}, {v: }]
    """
    graph = graph_of(text)
    units = [type_.split("@")[0] for type_ in types_of(graph).values()]
    assert units == ["1", "1", "2", "1", "3", "1", "4", "1", "5"]


JOIN = """
blocks:
  join: {inputs: [x, skip], layers: [{add: , from: [x, skip]}]}
  scaled: {params: {by: 2}, inputs: [x, skip], layers: [{scale_by: $by}, {add: , from: [scale_by1, skip]}]}
layers:
  - relu
  - tanh
"""

SEVERAL = {
    "a block": "{join: , from: [relu1, tanh1], repeat: «2», name: j}",
    "a block with an argument": "{scaled: 3, from: [relu1, tanh1], repeat: «2»}",
    "a merge": "{add: , from: [relu1, tanh1], repeat: «2»}",
    "once": "{add: , from: [relu1, tanh1], repeat: «1»}",
    "every repetition": "{add: , from: a.*, repeat: «3»}",
    "a parameter": "{add: , from: $both, repeat: «3»}",
    "a network": "{network: {spec: 'zoo:siamese'}, from: [relu1, tanh1], repeat: «2»}",
}


@pytest.mark.parametrize("item", SEVERAL.values(), ids=SEVERAL)
def test_an_item_of_several_inputs_is_not_repeated(item: str) -> None:
    """Without `carry`, `repeat` passes one tensor on; what the others would be is never guessed."""
    more = "  - {relu: , repeat: 2, name: a}\n" if "a.*" in item else ""
    params = "params: {both: [relu1, tanh1]}\n" if "$" in item else ""
    hold_refusals(f"{params}{JOIN}{more}  - {item}", ("NS0125", "`repeat` passes on one tensor"))


def test_the_help_about_a_merge_leads_to_a_network() -> None:
    """As it stands in the help: the first input goes round, the others stay what they are."""
    (found,) = hold_refusals(
        f"{JOIN}  - {{add: , from: [relu1, tanh1], repeat: «2»}}", ("NS0125", "name: x}")
    )
    group, start, times = re.findall("`([^`]+)`", found.help or "")
    wires = wires_of(graph_of(f"{JOIN}  - {{{group}, {start}, {times}, name: j}}"))
    assert wires["j.0.x"] == ("relu1",)
    assert wires["j.0.add1"] == ("j.0.x", "tanh1")
    assert wires["j.1.x"] == ("j.0.add1",)
    assert wires["j.1.add1"] == ("j.1.x", "tanh1")


def test_the_help_about_several_inputs_takes_a_free_name() -> None:
    hold_refusals(
        "layers: [relu, {tanh: , name: x}, {add: , from: [relu1, x], repeat: «2»}]",
        ("NS0125", "{identity: , name: carried}, {add: , from: [carried, x]}"),
    )


def test_a_whole_float_is_a_count() -> None:
    assert names_of(graph_of('layers: [{relu: , repeat: "${4 / 2}"}, {tanh: , repeat: 1.0}]')) == [
        *("relu1.0", "relu1.1", "tanh1.0"),
    ]


def test_the_scopes_of_a_repeat_are_known() -> None:
    graph = graph_of("blocks: {unit: {layers: [relu]}}\nlayers: [{unit: , repeat: 2, name: s}]")
    assert [(scope.path, scope.kind, scope.parent, scope.output) for scope in graph.scopes] == [
        ("s", "repeat", "", "s.1.relu1"),
        ("s.0", "block", "s", "s.0.relu1"),
        ("s.1", "block", "s", "s.1.relu1"),
    ]


def test_a_repetition_of_a_merge_is_the_scope_of_its_branches() -> None:
    graph = graph_of(
        "layers: [{add: [[], [{dense: 4}]], repeat: 2, name: a}, {add: , from: [a, a.1.dense1]}]"
    )
    assert names_of(graph) == ["a.0.dense1", "a.0.add1", "a.1.dense1", "a.1.add1", "add2"]
    assert [(scope.path, scope.kind, scope.output) for scope in graph.scopes] == [
        ("a", "repeat", "a.1.add1"),
        ("a.0", "group", "a.0.add1"),
        ("a.1", "group", "a.1.add1"),
    ]


def test_a_repetition_of_a_merge_whose_branches_are_empty_is_a_layer() -> None:
    assert names_of(graph_of("layers: [{add: [[], []], repeat: 2}]")) == ["add1.0", "add1.1"]


REFUSED = [
    ("«-1»", "NS0122", "not −1"),
    ("«1.5»", "NS0122", "not 1.5"),
    ("«true»", "NS0122", "`when` leaves an item out"),
    ("«three»", "NS0122", "the text `three`"),
    ("«'${1 / 2}'»", "NS0122", "not 0.5"),
    ("«[1, 2]»", "NS0104", "`repeat` is one value"),
    ("«~»", "NS0104", "`repeat` is one value"),
    ("$«nobody»", "NS0203", "nobody"),
    ("'${«index» + 1}'", "NS0214", "this is not inside a `repeat`"),
    ("«1000000»", "NS0119", "use a smaller `repeat`"),
    ("«9223372036854775807»", "NS0119", "use a smaller `repeat`"),
]


@pytest.mark.parametrize(("count", "code", "words"), REFUSED)
def test_it_refuses_what_is_no_count(count: str, code: str, words: str) -> None:
    hold_refusals(
        f"layers: [{{relu: , repeat: {count}, name: a}}, {{tanh: , from: a.0}}, {{dense: 3, from: a}}]",
        (code, words),
    )


def test_the_same_mistake_in_every_repetition_is_told_once() -> None:
    hold_refusals(
        (
            'layers: [{layers: [{conv: {filters: 4, kernel: «"${99 + index}"»}}], repeat: 5}, '
            "{relu: , from: «nobody», repeat: 3}]"
        ),
        ("NS0301", "99×99"),
        ("NS0109", "nobody"),
    )


def test_a_later_repetition_may_be_the_one_that_fails() -> None:
    text = "layers: [{conv: {filters: 4, kernel: «4»}, repeat: 5, name: c}]"
    hold_refusals(text, ("NS0301", "the layer is `c.2`"))
