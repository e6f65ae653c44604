"""`network`: a whole spec in the place of a layer, cut at a name, tapped from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.analysis import analyze
from netspec.check import check_file
from netspec.graph import Graph
from tests.language.author import graph_of, graph_of_file, hold_file, names_of, spec, types_of, wires_of

TRUNK = """
params: {width: 4, size: 8}
blocks:
  unit:
    params: {filters: 4}
    layers:
      - conv: {filters: $filters, kernel: 3, padding: same}
        name: mix
      - relu
layers:
  - conv: {filters: $width, kernel: 3, padding: same}
    name: first
  - unit:
    repeat: 3
    name: stage
  - layers:
      - add:
          - - tanh:
              name: branch
            - sigmoid
          - []
      - layers:
          - relu:
            name: deep
          - tanh
        name: nested
      - max_pool: 2
    name: tail
  - unit: {filters: 6}
    name: last
  - dense: 3
heads: {aux: {from: stage.0, layers: [global_avg_pool, {dense: 9}]}}
expect: {output: [999]}
train: {nonsense: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trunk.yaml").write_text(spec(TRUNK), encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str, name: str = "main.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(spec(text), encoding="utf-8")
    return path


def load(folder: Path, text: str) -> Graph:
    return graph_of_file(write(folder, text))


def test_a_whole_spec_stands_in_place_of_a_layer(folder: Path) -> None:
    graph = load(folder, "layers: [relu, {network: {spec: trunk.yaml}}, softmax]")
    assert wires_of(graph)["network1.first"] == ("relu1",)
    assert wires_of(graph)["softmax1"] == ("network1.dense1",)
    assert [output.name for output in graph.outputs] == ["output"]
    assert not any("aux" in name for name in names_of(graph))


def test_its_path_may_be_all_that_is_said(folder: Path) -> None:
    assert len(load(folder, "layers: [network: trunk.yaml]").nodes) == len(
        load(folder, "layers: [network: {spec: trunk.yaml}]").nodes
    )


UNTIL = [
    ("first", "network1.first"),
    ("stage", "network1.stage.2.relu1"),
    ("stage.1", "network1.stage.1.relu1"),
    ("stage.1.mix", "network1.stage.1.mix"),
    ("stage.0.relu1", "network1.stage.0.relu1"),
    ("tail", "network1.tail.max_pool1"),
    ("tail.branch", "network1.tail.branch"),
    ("tail.add1", "network1.tail.add1"),
    ("tail.nested", "network1.tail.nested.tanh1"),
    ("tail.nested.deep", "network1.tail.nested.deep"),
    ("last.mix", "network1.last.mix"),
    ("dense1", "network1.dense1"),
]

MERGES = """
layers:
  - {add: [[], [tanh]], repeat: 2, name: s}
  - {add: [[], [{add: [[], [relu]], repeat: 2, name: t}]], name: u}
"""
UNTIL_MERGE = [
    ("s.0.add1", "network1.s.0.add1"),
    ("s.1.add1", "network1.s.1.add1"),
    ("s.1.tanh1", "network1.s.1.tanh1"),
    ("t.0.add1", "network1.t.0.add1"),
    ("t.1", "network1.t.1.add1"),
    ("u", "network1.u"),
]


@pytest.mark.parametrize(("until", "value"), UNTIL_MERGE)
def test_until_may_be_a_merge_of_one_repetition(tmp_path: Path, until: str, value: str) -> None:
    write(tmp_path, MERGES, "inner.yaml")
    graph = load(tmp_path, f"layers: [{{network: {{spec: inner.yaml, until: {until}}}}}]")
    assert graph.outputs[0].value == value
    assert graph.nodes[-1].name == value


LEFT_OUT = {
    "the scope": ("n: [4, 8, 8]", None),
    "a layer of it": ("n.stage.1.mix: [4, 8, 8]", None),
    "a scope of it": ("n.stage.1: [4, 8, 8]", None),
    "what is used": ("n.stage.0: [4, 8, 8]", None),
    "another shape": ("n: [5, 8, 8]", "NS0401"),
    "nobody": ("n.nobody: [4, 8, 8]", "NS0405"),
}


@pytest.mark.parametrize(("expected", "code"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_no_output_needs_of_a_network_can_be_expected(
    folder: Path, expected: str, code: str | None
) -> None:
    """Its end is there for the author of the spec, though the network is only tapped before it."""
    path = write(
        folder,
        "layers: [{network: {spec: trunk.yaml, until: stage}, name: n}, {tanh: , from: n.stage.0}]\n"
        f"expect: {{layers: {{{expected}}}}}",
    )
    graph, diagnostics = check_file(path)
    assert [each.code.id for each in diagnostics] == ([] if code is None else [code])
    assert graph is not None
    assert names_of(graph) == ["n.first", "n.stage.0.mix", "n.stage.0.relu1", "tanh1"]


@pytest.mark.parametrize(("until", "value"), UNTIL)
def test_until_is_inclusive(folder: Path, until: str, value: str) -> None:
    graph = load(folder, f"layers: [{{network: {{spec: trunk.yaml, until: {until}}}}}, {{dense: 2}}]")
    assert wires_of(graph)["dense1"] == (value,)
    assert names_of(graph)[-2:] == [value, "dense1"]


def test_a_branch_that_the_cut_leaves_without_use_is_left_out(folder: Path) -> None:
    write(folder, "layers: [{add: [[tanh], [{sigmoid: , name: here}, relu]]}]", "inner.yaml")
    graph = load(folder, "layers: [{network: {spec: inner.yaml, until: here}}]")
    assert names_of(graph) == ["network1.here"]


def test_taps_reach_into_the_middle_from_outside(folder: Path) -> None:
    graph = load(
        folder,
        """
        layers:
          - network: {spec: trunk.yaml, until: tail}
            name: trunk
          - add:
            from: [trunk.stage.1, trunk.first, trunk.tail.nested.deep]
          - concat:
            from: [trunk.stage.*.mix, add1]
          - max_pool: 2
          - add:
            from: [trunk, max_pool1]
        """.replace("concat:", "add:"),
    )
    wires = wires_of(graph)
    assert wires["add1"] == ("trunk.stage.1.relu1", "trunk.first", "trunk.tail.nested.deep")
    assert wires["add2"][:3] == ("trunk.stage.0.mix", "trunk.stage.1.mix", "trunk.stage.2.mix")


def test_a_tap_keeps_what_the_cut_would_leave_out(folder: Path) -> None:
    write(folder, "layers: [{add: [[{tanh: , name: side}], [{sigmoid: , name: here}]]}]", "inner.yaml")
    graph = load(
        folder, "layers: [{network: {spec: inner.yaml, until: here}, name: n}, {add: , from: [n, n.side]}]"
    )
    assert names_of(graph) == ["n.side", "n.here", "add1"]


def test_what_only_its_heads_used_stays_behind_without_a_warning(folder: Path) -> None:
    write(
        folder,
        "layers: [{tanh: , name: side}, {relu: , from: input}]\nheads: {h: {from: side, layers: [dense: 2]}}",
        "inner.yaml",
    )
    assert names_of(load(folder, "layers: [network: inner.yaml]")) == ["network1.relu1"]


def test_a_layer_whose_weights_are_used_stays_though_only_a_head_used_it(folder: Path) -> None:
    write(
        folder,
        """
        layers:
          - global_avg_pool
          - dense: 4
            name: side
          - dense: 4
            from: global_avg_pool1
            share: side
        heads: {h: {from: side, layers: [dense: 9]}}
        """,
        "inner.yaml",
    )
    graph, _ = check_file(write(folder, "layers: [network: inner.yaml, dense: 4]"))
    assert graph is not None
    assert names_of(graph) == ["network1.global_avg_pool1", "network1.side", "network1.dense2", "dense1"]
    assert analyze(graph).totals.params == 40


def test_parameters_are_given_by_the_caller(folder: Path) -> None:
    graph = load(
        folder,
        """
        params: {n: 5}
        layers: [{dense: 4}, {network: {spec: trunk.yaml, until: first, params: {width: "${n + in.channels}"}}}]
        """,
    )
    assert types_of(graph)["network1.first"] == "9@8×8"
    assert dict(graph.scope_by_path["network1"].arguments) == {"width": 9, "size": 8}


def test_sizes_may_differ_from_its_own_input(folder: Path) -> None:
    graph = load(folder, "layers: [{max_pool: 2}, {network: {spec: trunk.yaml, until: stage}}]")
    assert types_of(graph)["network1.first"] == "4@4×4"


def test_it_may_be_tapped_and_cut_in_a_network_of_networks(folder: Path) -> None:
    write(folder, "layers: [tanh, {network: {spec: trunk.yaml}, name: inner}, relu]", "outer.yaml")
    graph = load(
        folder,
        (
            "layers: [{network: {spec: outer.yaml, until: inner.stage.1}}, "
            "{add: , from: [network1, network1.inner.first]}]"
        ),
    )
    assert wires_of(graph)["add1"] == ("network1.inner.stage.1.relu1", "network1.inner.first")
    write(
        folder, "layers: [tanh, {network: {spec: trunk.yaml, until: stage}, name: inner}, relu]", "outer.yaml"
    )
    graph = load(folder, "layers: [{network: {spec: outer.yaml, until: inner.stage.1}}]")
    assert names_of(graph)[-1] == "network1.inner.stage.1.relu1"
    graph = load(folder, "layers: [{network: {spec: outer.yaml, until: relu1}}]")
    assert names_of(graph)[-2:] == ["network1.inner.stage.2.relu1", "network1.relu1"]


def test_several_inputs_are_given_in_order(folder: Path) -> None:
    write(
        folder,
        """
        netspec: 1
        name: two
        inputs: {left: [4, 8, 8], right: [4, 8, 8]}
        layers: [{relu: , from: right}, {add: , from: [left, relu1]}]
        """,
        "two.yaml",
    )
    graph = load(folder, "layers: [{dense: 4}, {dense: 4}, {network: two.yaml, from: [dense1, dense2]}]")
    assert wires_of(graph)["network1.relu1"] == ("dense2",)
    assert wires_of(graph)["network1.add1"] == ("dense1", "network1.relu1")


def test_it_repeats_and_is_named_like_any_item(folder: Path) -> None:
    write(folder, "layers: [{conv: {filters: 4, kernel: 1}}]", "inner.yaml")
    assert names_of(load(folder, "layers: [{network: inner.yaml, repeat: 2, name: n}]")) == [
        "n.0.conv1",
        "n.1.conv1",
    ]


def test_frozen_layers_hold_their_weights(folder: Path) -> None:
    graph = load(
        folder, "layers: [{network: {spec: trunk.yaml, until: stage}, trainable: false}, {dense: 2}]"
    )
    assert [node.trainable for node in graph.nodes if node.weights] == [False] * 4 + [True]
    assert not any(weight.trainable for node in graph.nodes[:-1] for weight in node.weights)


def test_weights_are_a_path_beside_the_spec_that_names_them(folder: Path) -> None:
    write(
        folder,
        "layers: [{network: {spec: ../trunk.yaml, weights: w.safetensors, until: first}, name: vgg}]",
        "sub/inner.yaml",
    )
    (folder / "netspec.toml").touch()
    (folder / "sub" / "w.safetensors").write_text("no weights: only their presence counts here")
    graph = graph_of_file(folder / "sub" / "inner.yaml")
    assert graph.pretrained == (("vgg", str(folder / "sub" / "w.safetensors")),)
    graph = load(folder, "layers: [{network: sub/inner.yaml}]")
    assert [path for path, _ in graph.pretrained] == ["network1.vgg"]


def test_weights_that_are_not_there_are_told(folder: Path) -> None:
    text = "layers: [{network: {spec: trunk.yaml, weights: w.safetensors, until: first}}]"
    path = write(folder, text)
    for why in ("it does not exist", "it is a folder"):
        graph, (found,) = check_file(path)
        assert graph is not None
        assert (found.code.id, found.severity) == ("NS0132", "warning")
        assert f"the weights `w.safetensors` cannot be read: {why}" in found.message
        (folder / "w.safetensors").mkdir(exist_ok=True)


def test_a_spec_of_the_zoo_is_a_network_from_anywhere(folder: Path) -> None:
    text = "netspec: 1\nname: a\ninput: [1, 28, 28]\nlayers: [{network: {spec: 'zoo:lenet5', until: C1}}]"
    assert types_of(load(folder, text)) == {"network1.C1": "6@24×24"}
    assert names_of(graph_of(text)) == ["network1.C1"]


REFUSED = [
    ("{network: {spec: «nobody.yaml»}}", "NS0113", "there is no file `nobody.yaml`"),
    ("{network: {spec: «.»}}", "NS0113", ""),
    ("{network: {spec: «'zoo:nobody'»}}", "NS0113", "the zoo has no `nobody`"),
    ("{network: {spec: «'zoo:lenet'»}}", "NS0113", "did you mean `zoo:lenet5`?"),
    ("{network: {spec: «'zoo:../x'»}}", "NS0113", "the zoo has no"),
    ("{network: {spec: «../main.yaml»}}", "NS0112", "is outside the folder"),
    ("{network: {spec: «/etc/passwd»}}", "NS0112", "is outside the folder"),
    ("{network: {spec: «main.yaml»}}", "NS0113", "contains itself"),
    ("{network: {spec: «3»}}", "NS0104", "`spec` must be a path"),
    ("{network: «[a]»}", "NS0102", "`network` needs `spec`"),
    ("«network»", "NS0102", "`network` needs `spec`"),
    ("{«network»: {until: a}}", "NS0102", "`network` needs `spec`"),
    ("{network: {«sepc»: trunk.yaml}}", "NS0103", "did you mean `spec`?"),
    ("{network: {spec: trunk.yaml, «cut»: a}}", "NS0103", "write `until`"),
    ("{network: {spec: trunk.yaml, until: «nobody»}}", "NS0109", "has no layer `nobody`"),
    ("{network: {spec: trunk.yaml, until: «frist»}}", "NS0109", "did you mean `first`?"),
    (
        "{network: {spec: trunk.yaml, until: «first.state»}}",
        "NS0109",
        "it is one layer: `until: first` ends there",
    ),
    ("{network: {spec: trunk.yaml, until: «stage.7»}}", "NS0109", "stage` has no layer `7`"),
    ("{network: {spec: trunk.yaml, until: «input»}}", "NS0109", "`input`"),
    ("{network: {spec: trunk.yaml, until: «aux»}}", "NS0109", "heads of embedded networks are not used"),
    ("{network: {spec: trunk.yaml, until: «'a b'»}}", "NS0124", "`until` must be the name of a layer"),
    ("{network: {spec: trunk.yaml, until: «stage.*»}}", "NS0124", ""),
    ("{network: {spec: trunk.yaml, until: «[a]»}}", "NS0124", ""),
    ("{network: {spec: trunk.yaml, params: «3»}}", "NS0104", "`params` must be a mapping"),
    ("{network: {spec: trunk.yaml, params: {«widht»: 3}}}", "NS0103", "did you mean `width`?"),
    ("{network: {spec: trunk.yaml, params: {width: $«nobody»}}}", "NS0203", "nobody"),
    ("{network: {spec: trunk.yaml, weights: «3»}}", "NS0104", "the path of a safetensors file"),
    ("{network: {spec: trunk.yaml, weights: «../../w.safetensors»}}", "NS0112", "is outside the folder"),
    ("{network: {spec: trunk.yaml, weights: «/w.safetensors»}}", "NS0112", "`--weights NAME=FILE`"),
    ("{network: trunk.yaml, from: «[input, input]»}", "NS0118", "takes 1 (input), but gets 2"),
    ("{network: trunk.yaml, from: «vector»}", "NS0118", "takes 4@8×8 as `input`, but gets 4"),
    ("{network: trunk.yaml, from: «thick»}", "NS0118", "change the channels to 4"),
]
WORDS = """netspec: 1
name: words
inputs: {text: {shape: [6], vocabulary: 9}, more: {shape: [2], vocabulary: 5}}
layers: [{embedding: 3, from: text}, {dense: 2}]
"""
OTHER_INPUTS = [
    ("[few, more]", "takes indices 6 of 9 as `text`, but gets indices 6 of 5", "9 here, or 5 in the network"),
    (
        "[many, more]",
        "takes indices 6 of 9 as `text`, but gets indices 4 of 20",
        "9 here, or 20 in the network",
    ),
    ("[one, more]", "but gets an index of 9", "a tensor with 1 axis, or the network an input with 0"),
    ("[x, more]", "takes indices 6 of 9 as `text`, but gets 4@6", "an input with `vocabulary: 9`"),
    ("[long, more]", None, None),
]


@pytest.mark.parametrize(("inputs", "message", "advice"), OTHER_INPUTS)
def test_an_embedded_network_takes_indices_of_its_vocabulary(
    tmp_path: Path, inputs: str, message: str | None, advice: str | None
) -> None:
    (tmp_path / "words.yaml").write_text(WORDS)
    main = tmp_path / "main.yaml"
    main.write_text(
        "netspec: 1\nname: a\ninputs: {few: {shape: [6], vocabulary: 5}, many: {shape: [4], vocabulary: 20}, "
        "long: {shape: [8], vocabulary: 9}, one: {shape: [], vocabulary: 9}, x: [4, 6], more: {shape: [3], "
        f"vocabulary: 5}}}}\nlayers:\n  - network: words.yaml\n    from: {inputs}\n    name: s\n"
    )
    graph, found = check_file(main)
    errors = [each for each in found if each.severity == "error"]
    if message is None or advice is None:
        assert graph is not None, errors
        assert next(graph.weights).shape == (9, 3)
    else:
        assert message in errors[0].message
        assert advice in str(errors[0].help)


@pytest.mark.parametrize(("item", "code", "words"), REFUSED)
def test_it_refuses_what_cannot_stand_here(folder: Path, item: str, code: str, words: str) -> None:
    text = (
        f"layers: [{{dense: 9, name: thick}}, {{global_avg_pool: , from: input, name: vector}}, "
        f"{{relu: , from: input}}, {item}, {{dense: 3}}]"
    )
    hold_file(write(folder, text), (code, words))


def test_a_network_whose_input_is_wrong_says_so_once(folder: Path) -> None:
    text = "netspec: 1\nname: inner\ninput: [4, «-1», 8]\nlayers: [{conv: {filters: 3, kernel: 9}}, relu]"
    hold_file(
        write(
            folder, "layers: [{network: inner.yaml, repeat: 2, name: n}, {add: , from: [n.0.relu1, input]}]"
        ),
        ("NS0104", "a whole number from 1"),
        beside={"inner.yaml": text},
    )


def test_what_is_wrong_inside_is_told_in_its_own_file(folder: Path) -> None:
    text = "layers: [{conv: {filters: 3, kernel: «9»}}, {reul: }]".replace("{reul: }", "«reul»")
    hold_file(
        write(folder, "layers: [{network: inner.yaml, name: n}, {dense: 3, from: n.nobody}]"),
        ("NS0301", "9×9"),
        ("NS0105", "did you mean `relu`?"),
        beside={"inner.yaml": text},
    )


def test_networks_that_contain_each_other_are_refused(folder: Path) -> None:
    hold_file(
        write(folder, "layers: [relu, {network: b.yaml}]"),
        ("NS0113", "contains itself"),
        beside={"b.yaml": "layers: [{network: {spec: «main.yaml»}}]"},
    )


def test_a_required_parameter_is_asked_for_at_the_call(folder: Path) -> None:
    write(folder, "params: {n: }\nlayers: [dense: $n]", "inner.yaml")
    hold_file(write(folder, "layers: [«network»: inner.yaml]"), ("NS0102", "the network `spec` needs `n`"))
    assert (
        types_of(load(folder, "layers: [network: {spec: inner.yaml, params: {n: 5}}]"))["network1.dense1"]
        == "5@8×8"
    )


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    write(tmp_path, TRUNK, "outside/trunk.yaml")
    text = "layers: [network: {spec: «link.yaml»}]"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(tmp_path / "outside" / "trunk.yaml")
    hold_file(write(inside, text), ("NS0112", "is outside the folder"))
    (inside / "link.yaml").unlink()
    (inside / "link.yaml").symlink_to(inside / "link.yaml")
    hold_file(write(inside, text), ("NS0113", "its links form a loop"))


def test_a_path_that_is_none_is_refused(folder: Path) -> None:
    for path in ('"a\\0b"', '"' + "x" * 5000 + '"', '"\\x7f\\x01"'):
        hold_file(write(folder, f"layers: [network: {{spec: «{path}»}}]"), ("NS0113", ""))


def test_a_text_that_is_no_file_reaches_no_file() -> None:
    from tests.language.author import hold_refusals

    hold_refusals("layers: [network: {spec: «trunk.yaml»}]", ("NS0112", "save it as a file"))


def test_the_owner_of_weights_behind_a_cut_is_no_layer_that_the_author_left_unused(tmp_path: Path) -> None:
    shared = (
        "{unit: , name: a}, {relu: , name: r}, {unit: , name: b, share: a, from: input}, {tanh: , name: t}"
    )
    (tmp_path / "inner.yaml").write_text(
        "netspec: 1\nname: inner\ninput: [4]\nblocks: {unit: {layers: [{dense: 4}]}}\n"
        f"layers: [{shared}, {{add: , from: [r, t]}}]\n"
    )
    (tmp_path / "outer.yaml").write_text(
        "netspec: 1\nname: outer\ninput: [4]\nlayers: [{network: {spec: inner.yaml, until: t}, name: n}]\n"
    )
    graph, diagnostics = check_file(tmp_path / "outer.yaml")
    assert graph is not None
    assert diagnostics == []
    assert [node.name for node in graph.nodes] == ["n.a.dense1", "n.b.dense1", "n.t"]
