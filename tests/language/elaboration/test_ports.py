"""Inputs with roles, and further outputs by name: how a spec reaches them, and what is refused."""

from __future__ import annotations

import pytest

from netspec.analysis import analyze
from netspec.check import check_text
from netspec.dataclass import replace
from netspec.graph import IllegalGraph, outputs_of, verify, without_unused_ports
from netspec.ops import OPS, PORTS
from netspec.ops.pool import MaxPool, MaxUnpool
from netspec.types import Type
from tests.building import Sketch
from tests.language.author import FILE, graph_of, hold_refusals, unmarked, wires_of


def whole(items: str) -> str:
    """A spec with these layers on maps of 4@8×8."""
    return f"netspec: 1\nname: a\ninput: [4, 8, 8]\nlayers: [{items}]"


POOL = "{max_pool: 2, name: p}"


def test_the_names_of_ports_are_those_of_the_ops() -> None:
    assert {port.name for op in OPS.values() for port in op.ports} == PORTS


REACHED = {
    "of a layer": ("{max_pool: 2, name: p}", "p.indices", "p.indices"),
    "of a layer without a name of its own": ("{max_pool: 2}", "max_pool1.indices", "max_pool1.indices"),
    "of a layer in a group": (
        "{layers: [{max_pool: 2, name: p}, relu], name: g}", "g.p.indices", "g.p.indices",
    ),
    "of the last layer of a group": ("{layers: [relu, {max_pool: 2}], name: g}", "g.indices", "g.max_pool1.indices"),
    "of a repetition": ("{max_pool: 2, repeat: 1, name: r}", "r.0.indices", "r.0.indices"),
    "of the last repetition": ("{max_pool: 2, repeat: 1, name: r}", "r.indices", "r.0.indices"),
    "of a block": ("{down: , name: d}", "d.indices", "d.max_pool1.indices"),
}  # fmt: skip


@pytest.mark.parametrize("case", REACHED)
def test_a_name_leads_to_a_further_output(case: str) -> None:
    item, path, value = REACHED[case]
    blocks = "blocks: {down: {layers: [{max_pool: 2}]}}"
    graph = graph_of(
        f"netspec: 1\nname: a\ninput: [4, 8, 8]\n{blocks}\n"
        f"layers: [{item}, {{dense: 4, name: code}}, {{max_unpool: , from: [code, {path}], name: up}}]"
    )
    assert verify(graph).by_name["up"].inputs == ("code", value)
    assert graph.types["up"] == Type(4, (8, 8))
    assert graph.producers[value].ports == ("indices",)


def test_the_further_outputs_of_scopes_are_expected_by_the_names_that_find_them() -> None:
    text = whole("{max_pool: 2, repeat: 2, name: r}, {layers: [{max_pool: 2}], name: g}, {relu: }")
    text += "\nexpect: {layers: {r.indices: [4, 2, 2], r.0.indices: [4, 4, 4], g.indices: [4, 1, 1]}}"
    assert check_text(text, FILE)[1] == []
    used = text.replace("{relu: }", "{max_unpool: , from: [g, g.indices]}")
    assert check_text(used, FILE)[1] == []
    assert [each.code.id for each in check_text(used.replace("1, 1", "1, 2"), FILE)[1]] == ["NS0401"]


PASSING = ("{u: , name: q}", "{u: , name: q, repeat: 2}", "{max_pool: 1, name: q, when: false}")


@pytest.mark.parametrize("item", PASSING)
def test_what_stands_for_a_tensor_before_it_has_no_further_outputs(item: str) -> None:
    """Items that are left out, and scopes with nothing in them."""
    blocks = "blocks: {u: {layers: [{max_pool: 1, when: false}]}}\n"
    items = f"{POOL}, {item}, {{max_unpool: , from: [q, «q.indices»]}}"
    text = f"netspec: 1\nname: a\ninput: [4, 8, 8]\n{blocks}layers: [{items}]"
    hold_refusals(text, ("NS0109", "`q` has no `indices`"))
    graph = graph_of(unmarked(text)[0].replace("q.indices", "p.indices"))
    assert wires_of(graph)["max_unpool1"] == ("p", "p.indices")


def test_a_block_passes_indices_on() -> None:
    graph = graph_of(
        "netspec: 1\nname: a\ninput: [4, 8, 8]\n"
        "blocks: {up: {inputs: [x, where], layers: [{max_unpool: , from: [x, where]}]}}\n"
        f"layers: [{POOL}, {{up: , from: [p, p.indices], name: u}}]"
    )
    assert wires_of(graph)["u.max_unpool1"] == ("p", "p.indices")


