"""What the values of a body are called."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.lowering.arguments import words
from netspec.lowering.definitions import definitions
from netspec.lowering.outline import given, outline
from netspec.lowering.sizes import with_sizes
from netspec.lowering.variables import parameters, titles, variables
from netspec.ops import OPS
from tests.building import Sketch
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure

TAKEN = frozenset({"self", "torch"})


def names(graph: Graph) -> dict[str, str]:
    root = outline(graph)
    return variables(root.items, parameters(root, TAKEN), root.outputs, TAKEN, titles(root))


def sketch(*layers: tuple[str, str, str]) -> Graph:
    """Layers as (name, op, what it takes)."""
    made = Sketch("sketch", image=(4, 4, 4))
    for name, keyword, inputs in layers:
        op = OPS[keyword].model_validate({"filters": 4, "kernel": 1} if keyword == "conv" else {})
        made.add(name, op, *inputs.split())
    return made.graph()


def test_a_chain_is_x() -> None:
    found = names(sketch(("conv1", "conv", "image"), ("relu1", "relu", "conv1"), ("kept", "relu", "relu1")))
    assert set(found.values()) == {"x"}


def test_a_branch_beside_x_is_y() -> None:
    found = names(
        sketch(("conv1", "conv", "image"), ("relu1", "relu", "conv1"), ("add1", "add", "relu1 image"))
    )
    assert found == {"image": "x", "conv1": "y", "relu1": "y", "add1": "x"}


def test_many_branches_are_numbered() -> None:
    branches = [(f"relu{at}", "relu", "image") for at in range(1, 5)]
    found = names(sketch(*branches, ("concat1", "concat", "relu1 relu2 relu3 relu4")))
    assert [found[f"relu{at}"] for at in range(1, 5)] == ["branch1", "branch2", "branch3", "x"]


def test_the_number_of_a_branch_is_the_least_that_is_free() -> None:
    """The sum of the first and the third is the first; then the third is free, and the sixth comes next."""
    branches = [(f"relu{at}", "relu", "image") for at in range(1, 6)]
    later = [(f"relu{at}", "relu", "image") for at in range(6, 9)]
    found = names(
        sketch(*branches, ("add1", "add", "relu1 relu3"), *later,
               ("concat1", "concat", "add1 relu2 relu4 relu5 relu6 relu7 relu8 image"))
    )  # fmt: skip
    given = {name: each.removeprefix("branch") for name, each in found.items() if each != "x"}
    assert given == {
        **{f"relu{at}": str(at) for at in range(1, 6)},
        "add1": "1",
        "relu6": "3",
        "relu7": "6",
        "relu8": "7",
    }


def test_what_the_author_named_and_keeps_has_its_name() -> None:
    found = names(
        sketch(("skip", "conv", "image"), ("conv1", "conv", "skip"), ("conv2", "conv", "conv1"),
               ("add1", "add", "conv2 skip"))
    )  # fmt: skip
    assert found == {"image": "x", "skip": "skip", "conv1": "x", "conv2": "x", "add1": "x"}


def test_a_name_that_is_taken_is_numbered() -> None:
    found = names(sketch(("self", "relu", "image"), ("torch", "relu", "self"), ("x", "add", "self torch")))
    assert found["self"] == "self2"
    assert found["torch"] == "torch2"


def test_an_identity_is_an_assignment_of_its_own() -> None:
    found = names(sketch(("identity1", "identity", "image"), ("relu1", "relu", "identity1")))
    assert found == {"image": "x", "identity1": "identity1", "relu1": "x"}


def test_what_a_network_gives_besides_its_end_is_told_from_what_is_called_so_here() -> None:
    found = names(structure("trunk"))
    assert (found["trunk1.fine"], found["fine"]) == ("trunk1_fine", "fine")


def test_inputs_go_by_their_names_until_they_meet() -> None:
    found = names(structure("siamese"))
    assert (found["left"], found["right"]) == ("left", "right")
    assert [found[name] for name in ("one.flatten1", "two.flatten1", "concat1")] == ["one", "two", "x"]


SEVERAL = """
netspec: 1
name: several
input: [2, 8, 8]
blocks:
  decoder: {inputs: [x, where], layers: [{max_unpool: , from: [x, where]}]}
  odd: {inputs: [x, skip], layers: [add: [x, skip]]}
layers:
  - {conv: {filters: 3, kernel: 1}, name: encoder1}
  - {max_pool: 2, name: pool1}
  - {conv: {filters: 3, kernel: 1}, name: encoder2}
  - {max_pool: 2, name: pool2}
  - {decoder: , from: [pool2, pool2.indices]}
  - {decoder: , from: [decoder1, pool1.indices]}
  - {odd: , from: [decoder2, encoder1]}
heads:
  both: {from: pool1, layers: [{concat: , from: [pool1, encoder2]}]}
"""


def several() -> Graph:
    problems = Problems()
    graph = graph_of_text(SEVERAL, "several.yaml", problems)
    assert graph is not None, problems.errors
    return graph


def test_an_input_that_a_block_does_not_name_goes_by_what_its_calls_give() -> None:
    root = outline(with_sizes(several()))
    found = words(definitions(root), root)
    assert found == {
        "decoder1": {"encoder2": "encoder"},
        "decoder2": {"encoder1": "encoder"},
        "both": {"pool1": "pool1", "encoder2": "encoder2"},
    }
    (decoder,) = (module for module in root.modules() if module.path == "decoder2")
    named = parameters(decoder, TAKEN, words=found["decoder2"])
    assert [*named.values()] == ["x", "where", "encoder"]


def test_the_number_of_a_repetition_is_no_name_of_an_input() -> None:
    graph = graph_of(
        """
        layers:
          - {relu: , repeat: 2, name: twice}
          - {tanh: , name: a}
          - {layers: [{add: [twice.0, a]}, relu], name: both}
        """
    )
    root = outline(graph)
    found = words(definitions(root), root)
    assert set(found) == {"both"}
    assert "0" not in found["both"].values()


def test_further_outputs_of_one_name_have_that_of_their_layer_too() -> None:
    found = names(several())
    assert [found[f"pool{number}.indices"] for number in (1, 2)] == ["pool1_indices", "pool2_indices"]


@pytest.mark.parametrize("name", STRUCTURES)
def test_no_variable_is_overwritten_while_it_is_wanted(name: str) -> None:
    """Run the assignments of every body, and see that each item finds the values that it wants."""
    graph = structure(name)
    root = outline(graph)
    for module in (root, *root.modules()):
        found = variables(module.items, parameters(module, TAKEN), module.outputs, TAKEN, titles(module))
        holds = {found[value]: value for value in module.inputs}
        for item in module.items:
            assert all(holds[found[value]] == value for value in item.inputs)
            assert len({found[value] for value in given(item)}) == len(given(item))
            holds |= {found[value]: value for value in given(item)}
        assert all(holds[found[value]] == value for value in module.outputs)
        assert not TAKEN & set(found.values())
