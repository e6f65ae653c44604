"""`carry` and `outputs`: a repeat that passes on several tensors, and blocks that name what they give."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path

import pytest

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from netspec.passes import cut
from tests.language.author import (
    FILE,
    graph_of,
    graph_of_file,
    hold_file,
    hold_refusals,
    spec,
    told,
    types_of,
    wires_of,
)

CELL = """
blocks:
  cell:
    inputs: [x, h]
    outputs: [y, state]
    layers:
      - {add: , from: [x, h], name: s}
      - {tanh: , name: y}
      - {sigmoid: , from: s, name: state}
layers:
  - {relu: , name: a}
  - {elu: , name: b}
"""
ENDS = "  - {concat: , from: [loop, loop.state]}"


def wires(carry: str, more: str = "") -> dict[str, tuple[str, ...]]:
    """The wires of three repetitions of the cell."""
    item = f"{{cell: , from: [a, b], repeat: 3, carry: {carry}, name: loop{more}}}"
    return wires_of(graph_of(f"{CELL}  - {item}\n{ENDS}"))


def test_a_carried_input_takes_the_output_of_the_repetition_before() -> None:
    found = wires("{h: state}")
    assert [found[f"loop.{at}.s"] for at in range(3)] == [
        ("a", "b"),
        ("loop.0.y", "loop.0.state"),
        ("loop.1.y", "loop.1.state"),
    ]
    assert found["concat1"] == ("loop.2.y", "loop.2.state")


def test_an_input_that_takes_its_own_name_stays_the_same() -> None:
    def wires(carry: str) -> dict[str, tuple[str, ...]]:
        item = f"{{cell: , from: [a, b], repeat: 3, carry: {carry}, name: loop}}"
        ends = "{concat: , from: [loop.*.y, loop.*.state]}"
        return wires_of(graph_of(f"{CELL}  - {item}\n  - {ends}"))

    assert [wires("{x: x, h: state}")[f"loop.{at}.s"][0] for at in range(3)] == ["a", "a", "a"]
    assert [wires("{h: h}")[f"loop.{at}.s"][1] for at in range(3)] == ["b", "b", "b"]
    assert wires("{x: y}")["loop.2.s"] == ("loop.1.y", "b"), "what `carry` does not name stays the same, too"


def test_inputs_can_swap_and_the_first_output_has_a_name_of_its_own() -> None:
    assert wires("{x: state, h: output}")["loop.1.s"] == ("loop.0.state", "loop.0.y")


def test_a_repetition_that_is_left_out_carries_on_what_it_would_take() -> None:
    found = wires("{h: state}", ", when: '${index != 1}'")
    assert found["loop.2.s"] == ("loop.0.y", "loop.0.state")
    assert found["concat1"] == ("loop.2.y", "loop.2.state")


@pytest.mark.parametrize("none", ["repeat: 0", "repeat: 2, when: false"])
def test_without_a_repetition_a_carried_output_is_what_the_first_would_take(none: str) -> None:
    text = f"{CELL}  - {{cell: , from: [a, b], {none}, carry: {{h: state}}, name: loop}}\n{ENDS}"
    assert wires_of(graph_of(text))["concat1"] == ("b", "b")
    assert wires_of(graph_of(text.replace("[loop, ", "[loop.y, ")))["concat1"] == ("b", "b")


OPS = """
netspec: 1
name: swept
inputs: {a: [4, 8], h: [4], c: [4], b: [7, 8], n: {shape: [], vocabulary: 9}}
params: {times: 0}
layers:
"""
PASSING = f"{OPS}  - {{identity: , from: b, name: passing}}\n"


def wires_of_ops(text: str) -> dict[str, tuple[str, ...]]:
    """The wires of a network that does not use all its inputs."""
    graph, diagnostics = check_text(spec(text), FILE)
    assert graph is not None, as_text(diagnostics, {FILE: spec(text)})
    assert {each.code.id for each in diagnostics} <= {"NS0117", "NS0121"}
    return wires_of(verify(graph))


@pytest.mark.parametrize("none", ["repeat: $times", "repeat: 2, when: false"])
def test_without_a_repetition_of_an_op_a_carried_output_is_what_the_first_would_take(none: str) -> None:
    def taken(item: str, name: str, before: str = PASSING) -> str:
        return wires_of_ops(f"{before}  - {{{item}, {none}, name: r}}\n  - {{dense: 3, from: {name}}}")[
            "dense1"
        ][0]

    gru = "gru: 4, from: [a, h], carry: {state: state}"
    assert taken(gru, "r.state") == taken(gru, "r.state", OPS) == "h"
    assert taken(gru, "r") == taken(gru, "r.output") == "passing"
    lstm = "lstm: 4, from: [a, h, c], carry: {state: cell, cell: state}"
    assert (taken(lstm, "r.cell"), taken(lstm, "r.state")) == ("h", "c")
    lengths = "gru: 4, from: [a, h, n], carry: {state: state}"
    assert taken(lengths, "r.state") == "h"
    assert (
        taken("max_unpool: , from: [p, p.indices], carry: {indices: indices}", "r", f"{PASSING}{POOLED}")
        == "p"
    )


POOLED = "  - {reshape: [7, 2, 4]}\n  - {max_pool: 1, name: p}\n"


@pytest.mark.parametrize("none", ["repeat: $times", "repeat: 2, when: false"])
def test_without_a_repetition_other_outputs_are_not_those_of_the_layer_before(none: str) -> None:
    """The name stands for `before`, which has outputs of the same names."""
    before = f"{OPS}  - {{lstm: 4, from: a, name: before}}\n"
    for carry in "{state: state}", "{state: output}":
        item = f"{{lstm: 4, from: [a, h, c], {none}, carry: {carry}, name: r}}"
        hold_refusals(
            f"{before}  - {item}\n  - {{dense: 3, from: «r.cell»}}", ("NS0109", "does not contain `cell`")
        )


LEFT_OUT = [
    "{relu: , from: «r»}",
    "{add: , from: «[r, r]»}",
    "{concat: [«r», [{relu: , from: b}]]}",
    "{layers: [relu], from: «r»}",
    "{unit: , from: «r»}",
    "{relu: , from: «r», repeat: 2}",
    "{relu: , from: «r», when: false, else: [tanh]}",
]


@pytest.mark.parametrize(
    ("item", "left_out"), [*zip(LEFT_OUT, cycle(["when: false", "repeat: 0"]), strict=False)]
)
def test_the_name_of_an_item_that_is_left_out_can_stand_for_no_tensor(item: str, left_out: str) -> None:
    unit = "blocks: {unit: {layers: [relu]}}\nlayers:"
    text = f"{OPS.replace('layers:', unit)}  - {{tanh: , from: a, {left_out}, name: r}}\n  - {item}"
    (found,) = hold_refusals(text, ("NS0115", "this names an item that is left out"))
    stays = re.findall("`- ([^`]+)`", found.help or "")[0]
    text = re.sub("[«»]", "", text.replace("  - {tanh", f"  - {stays}\n  - {{tanh"))
    wires_of_ops(text)


def test_a_left_out_item_can_name_another_one_that_is_left_out() -> None:
    text = f"{OPS}  - {{tanh: , from: a, when: false, name: r}}\n  - {{relu: , from: r, when: false}}\n"
    assert wires_of_ops(f"{text}  - {{elu: , from: a}}") == {"elu1": ("a",)}


def test_inputs_of_an_op_are_carried_by_what_they_are_for() -> None:
    """Lengths take the second place in `from` if there is no state; what `carry` does not name stays the same."""

    def wires(source: str, carry: str, op: str = "gru") -> tuple[str, ...]:
        return wires_of_ops(f"{OPS}  - {{{op}: 4, from: {source}, repeat: 3, carry: {carry}, name: r}}")[
            "r.2"
        ]

    assert wires("[a, n]", "{lengths: lengths}") == ("r.1", "n")
    assert wires("[a, h, n]", "{state: state}") == ("r.1", "r.1.state", "n")
    assert wires("[a, h, c, n]", "{state: state, cell: cell}", "lstm") == (
        "r.1",
        "r.1.state",
        "r.1.cell",
        "n",
    )
    assert wires("[a, h, c]", "{cell: state}", "lstm") == ("r.1", "h", "r.1.state")
    text = f"{OPS}  - {{gru: 4, from: [a, n], repeat: 3, carry: {{lengths: «state»}}}}"
    hold_refusals(text, ("NS0320", "`lengths` is an index of 9"))


ADVICE = [
    ("lstm: 4, from: [a, h, c]", "{state: state, cell: cell}", ("r.1", "r.1.state", "r.1.cell")),
    ("lstm: 4, from: [a, h, c, n]", "{state: state, cell: cell}", ("r.1", "r.1.state", "r.1.cell", "n")),
    ("lstm: 4, from: [a, n]", "{lengths: lengths}", ("r.1", "n")),
    ("gru: 4, from: [a, h, n]", "{state: state}", ("r.1", "r.1.state", "n")),
    ("gru: 4, from: [a, n]", "{lengths: lengths}", ("r.1", "n")),
]


@pytest.mark.parametrize(("item", "carry", "wires"), ADVICE)
def test_the_help_about_a_repeated_op_leads_to_its_states(
    item: str, carry: str, wires: tuple[str, ...]
) -> None:
    text = f"{OPS}  - {{{item}, repeat: «3», name: r}}"
    hold_refusals(text, ("NS0125", f"add `carry: {carry}`"))
    assert wires_of_ops(text.replace("«3»", f"3, carry: {carry}"))["r.2"] == wires


ABSENT = [
    ("gru: 4, from: a", "{«state»: state}", "`gru` takes only `sequence` here", "[SEQUENCE, STATE]"),
    ("gru: 4, from: [a, n]", "{«state»: state}", "has no `state`", "[SEQUENCE, STATE, LENGTHS]"),
    (
        "gru: 4, from: [a, h]",
        "{state: state, «lengths»: lengths}",
        "has no `lengths`",
        "[SEQUENCE, STATE, LENGTHS]",
    ),
    ("gru: 4, from: a", "{«lengths»: lengths}", "has no `lengths`", "[SEQUENCE, LENGTHS]"),
    (
        "lstm: 4, from: [a, h]",
        "{state: state, «cell»: cell}",
        "remove `cell` from `carry`",
        "[SEQUENCE, STATE, CELL]",
    ),
    ("lstm: 4, from: a", "{«cell»: cell}", "or remove `carry`", "[SEQUENCE, STATE, CELL]"),
    ("take: -1, from: a", "{«lengths»: lengths}", "has no `lengths`", "[INPUT, LENGTHS]"),
    ("gather: [0, 1], from: a", "{«indices»: indices}", "has no `indices`", "[INPUT, INDICES]"),
    (
        "conv_lstm: {filters: 4, kernel: 1}, from: a",
        "{«cell»: cell}",
        "has no `cell`",
        "[SEQUENCE, STATE, CELL]",
    ),
]


@pytest.mark.parametrize(("item", "carry", "words", "source"), ABSENT)
def test_an_op_carries_only_what_from_gives_it(item: str, carry: str, words: str, source: str) -> None:
    text = f"{OPS}  - {{{item}, repeat: 3, carry: {carry}}}"
    (found,) = hold_refusals(text, ("NS0128", words))
    assert f"`from: {source}`" in (found.help or "")


def test_every_carried_input_that_from_does_not_give_is_reported() -> None:
    text = f"{OPS}  - {{lstm: 4, from: a, repeat: 3, carry: {{«state»: state, «cell»: cell}}}}"
    hold_refusals(text, ("NS0128", "no `state`"), ("NS0128", "no `cell`"))


def test_a_repeated_op_of_too_many_inputs_is_reported_as_that() -> None:
    for carry in "", ", carry: {state: state}":
        text = f"{OPS}  - {{gru: 4, from: «[a, h, n, n]», repeat: 3{carry}}}"
        hold_refusals(text, ("NS0311", "takes 1 to 3 inputs"))


def test_too_few_inputs_are_no_crash_without_a_repetition() -> None:
    hold_refusals(
        f"{OPS}  - {{gru: 4, from: a, repeat: 0, carry: {{«state»: state}}}}", ("NS0128", "has no `state`")
    )
    text = f"{CELL}  - {{cell: , from: [a], repeat: 0, carry: {{h: state}}, name: loop}}\n"
    hold_refusals(f"{text}  - {{relu: , from: «loop.state»}}", ("NS0109", "does not contain `state`"))


def test_outputs_by_name_of_a_call_a_repetition_and_every_repetition() -> None:
    graph = graph_of(
        f"""{CELL}
  - {{cell: , from: [a, b], name: once}}
  - {{cell: , from: [once, once.state], repeat: 2, carry: {{h: state}}, name: loop}}
  - {{concat: , from: [loop, loop.0.state, loop.*.state, once.output, once.s]}}
