"""Merges: branches or `from`, never both; branches start from the current tensor and are identities when empty."""

from __future__ import annotations

import pytest

from tests.language.author import graph_of, hold_refusals, types_of, wires_of


def test_branches_start_from_the_current_tensor() -> None:
    graph = graph_of("layers: [relu, {add: [[tanh, sigmoid], [softmax], []]}]")
    wires = wires_of(graph)
    assert wires["tanh1"] == wires["softmax1"] == ("relu1",)
    assert wires["add1"] == ("sigmoid1", "softmax1", "relu1")


def test_a_merge_takes_names_in_place_of_branches() -> None:
    graph = graph_of("layers: [relu, tanh, {multiply: , from: [relu1, tanh1, input]}]")
    assert wires_of(graph)["multiply1"] == ("relu1", "tanh1", "input")


def test_a_branch_may_start_with_from() -> None:
    graph = graph_of(
        "layers: [relu, tanh, {add: [[{sigmoid: , from: relu1}], [{layers: [], from: input}], []]}]"
    )
    assert wires_of(graph)["sigmoid1"] == ("relu1",)
    assert wires_of(graph)["add1"] == ("sigmoid1", "input", "tanh1")


def test_branches_stand_beside_fields() -> None:
    text = (
        "layers: [{concat: {axis: height, branches: [[], [relu], "
        "[{max_pool: {kernel: [3, 1], stride: 1}}]]}}]"
    )
    graph = graph_of(text)
    assert types_of(graph)["concat1"] == "4@22×8"
    graph = graph_of("layers: [relu, {concat: {axis: width}, from: [relu1, input]}]")
    assert types_of(graph)["concat1"] == "4@8×16"


def test_a_branch_that_loses_all_its_items_is_the_identity() -> None:
    graph = graph_of("layers: [relu, {add: [[tanh], [{sigmoid: , when: false}]]}]")
    assert wires_of(graph)["add1"] == ("tanh1", "relu1")


def test_branches_nest_and_repeat() -> None:
    graph = graph_of("layers: [{add: [[], [{add: [[], [relu]]}]], repeat: 2, name: stack}]")
    wires = wires_of(graph)
    assert wires["stack.0.add1"] == ("input", "stack.0.add2")
    assert wires["stack.1.add1"] == ("stack.0.add1", "stack.1.add2")


def test_a_field_of_a_merge_sees_what_the_merge_received() -> None:
    text = """\"${'width' if in.channels == 4 else 'height'}\""""
    graph = graph_of(f"layers: [{{concat: {{axis: {text}, branches: [[{{dense: 2}}], [{{dense: 2}}]]}}}}]")
    assert types_of(graph)["concat1"] == "2@8×16"


def test_a_vector_or_one_channel_is_spread() -> None:
    graph = graph_of(
        "layers: [{multiply: [[], [global_avg_pool]]}, {add: [[{conv: {filters: 1, kernel: 1}}], []]}]"
    )
    assert types_of(graph)["multiply1"] == types_of(graph)["add1"] == "4@8×8"


REFUSED = [
    ("{add: [[], «relu»]}", "NS0116", "write `[relu]`"),
    ("{add: [[], «{conv: {filters: 4, kernel: 1}}»]}", "NS0116", "a branch is a list of items"),
    ("{add: [[], «~»]}", "NS0116", "a branch is a list of items"),
    ("{add: «relu»}", "NS0116", "`add` takes no plain value"),
    (
        "{add: «1»}",
        "NS0116",
        'for a number, use `add: [[], [constant: {values: 1, shape: "${in.channels}"}]]`',
    ),
    ("{maximum: «0»}", "NS0116", "for a number, use `clip: {min: 0}`"),
    ("{minimum: «6»}", "NS0116", "for a number, use `clip: {max: 6}`"),
    ("{multiply: «0»}", "NS0116", "put a list of branches below `multiply:`, each a list of items"),
    ("{multiply: «2»}", "NS0116", "for a number, use `scale_by: 2`"),
    ("{divide: «255»}", "NS0116", 'for a number, use `scale_by: "${1 / 255}"`'),
    ("{divide: «0»}", "NS0116", "put a list of branches below `divide:`"),
    ("{add: «3», from: [input, relu1]}", "NS0116", "`add` takes no plain value"),
    ("{add: {branches: «relu»}}", "NS0116", "`branches` is a list of branches"),
    ("{add: [[], [tanh]], from: «[input, relu1]»}", "NS0116", "has branches and `from`"),
    ("{add: {branches: [[], [tanh]]}, from: «input»}", "NS0116", "has branches and `from`"),
    ("«add»", "NS0116", "`add` has no branches"),
    ("{«concat»: {axis: height}}", "NS0116", "`concat` has no branches"),
    ("{concat: {«branch»: [[], []]}}", "NS0103", "write `branches`"),
    ("{concat: {axis: «depth», branches: [[], []]}}", "NS0303", "4@8×8 has no axis `depth`"),
    ("{concat: {axis: «3», branches: [[], []]}}", "NS0104", "`axis` is one of channels"),
    ("{«add»: [[tanh]]}", "NS0308", "at least two branches; it has 1"),
    ("{«add»: []}", "NS0308", "at least two branches; it has 0"),
    ("{«add»: , from: input}", "NS0308", "it has 1"),
    ("{«add»: [[], [{dense: 7}]]}", "NS0302", "4@8×8 comes from line 5, 7@8×8 comes from line 5"),
    ("{«concat»: [[], [{max_pool: 2}]]}", "NS0302", "all axes except channels must be equal"),
    ("{relu: «[[tanh], []]»}", "NS0120", "`relu` takes no plain value"),
]


@pytest.mark.parametrize(("item", "code", "words"), REFUSED)
def test_it_refuses_what_cannot_be_joined(item: str, code: str, words: str) -> None:
    hold_refusals(f"params: {{}}\nlayers: [relu, {item}, softmax]", (code, words))


def test_what_is_fed_by_a_broken_branch_is_quiet() -> None:
    hold_refusals(
        (
            "layers: [{add: [[{conv: {filters: 9, kernel: «9»}}], [{conv: {filters: «0», kernel: 1}}]]}, "
            "{concat: [[], [{max_pool: 2}]]}]"
        ),
        ("NS0301", "9×9"),
        ("NS0104", "at least 1"),
    )


@pytest.mark.parametrize(
    "branch",
    ["[{dense: 4, name: «x»}]", "[{layers: [{relu: , name: «x»}]}]", "[{add: [[], [tanh]], name: «x»}]"],
)
def test_what_stands_in_a_branch_cannot_have_the_name_of_the_merge(branch: str) -> None:
    hold_refusals(f"layers: [{{add: [[], {branch}], name: x}}]", ("NS0108", "`x`"))


def test_a_merge_is_not_there_yet_in_its_own_branches() -> None:
    hold_refusals(
        "layers: [{add: [[], [{relu: , from: «x»}]], name: x}]", ("NS0110", "`x` is not complete yet")
    )