def test_a_graph_holds_a_further_output_where_something_takes_it() -> None:
    graph = graph_of(whole(f"{POOL}, relu"))
    assert graph.by_name["p"].ports == ()
    assert graph.by_name["p"].outputs == (Type(4, (4, 4)),)
    assert analyze(graph).totals.activations == 2 * 4 * 16
    used = graph_of(whole(f"{POOL}, {{max_unpool: , from: [p, p.indices]}}"))
    assert used.by_name["p"].values == ("p", "p.indices")
    assert str(used.types["p.indices"]) == "positions 4@4×4 in 8×8"
    assert analyze(used).totals.activations == 2 * 4 * 16 + 4 * 64


def test_the_sizes_of_a_further_output_are_expected_whether_it_is_used_or_not() -> None:
    text = whole(f"{POOL}, relu") + "\nexpect: {layers: {p.indices: [4, 4, 4]}}"
    assert check_text(text, FILE)[1] == []
    assert [each.code.id for each in check_text(text.replace("4, 4, 4", "4, 5, 4"), FILE)[1]] == ["NS0401"]


REFUSED = [
    (f"{POOL}, {{«max_unpool»: , from: [p.indices, p]}}", ("NS0304", "swap them")),
    (f"{POOL}, «max_unpool»", ("NS0311", "takes 2 inputs")),
    (f"{POOL}, {{max_unpool: , from: «p.indices»}}", ("NS0311", "from: [NAME, POOL.indices]")),
    (f"{POOL}, {{max_unpool: , from: «[p, p.indices, p]»}}", ("NS0311", "it has 3")),
    (f"{POOL}, {{«max_unpool»: , from: [p, p]}}", ("NS0304", "here it gets numbers (4@4×4)")),
    (f"{POOL}, {{«relu»: , from: p.indices}}", ("NS0304", "without `.indices`")),
    (f"{POOL}, {{«identity»: , from: p.indices}}", ("NS0304", "positions of maxima")),
    (f"{POOL}, {{«add»: , from: [p, p.indices]}}", ("NS0304", "positions of maxima")),
    (f"{POOL}, {{max_unpool: , from: [p, «p.indice»]}}", ("NS0109", "did you mean `p.indices`?")),
    (f"{POOL}, {{max_unpool: , from: [p, p.indices], repeat: «2»}}", ("NS0125", "add `carry: {indices: indices}`")),
    (
        f"{POOL}, {{conv: {{filters: 4, kernel: 3}}, name: c}}, {{«max_unpool»: , from: [c, p.indices]}}",
        ("NS0316", "bring the values to 4@4×4"),
    ),
    (
        f"{POOL}, {{conv: {{filters: 5, kernel: 1}}, name: c}}, {{«max_unpool»: , from: [c, p.indices]}}",
        ("NS0316", "it gets 5@4×4"),
    ),
    (
        "{max_pool: {kernel: [2, 3], stride: [2, 1]}, name: p}, {«max_unpool»: , from: [p, p.indices]}",
        ("NS0316", "overlap along width: neighbours share"),
    ),
    (
        "{max_pool: {kernel: 2, dilation: 6, stride: 3, padding: 4}, name: p}, {«max_unpool»: , from: [p, p.indices]}",
        ("NS0316", "two that are 2 apart share"),
    ),
    ("{max_pool: 2, name: «indices»}", ("NS0107", "an output of an op")),
]  # fmt: skip


@pytest.mark.parametrize(("items", "refusal"), REFUSED)
def test_what_does_not_fit_its_role_is_refused(items: str, refusal: tuple[str, str]) -> None:
    hold_refusals(whole(items), refusal)


@pytest.mark.parametrize(
    "rest",
    [
        "layers: [{«max_pool»: 2, name: p}, {layers: [], from: p.indices}]",
        "layers: [{max_pool: 2, name: p}]\nheads: {«h»: {from: p.indices, layers: []}}",
    ],
)
def test_a_network_gives_no_positions(rest: str) -> None:
    hold_refusals(f"netspec: 1\nname: a\ninput: [4, 8, 8]\n{rest}", ("NS0304", "such as `max_unpool`"))


def test_verify_sees_a_further_output_that_nothing_uses() -> None:
    sketch = Sketch("a", input=(2, 4, 4))
    sketch.add("p", MaxPool(kernel=(2,)))
    sketch.add("u", MaxUnpool(), "p", "p.indices")
    graph = sketch.graph()
    pool = graph.nodes[0]
    assert outputs_of(pool.op, (Type(2, (4, 4)),), ("indices",)) == pool.outputs
    assert without_unused_ports(graph.nodes, graph.outputs) == graph.nodes
    alone = Sketch("b", input=(2, 4, 4))
    alone.add("p", MaxPool(kernel=(2,)))
    assert alone.graph().nodes[0].ports == ()

    with pytest.raises(IllegalGraph, match="further output"):
        verify(replace(alone.graph(), nodes=(pool,)))