expect: {{layers: {{once.state: [4, 8, 8], loop.state: [4, 8, 8], loop.1.y: [4, 8, 8]}}}}
"""
    )
    states = ("loop.0.state", "loop.0.state", "loop.1.state")
    assert wires_of(graph)["concat1"] == ("loop.1.y", *states, "once.y", "once.s")
    assert [each.value for each in cut(graph, "once.state").outputs] == ["once.state"]


def test_an_output_can_be_a_path_an_input_or_of_a_block_inside() -> None:
    graph = graph_of(
        """
        blocks:
          inner:
            outputs: [end, pool.indices]
            layers: [{max_pool: 2, name: pool}, {relu: , name: end}]
          outer:
            inputs: [x, kept]
            outputs: [i, i.indices, kept]
            layers: [{inner: , name: i}]
        layers:
          - {outer: , from: [input, input], name: o}
          - {max_unpool: , from: [o, o.indices]}
          - {add: , from: [max_unpool1, o.kept]}
        """
    )
    assert wires_of(graph)["max_unpool1"] == ("o.i.end", "o.i.pool.indices")
    assert wires_of(graph)["add1"] == ("max_unpool1", "input")


def test_an_output_that_is_a_scope_can_be_looked_into() -> None:
    graph = graph_of(
        """
        blocks: {b: {outputs: [g], layers: [{layers: [{tanh: , name: t}, relu], name: g}]}}
        layers: [{b: , repeat: 2, name: r}, {add: [r.g.t, r.0.g.t, r.*.g.t]}]
        """
    )
    assert wires_of(graph)["add1"] == ("r.1.g.t", "r.0.g.t", "r.0.g.t", "r.1.g.t")


def test_the_current_tensor_can_change_its_type() -> None:
    text = """
    blocks: {grow: {inputs: [x, skip], outputs: [y], layers: [{concat: , from: [x, skip], name: y}]}}
    layers: [{grow: , from: [input, input], repeat: 3, carry: {skip: skip}}]
    """
    assert list(types_of(graph_of(text)).values()) == ["8@8×8", "12@8×8", "16@8×8"]


def test_ops_and_networks_of_several_inputs_carry_by_the_names_of_their_inputs() -> None:
    graph = graph_of(
        """
        layers:
          - {max_pool: 1, name: pool}
          - {max_unpool: , from: [pool, pool.indices], repeat: 2, carry: {indices: indices}}
        """
    )
    assert wires_of(graph)["max_unpool1.1"] == ("max_unpool1.0", "pool.indices")
    text = """
    netspec: 1
    name: spec
    input: [1, 105, 105]
    layers: [{network: {spec: 'zoo:siamese'}, from: [input, input], repeat: «2»}]
    """
    hold_refusals(text, ("NS0125", "add `carry: {right: right}`"))


def test_a_head_of_an_embedded_network_is_carried_by_a_block(tmp_path: Path) -> None:
    layers = "[{concat: , from: [x, h]}, {dense: 3, name: s}, {dense: 4}]"
    (tmp_path / "cell.yaml").write_text(
        f"netspec: 1\nname: cell\ninputs: {{x: [4], h: [3]}}\nlayers: {layers}\nheads: {{next: s, h: s}}\n"
    )
    file = tmp_path / "spec.yaml"
    start = "netspec: 1\nname: spec\ninputs: {x: [4], h: [3]}\n"
    call = "from: [x, h], repeat: 2, carry: {h:"
    for head in ("next", "h"):
        file.write_text(
            f"{start}layers: [{{network: {{spec: cell.yaml}}, {call} «{head}»}}}}]\n", encoding="utf-8"
        )
        (found,) = hold_file(file, ("NS0128", f"`{head}` is a head of the network `cell`"))
    inputs, outputs = re.findall(r"`((?:inputs|outputs): [^`]*)`", found.help or "")
    block = f"{{{inputs}, {outputs}, layers: [{{network: {{spec: cell.yaml}}, from: [x, h], name: net}}]}}"
    file.write_text(f"{start}blocks: {{cell: {block}}}\nlayers: [{{cell: , {call} s}}, name: loop}}]\n")
    wires = wires_of(graph_of_file(file))
    assert wires["loop.1.net.concat1"] == ("loop.0.net.dense2", "loop.0.net.s")


def test_the_help_about_several_inputs_leads_to_a_network() -> None:
    item = "{cell: , from: [a, b], repeat: «2», name: loop}"
    (found,) = hold_refusals(f"{CELL}  - {item}\n{ENDS}", ("NS0125", "add `carry: {h: state}`"))
    (carry, *_) = re.findall("`([^`]+)`", found.help or "")
    graph_of(f"{CELL}  - {item.replace('«2»', f'2, {carry}')}\n{ENDS}")


WRONG = [
    ("{cell: , from: [a, b], carry: «{h: state}»}", "NS0128", "`carry` needs a `repeat`"),
    ("{cell: , from: [a, b], repeat: 2, carry: «state»}", "NS0128", "write `carry: {h: state}`"),
    ("{cell: , from: [a, b], repeat: 2, carry: «{}»}", "NS0128", "must be a mapping"),
    ("{cell: , from: [a, b], repeat: 2, carry: {«g»: state}}", "NS0103", "it has `h`, `x`"),
    ("{cell: , from: [a, b], repeat: 2, carry: {h: «s»}}", "NS0128", "its outputs are `y`, `state`"),
    ("{cell: , from: [a, b], repeat: 2, carry: {h: «sate»}}", "NS0128", "did you mean `state`?"),
    ("{cell: , from: [a, b], repeat: 2, carry: {h: «[state]»}}", "NS0128", "takes one output, not a list"),
    ("{cell: , from: [a, b], repeat: 2, carry: {h: $«n»}}", "NS0203", "`n` is not a parameter"),
    ("{relu: , repeat: 2, carry: {«x»: x}}", "NS0128", "remove `carry`"),
    ("{add: , from: [a, b], repeat: 2, carry: «{x: x}»}", "NS0128", "have no names"),
    ("{layers: [relu], repeat: 2, carry: «{x: x}»}", "NS0128", "a group takes only the current tensor"),
    ("{cell: , from: «[a]», repeat: 2, carry: {h: state}}", "NS0123", "takes 2 (x, h), but gets 1"),
    ("{gru: 4, repeat: 2, carry: «{}»}", "NS0128", "write `carry: {state: state}`"),
    (
        "{lstm: 4, repeat: 2, carry: {state: «cel»}}",
        "NS0128",
        "write `state: state` for the output of the same name",
    ),
]


@pytest.mark.parametrize(("item", "code", "words"), WRONG)
def test_a_carry_that_names_the_wrong_thing_is_refused(item: str, code: str, words: str) -> None:
    hold_refusals(f"{CELL}  - {item}", (code, words))


def test_a_carry_that_changes_its_type_is_refused_once() -> None:
    text = CELL.replace("{sigmoid: , from: s, name: state}", "{dense: 5, from: s, name: state}")
    item = "{cell: , from: [a, b], repeat: 5, carry: {h: «state»}, name: loop}"
    hold_refusals(f"{text}  - {item}\n{ENDS}", ("NS0320", "`h` is 4@8×8 in repetition 0"))


OUTPUTS = [
    ("«[]»", "NS0129", "is empty"),
    ("[«3»]", "NS0129", "must be the name of a layer in it"),
    ("[a, «b.*»]", "NS0129", "must be the name of a layer in it"),
    ("[«b.0»]", "NS0129", "cannot be called `0`"),
    ("[«p.output»]", "NS0129", "write `p`"),
    ("[a, «a»]", "NS0108", "the output `a` appears twice"),
    ("[a, «g.a»]", "NS0108", "it is the last part of `a` and of `g.a`"),
    ("[a, «c»]", "NS0109", "no earlier layer is called `c`"),
    ("[b, «g.a»]", "NS0108", "the block also has a layer `a`"),
]


@pytest.mark.parametrize(("outputs", "code", "words"), OUTPUTS)
def test_an_output_that_cannot_be_one_is_told_once(outputs: str, code: str, words: str) -> None:
    body = (
        "[{relu: , name: a}, {tanh: , repeat: 1, name: b}, {max_pool: 1, name: p}, "
        "{layers: [{elu: , name: a}], name: g}]"
    )
    text = f"blocks: {{cell: {{outputs: {outputs}, layers: {body}}}}}\nlayers: [cell, cell]"
    hold_refusals(text, (code, words))


def test_an_output_is_not_called_like_an_input_that_it_is_not() -> None:
    body = "[{layers: [{relu: , name: state}], name: y}, {add: , from: [x, state], name: z}]"
    text = f"blocks: {{cell: {{inputs: [x, state], outputs: [z, «y.state»], layers: {body}}}}}\n"
    text += "layers: [{relu: , name: a}, {elu: , name: b}, {cell: , from: [a, b]}]"
    hold_refusals(text, ("NS0108", "the block also has an input `state` rename that input"))


def test_an_output_that_some_call_uses_is_not_reported_as_unused() -> None:
    """The state of the last repetition is there because the block has it; nobody can leave it out."""
    text = f"{CELL}  - {{cell: , from: [a, b], repeat: 3, carry: {{h: state}}}}"
    assert not told(text)
    (found,) = told(f"{CELL}  - {{cell: , from: [a, b]}}")
    assert found.code.id == "NS0117"


LAST = {
    "a state": ("{dense: 4, from: s, name: state}", "from: [a, b], repeat: 3, carry: {h: state}", 2),
    "what only it needs": (
        "{dense: 4, from: s, name: inside}, {batch_norm: }, {relu: , name: state}",
        "from: [a, b], repeat: 3, carry: {h: state}", 4,
    ),
    "of one repetition": ("{dense: 4, from: s, name: state}", "from: [a, b], repeat: 1, carry: {h: state}", 0),
    "the current tensor": (
        "{dense: 4, from: s, name: state}", "from: [a, b], repeat: 3, carry: {x: state, h: h}", 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAST)
def test_weights_that_only_a_next_repetition_would_need_are_left_out(name: str) -> None:
    state, beside, count = LAST[name]
    text = CELL.replace("{sigmoid: , from: s, name: state}", state.replace("}, {", "}\n      - {"))
    text += f"  - {{cell: , {beside}}}"
    assert not told(text)
    graph = graph_of(text)
    assert sum(bool(node.weights) for node in graph.nodes) == count
    used = graph_of(text + "\n  - {concat: , from: [cell1, cell1.state]}")
    assert sum(bool(node.weights) for node in used.nodes) > count


def test_a_repeat_that_nothing_takes_is_reported_whole() -> None:
    text = CELL.replace("{sigmoid: , from: s, name: state}", "{dense: 4, from: s, name: state}")
    found = told(
        f"{text}  - {{cell: , from: [a, b], repeat: 3, carry: {{h: state}}}}\n  - {{relu: , from: a}}"
    )
    assert {each.code.id for each in found} == {"NS0117"}
