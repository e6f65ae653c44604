"""Items: a bare name, one mapping, or a group; plain values; `when` and `else`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netspec.check import check_text
from netspec.ops.resize import Pad
from netspec.types import Type
from tests.language.author import FILE, graph_of, hold_refusals, names_of, spec, types_of, wires_of


def test_an_item_is_a_bare_name_or_one_mapping() -> None:
    graph = graph_of("layers: [relu, {conv: {filters: 2, kernel: 3}}, {relu: }, {relu: {}}, 'tanh']")
    assert names_of(graph) == ["relu1", "conv1", "relu2", "relu3", "tanh1"]


def test_the_main_field_is_taken_plainly() -> None:
    graph = graph_of(
        "layers: [max_pool: 2, avg_pool: [2, 1], leaky_relu: 0.25, softmax: 2, dropout: 0.5, dense: 10]"
    )
    assert [str(node.op) for node in graph.nodes[2:]] == [
        *("leaky_relu[slope=0.25]", "softmax[temperature=2.0]", "dropout[rate=0.5]"),
        str(graph.by_name["dense1"].op),
    ]
    assert types_of(graph) == {
        **dict.fromkeys(["leaky_relu1", "softmax1", "dropout1"], "4@2×4"),
        "max_pool1": "4@4×4",
        "avg_pool1": "4@2×4",
        "dense1": "10@2×4",
    }


def test_a_group_takes_the_keys_of_an_item() -> None:
    graph = graph_of(
        """
        layers:
          - relu: {}
            name: a
          - tanh
          - layers: [{dense: 4}, sigmoid]
            name: g
            from: a
            trainable: false
            when: true
          - add:
            from: [g, tanh1]
        """
    )
    assert wires_of(graph)["g.dense1"] == ("a",)
    assert not graph.by_name["g.dense1"].trainable
    assert not any(weight.trainable for weight in graph.by_name["g.dense1"].weights)


def test_weights_are_those_of_the_op_by_their_paths() -> None:
    graph = graph_of("layers: [{conv: {filters: 2, kernel: 3, table: [[0], [1, 2]]}, name: c}]")
    local = graph.by_name["c"].op.weights((graph.inputs[0].type,))
    assert graph.by_name["c"].weights == tuple(replace(each, name=f"c.{each.name}") for each in local)


def test_an_empty_group_is_the_identity() -> None:
    assert names_of(graph_of("layers: [relu, {layers: []}, {layers: [], name: g}, {tanh: , from: g}]")) == [
        *("relu1", "tanh1"),
    ]


WHEN = [
    ("{tanh: , when: true}", ["relu1", "tanh1", "softmax1"]),
    ("{tanh: , when: false}", ["relu1", "softmax1"]),
    ('{tanh: , when: "${in.channels == 4}"}', ["relu1", "tanh1", "softmax1"]),
    ('{tanh: , when: "${in.height > 8 and in.width > 8}"}', ["relu1", "softmax1"]),
    ("{tanh: , when: false, else: [sigmoid, tanh]}", ["relu1", "sigmoid1", "tanh1", "softmax1"]),
    ("{tanh: , when: true, else: [sigmoid]}", ["relu1", "tanh1", "softmax1"]),
    ("{tanh: , when: false, else: []}", ["relu1", "softmax1"]),
    ("{tanh: , when: false, else: [sigmoid], name: x}", ["relu1", "x.sigmoid1", "softmax1"]),
    ("{layers: [tanh, relu], when: false, else: [sigmoid]}", ["relu1", "sigmoid1", "softmax1"]),
    ("{tanh: , when: $off}", ["relu1", "softmax1"]),
]


@pytest.mark.parametrize(("item", "names"), WHEN)
def test_when_chooses(item: str, names: list[str]) -> None:
    assert names_of(graph_of(f"params: {{off: false}}\nlayers: [relu, {item}, softmax]")) == names


def test_what_is_left_out_leaves_the_current_tensor_alone() -> None:
    graph = graph_of(
        "layers: [{relu: , name: a}, tanh, {sigmoid: , from: a, when: false}, {add: [[], "
        "[{relu: , from: a}]]}]"
    )
    assert wires_of(graph)["add1"] == ("tanh1", "relu2")


def test_else_starts_from_what_the_item_would_receive() -> None:
    graph = graph_of(
        "layers: [{relu: , name: a}, tanh, {sigmoid: , from: a, when: false, else: [softmax]}, "
        "{add: , from: [tanh1, softmax1]}]"
    )
    assert wires_of(graph)["softmax1"] == ("a",)


def test_trainable_beside_when_holds_for_else() -> None:
    graph = graph_of("layers: [{sigmoid: , when: false, else: [dense: 3], trainable: false}]")
    assert not graph.by_name["dense1"].trainable


REFUSED = [
    ("«3»", "NS0106", "not `3`"),
    ("«true»", "NS0106", "not `true`"),
    ("«~»", "NS0106", "not `~`"),
    ("«''»", "NS0106", "not nothing"),
    ("{«''»: 1}", "NS0106", "without a name"),
    ("{«''»: , name: a, repeat: 2}", "NS0106", "without a name"),
    ("{relu: , «''»: 1}", "NS0106", "an item calls only one"),
    ("«[relu]»", "NS0106", "a group is `- layers: […]`"),
    ("«{}»", "NS0106", "write the op first"),
    ("{«name»: a}", "NS0106", "the item calls no op"),
    ("{«when»: true, else: [relu]}", "NS0106", "the item calls no op"),
    ("{relu: , «tanh»: }", "NS0106", "calls `relu` and `tanh`"),
    (
        "{conv: , «filters»: 8, kernel: 3}",
        "NS0106",
        "`filters` is a field of `conv`, but is written beside it",
    ),
    ("{relu: , «nmae»: a}", "NS0103", "did you mean `name`?"),
    ("{«repaet»: 3, relu: }", "NS0103", "did you mean `repeat`?"),
    ("{relu: , «trainabel»: false}", "NS0103", "did you mean `trainable`?"),
    ("«rleu»", "NS0105", "did you mean `relu`?"),
    ("{«conv2d»: {filters: 8, kernel: 3}}", "NS0105", "write `conv`"),
    ("«$op»", "NS0105", "an op is a plain word"),
    ("{relu: «5»}", "NS0120", "`relu` takes no plain value"),
    ("{conv: «8»}", "NS0120", "write `conv: {kernel: …, filters: …}`"),
    ("{global_avg_pool: «true»}", "NS0120", "takes no plain value"),
    ("{flatten: {«axis»: 1}}", "NS0103", "`flatten` has no `axis`"),
    ("{conv: {filters: 8, kernel: 3, «strides»: 2}}", "NS0103", "write `stride`"),
    ("{conv: {«filter»: 8, kernel: 3}}", "NS0103", "write `filters`"),
    ("{«conv»: {kernel: 3}}", "NS0102", "`conv` needs `filters`"),
    ("«dense»", "NS0102", "`dense` needs `units`"),
    ("{max_pool: {kernel: 2, «overhang»: [1]}}", "NS0103", "`max_pool` has no `overhang`"),
    ("{relu: , «else»: [tanh]}", "NS0102", "`else` needs a `when`"),
    ("{relu: , when: «1»}", "NS0104", "`when` must be true or false, not 1"),
    ("{relu: , when: «'stride > 1'»}", "NS0104", 'write `when: "${stride > 1}"`'),
    ("{relu: , when: «'${1 + 1}'»}", "NS0104", "give a comparison"),
    ("{relu: , when: «[true]»}", "NS0104", "`when` is one value"),
    ("{relu: , when: «~»}", "NS0104", "`when` is one value"),
    ("{relu: , when: true, else: «tanh»}", "NS0104", "`else` is a list of items"),
    ("{layers: «relu»}", "NS0104", "`layers` is a list of items"),
    ("{layers: «~»}", "NS0104", "`layers` is a list of items"),
    ("{layers: [relu], share: «a»}", "NS0103", "a group cannot `share`"),
    ("{relu: , trainable: «0»}", "NS0104", "`trainable` must be true or false"),
]


@pytest.mark.parametrize(("item", "code", "words"), REFUSED)
def test_it_refuses_what_is_no_item(item: str, code: str, words: str) -> None:
    hold_refusals(f"params: {{op: relu}}\nlayers: [sigmoid, {item}, softmax]", (code, words))


def test_a_bare_name_takes_no_keys_and_is_told_so() -> None:
    text = "layers:\n  - «sigmoid»\n    name: a\n  - relu\n"
    hold_refusals(text, ("NS0016", "write `- sigmoid:` with a colon"))


def test_what_follows_a_broken_item_is_read_all_the_same() -> None:
    hold_refusals(
        """
        layers:
          - «{}»
          - conv: {filters: 8, kernel: 99}
          - add: [[], [{conv: {filters: «-1», kernel: 1}}]]
          - «reul»
          - add: [[], [{dense: 7}]]
        """,
        ("NS0106", ""),
        ("NS0104", "`filters` is at least 1, not −1"),
        ("NS0105", ""),
    )


def test_equal_items_are_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Type, ...]] = []
    resolve = Pad.resolve

    def counted(self: Pad, inputs: tuple[Type, ...]) -> Pad:
        calls.append(inputs)
        return resolve(self, inputs)

    monkeypatch.setattr(Pad, "resolve", counted)
    graph, _ = check_text(spec("layers:\n" + "  - {pad: 1, from: input}\n" * 3 + "  - pad: 1\n"), FILE)
    assert graph is not None
    assert [str(node.output) for node in graph.nodes] == ["4@10×10"] * 3 + ["4@12×12"]
    assert len(calls) == 2, "once for each type of the input"
