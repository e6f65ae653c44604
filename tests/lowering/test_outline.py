"""The tree of scopes: what goes into each, and what comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from netspec.graph import Graph, IllegalGraph, Node
from netspec.lowering.definitions import definitions
from netspec.lowering.outline import Module, outline
from netspec.lowering.taps import order
from netspec.lowering.variables import titles
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure


def modules(graph: Graph) -> dict[str, Module]:
    root = outline(graph)
    return {each.path: each for each in root.modules()} | {"": root}


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_node_stands_once_and_in_order(name: str) -> None:
    graph = structure(name)
    # What a layer gives besides comes before its own output.
    wanted = [value for node in graph.nodes for value in (*node.values[1:], node.name)]
    assert order(outline(graph)) == tuple(wanted)


@pytest.mark.parametrize("name", STRUCTURES)
def test_inputs_and_outputs_are_what_crosses_the_border(name: str) -> None:
    graph = structure(name)
    for path, module in modules(graph).items():
        if not path:
            continue
        within = {node.name for node in module.nodes()}
        used = {value for node in module.nodes() for value in node.inputs}
        made = {value for node in module.nodes() for value in node.values}
        assert set(module.inputs) == used - made
        outside = [node for node in graph.nodes if node.name not in within]
        wanted = {value for node in outside for value in node.inputs} | {each.value for each in graph.outputs}
        assert made & wanted <= set(module.outputs) <= made
        if module.scope and module.scope.output in module.outputs:
            assert module.outputs[0] == module.scope.output


@pytest.mark.parametrize("name", STRUCTURES)
def test_definitions_come_before_what_uses_them(name: str) -> None:
    root = outline(structure(name))
    groups = definitions(root)
    assert groups[-1] == (root,)
    seen: set[str] = set()
    for group in groups:
        for module in group:
            inner = {each.path for each in module.modules() if not each.is_repeat}
            assert inner <= seen
        seen |= {module.path for module in group}
    assert len(seen) == sum(map(len, groups))


def test_uses_of_a_block_are_one_group_wherever_they_stand() -> None:
    groups = definitions(outline(structure("growing")))
    assert [len(group) for group in groups] == [19, 3, 1]
    groups = definitions(outline(structure("siamese")))
    assert [[each.local_name for each in group] for group in groups] == [
        ["deep"] * 3,
        ["inner1"] * 3,
        ["one", "two", "three"],
        [""],
    ]


def test_inputs_stand_in_the_order_in_which_they_are_handed_in() -> None:
    gate = modules(structure("two_inputs"))["gate1"]
    assert gate.inputs == ("image", "code")


def test_a_tap_into_the_middle_is_one_more_output() -> None:
    found = modules(structure("skips"))
    assert found["outer"].outputs == ("outer.max_pool1", "outer.skip")


def test_scopes_that_share_weights_give_the_same() -> None:
    found = modules(structure("taps_of_shared"))
    assert found["one"].outputs == ("one.conv2", "one.first")
    assert found["two"].outputs == ("two.conv2", "two.first")


def test_repetitions_give_the_same_where_most_of_them_do() -> None:
    found = modules(structure("many_skips"))
    assert [found[f"layers.{number}"].outputs for number in (0, 3)] == [
        ("layers.0.out", "layers.0.skip"),
        ("layers.3.out", "layers.3.skip"),
    ]


@pytest.mark.parametrize(("taken", "more"), [(1, []), (2, ["stage.2.mid"])], ids=["one of 2", "two of 3"])
def test_half_of_the_repetitions_are_not_most_of_them(taken: int, more: list[str]) -> None:
    graph = graph_of(
        f"""
        netspec: 1
        name: tie
        input: [4, 8, 8]
        blocks: {{unit: {{layers: [{{tanh: , name: mid}}, relu]}}}}
        layers:
          - unit:
            repeat: {taken + 1}
            name: stage
          - add:
            from: [stage, {", ".join(f"stage.{number}.mid" for number in range(taken))}]
        """
    )
    assert modules(graph)[f"stage.{taken}"].outputs == (f"stage.{taken}.relu1", *more)


def test_scopes_name_the_values_that_are_their_outputs() -> None:
    found = titles(outline(structure("residual")))
    assert found["stage1.2.relu2"] == "stage1"
    assert found["stage1.0.relu2"] == "stage1_0"


def test_a_use_before_its_making_is_refused() -> None:
    graph = structure("chain")
    first, second, *others = graph.nodes
    assert isinstance(first, Node)
    with pytest.raises(IllegalGraph, match="relu1"):
        outline(replace(graph, nodes=(replace(first, inputs=("relu1",)), second, *others)))


def test_definitions_stand_in_one_order_in_every_process() -> None:
    program = (
        "from netspec.loading import load\n"
        "from netspec.lowering.definitions import definitions\n"
        "from netspec.lowering.outline import outline\n"
        "print([uses[0].path for uses in definitions(outline(load('zoo:localiser')))])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
