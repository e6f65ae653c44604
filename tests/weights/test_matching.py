"""Which tensor of others is which weight: by name, by order, by a map, and never by a guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netspec.diagnostics import Problems, SpecError
from netspec.exchange.maps import read, template
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.weights import initialise
from netspec.weights.held import Held, Place, by_number, by_place, same
from netspec.weights.importing import assembled
from netspec.weights.matching import By, Match, Unmatched, match

HEAD = "netspec: 1\nname: own\ninput: [4]\nlayers:\n"
CHAIN = (
    HEAD
    + "  - {dense: {units: 4}, name: a}\n  - {dense: {units: 4}, name: b}\n  - {dense: {units: 2}, name: c}\n"
)
TOWERS = (
    HEAD
    + "  - concat: [[{dense: {units: 4}, name: a}], [{dense: {units: 4}, name: b}]]\n  - {dense: {units: 2}, name: c}\n"
)
UNEQUAL = HEAD + (
    "  - concat:\n"
    "      - [{dense: {units: 3}, name: a}, {dense: {units: 4}, name: b}]\n"
    "      - [{dense: {units: 5}, name: c}, {dense: {units: 4}, name: d}]\n"
)
NORMS = HEAD + (
    "  - add:\n"
    "      - [{dense: {units: 3}, name: a}, {batch_norm: , name: n}]\n"
    "      - [{dense: {units: 5}, name: b}, {dense: {units: 3}, name: c}, {batch_norm: , name: m}]\n"
)


def graph_of(text: str) -> Graph:
    problems = Problems()
    graph = graph_of_text(text, "own.yaml", problems)
    assert graph is not None, list(problems)
    return graph


def split(name: str) -> tuple[str, str]:
    layer, _, leaf = name.rpartition(".")
    return layer, leaf


def places(graph: Graph) -> list[Place]:
    return [Place(each.name, *split(each.name), each.shape, turned=same, back=same) for each in graph.weights]


def held(graph: Graph, names: dict[str, str], ordered: bool = True) -> Held:
    """A file with the weights of layers of a graph, in this order, under other names."""
    start = initialise(graph, 1)
    arrays = {
        f"{theirs}.{split(name)[1]}": array
        for ours, theirs in names.items()
        for name, array in start.items()
        if split(name)[0] == ours
    }
    kinds = {name: str(array.dtype) for name, array in arrays.items()}
    return Held(arrays, kinds, by_place(arrays) if ordered else by_number(arrays))


def matched(graph: Graph, found: Held, by: By | None = None) -> Match:
    return match(found, split, places(graph), graph, by, "theirs.pt")


def pairs(found: Match) -> dict[str, str]:
    return {split(row.place.weight)[0]: split(row.theirs[0])[0] for row in found.rows}


# A spec; the layers of the file in its order, ours → theirs, whether it keeps the order; and how they are matched.
FOUND: dict[str, tuple[str, dict[str, str], bool, str]] = {
    "names, in another order": (CHAIN, {"c": "c", "b": "b", "a": "a"}, False, "by name"),
    "names behind a common one": (CHAIN, {"c": "net.c", "b": "net.b", "a": "net.a"}, True, "by name"),
    "the order": (CHAIN, {"a": "x", "b": "y", "c": "z"}, True, "by order"),
    "numbers": (CHAIN, {"c": "fc.12", "a": "fc.2", "b": "fc.10"}, False, "by order"),
    "branches of other shapes": (UNEQUAL, {"a": "p", "b": "q", "c": "r", "d": "s"}, True, "by order"),
    "equal shapes behind other ones": (
        NORMS,
        {"a": "p", "n": "q", "b": "r", "c": "s", "m": "t"},
        True,
        "by order",
    ),
}


@pytest.mark.parametrize(("text", "names", "ordered", "how"), FOUND.values(), ids=FOUND)
def test_what_is_certain_is_found(text: str, names: dict[str, str], ordered: bool, how: str) -> None:
    graph = graph_of(text)
    found = matched(graph, held(graph, names, ordered))
    assert (pairs(found), found.how) == (names, how)
    arrays = assembled(found, held(graph, names, ordered), "theirs.pt", pytest.fail)
    for name, array in initialise(graph, 1).items():
        np.testing.assert_array_equal(arrays[name], array)


# The same, and a part of the reason; with `order` where the caller says that the order is right.
REFUSED: dict[str, tuple[str, dict[str, str], bool, str]] = {
    "equal towers": (TOWERS, {"b": "right", "a": "left", "c": "end"}, True, "a, b: equal shapes in parallel"),
    "names that count otherwise": (CHAIN, {"b": "fc2", "a": "fc1", "c": "fc3"}, True, "fc1 stands after fc2"),
    "names that say otherwise": (
        CHAIN,
        {"b": "b", "a": "x", "c": "y"},
        True,
        "b: by name it is b, by order x",
    ),
    "no order": (
        CHAIN,
        {"a": "x", "b": "y", "c": "z"},
        False,
        "the file does not say in which order x, y are",
    ),
    "equal shapes, no order": (
        NORMS,
        {"a": "p", "n": "q1", "b": "r", "c": "s", "m": "q2"},
        False,
        "n, m: equal shapes in parallel; possible: q1, q2",
    ),
    "another order": (UNEQUAL, {"a": "p", "c": "r", "b": "q", "d": "s"}, True, "at its place the file has r"),
    "a layer less": (
        CHAIN,
        {"a": "x", "b": "y"},
        True,
        "c (weight 2×4, bias 2): no layer of the file has these",
    ),
    "a layer less of several": (
        CHAIN,
        {"a": "x", "c": "z"},
        True,
        "has 3 layers with weights, and the file 2",
    ),
}


@pytest.mark.parametrize(("text", "names", "ordered", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_a_guess_is_refused(text: str, names: dict[str, str], ordered: bool, why: str) -> None:
    graph = graph_of(text)
    with pytest.raises(Unmatched) as caught:
        matched(graph, held(graph, names, ordered))
    assert why in str(caught.value)
    assert caught.value.candidates.keys() == {each.name for each in graph.weights}


def test_the_caller_can_say_that_the_order_is_right() -> None:
    graph = graph_of(TOWERS)
    names = {"a": "left", "b": "right", "c": "end"}
    assert pairs(matched(graph, held(graph, names), "order")) == names
    with pytest.raises(Unmatched, match="a: missing"):
        matched(graph, held(graph, names), "name")


def test_what_is_wrong_by_name_is_told_at_once() -> None:
    graph = graph_of(CHAIN)
    whole = held(graph, {"a": "a", "b": "b", "c": "c"})
    tensors = dict(whole.tensors)
    tensors["a.weight"] = np.zeros((4, 5), "float32")
    tensors["b.scale"] = tensors.pop("b.bias")
    tensors["d.weight"] = np.ones(3, "float32")
    changed = Held(tensors, dict.fromkeys(tensors, "float32"), by_place(tensors))
    with pytest.raises(Unmatched) as caught:
        matched(graph, changed)
    assert str(caught.value).splitlines()[1:] == [
        "  a.weight: a.weight is 4×5, but it must be 4×4",
        "  b.bias: b has no bias, only weight, scale",
        "  b.scale (4): b has no such weight",
        "  d.weight (3): not in the network",
        "  --skip PATTERN leaves out tensors of the file that the network does not have",
    ]


def test_a_weight_that_is_stored_twice_is_left_out_and_told() -> None:
    graph = graph_of(CHAIN)
    whole = held(graph, {"a": "a", "b": "b", "c": "c"})
    again = {**whole.tensors, "d.weight": whole.tensors["a.weight"].copy()}
    found = matched(graph, Held(again, dict.fromkeys(again, "float32"), by_place(again)))
    assert found.surplus == ("d.weight",)
    equal = {**whole.tensors, "d.bias": np.zeros(4, "float32")}  # as every bias is: that says nothing
    with pytest.raises(Unmatched, match=r"d\.bias \(4\): not in the network"):
        matched(graph, Held(equal, dict.fromkeys(equal, "float32"), by_place(equal)))


def test_the_biases_of_a_cell_are_added() -> None:
    place = Place("r.bias", "r", "bias_ih", (2,), turned=same, back=same, added="bias_hh")
    weight = Place("r.weight", "r", "weight", (2, 4), turned=same, back=same)
    first, second = np.array([1.0, 1e-9], "float32"), np.array([0.5, 1.0], "float32")
    arrays = {"q.weight": np.ones((2, 4), "float32"), "q.bias_ih": first, "q.bias_hh": second}
    whole = Held(arrays, dict.fromkeys(arrays, "float32"), by_place(arrays))
    graph = graph_of(HEAD + "  - dense: 2\n")
    told: list[str] = []
    found = assembled(match(whole, split, [weight, place], graph, "order", "x"), whole, "x", told.append)
    np.testing.assert_array_equal(found["r.bias"], np.array([1.5, 1.0], "float32"))
    assert told == ["1 sum of two biases rounded to float32"]


# Maps.


def test_a_template_is_a_map_to_fill_in(tmp_path: Path) -> None:
    graph = graph_of(TOWERS)
    names = {"b": "on", "a": "left: 1", "c": "end"}
    whole = held(graph, names)
    with pytest.raises(Unmatched) as caught:
        matched(graph, whole)
    text = template(places(graph), caught.value.candidates, whole)
    assert "a.weight:  # 4×4: on.weight | left: 1.weight\n" in text
    assert "c.weight: end.weight\n" in text
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as wrong:
        read(path, whole, places(graph))
    assert [each.message for each in wrong.value.diagnostics] == [
        f"`{name}` has no tensor yet" for name in ("a.weight", "a.bias", "b.weight", "b.bias")
    ]
    for name, theirs in {"a": "left: 1", "b": "on"}.items():
        for leaf in ("weight", "bias"):
            text = text.replace(f"{name}.{leaf}:  #", f'{name}.{leaf}: "{theirs}.{leaf}"  #')
    path.write_text(text, encoding="utf-8")
    found = read(path, whole, places(graph))
    assert pairs(found) == {"a": "left: 1", "b": "on", "c": "end"}


def test_every_fault_of_a_map_is_told_with_its_place(tmp_path: Path) -> None:
    graph = graph_of(CHAIN)
    whole = held(graph, {"a": "x", "b": "y", "c": "z"})
    path = tmp_path / "map.yaml"
    path.write_text(
        "a.weight: x.weight\nb.weight: x.weight\nc.weight: y.weight\nc.bias: [z.bias, y.bias]\n"
        "a.biass: x.bias\nb.bias: y.biass\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        read(path, whole, places(graph))
    assert [(each.span.line, each.span.column, each.message) for each in caught.value.diagnostics] == [
        (1, 1, "1 weight of the network is missing: `a.bias`"),
        (2, 11, "`x.weight` is the tensor of `a.weight` and of `b.weight`"),
        (3, 11, "`y.weight` is 4×4, and `c.weight` needs 2×4"),
        (4, 9, "`c.bias` takes one tensor"),
        (5, 1, "the network has no weight `a.biass`; did you mean `a.bias`?"),
        (6, 9, "the file has no tensor `y.biass`; did you mean `y.bias`?"),
    ]
