"""Generated PyTorch moves the axes of a value only where a layer needs another order than the value has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import netspec
from netspec.graph import Graph
from netspec.language.reading.locations import zoo
from netspec.proof.comparison import compare
from netspec_torch import arrangement, interfaces
from netspec_torch.arrangement import Arrangement
from netspec_torch.construction import Construction
from netspec_torch.counting import IMPOSSIBLE, Moves
from netspec_torch.flow import Flow
from netspec_torch.lowering import Lowerings
from netspec_torch.source import _Text, class_name, draft, source
from tests.backends.turning import undone_in_torch
from tests.having import ORACLE
from tests.language.author import graph_of
from tests.random_networks.networks import graph_of as random_graph
from tests.random_networks.networks import random_network
from tests.random_networks.text import MAIN

FORWARD, GRADIENTS = 1e-12, 1e-11

TOKENS = "input: {shape: [6], vocabulary: 9}"

NETWORKS: Mapping[str, tuple[str, int]] = {
    "steps_of_dense": ("input: [3, 6]\nlayers: [lstm: 4, dense: {units: 5, activation: softmax}]", 2),
    "normalised": (
        "input: [3, 6]\nlayers: [dense: {units: 4, activation: hard_sigmoid}, layer_norm, dense: 5]",
        2,
    ),
    "two_lstms": ("input: [3, 6]\nlayers: [lstm: 4, relu, dropout: 0.5, lstm: 5, softmax]", 2),
    "embedded": (f"{TOKENS}\nlayers: [embedding: 4, lstm: 5]", 1),
    "embedded_for_a_map": (f"{TOKENS}\nlayers: [embedding: 4, conv: {{filters: 5, kernel: 3}}]", 1),
    "one_hot": (f"{TOKENS}\nlayers: [one_hot, lstm: 5, reverse, roll: 1, lstm: 4, take: -1, dense: 3]", 0),
    "residual": (
        """
input: [4, 6]
layers:
  - lstm: 4
    name: y
  - add:
    from: [y, x]
  - dense: 4
    name: z
  - add:
    from: [z, y]
  - layer_norm
  - global_avg_pool
""".replace("from: [y, x]", "from: [y, input]"),
        1,
    ),
    "beside_a_map": (
        """
input: [4, 6]
layers:
  - conv: {filters: 4, kernel: 3, padding: same}
    name: x
  - concat:
      - - lstm: 3
      - - lstm: {units: 2, direction: backward}
      - - conv: {filters: 3, kernel: 1}
      - []
  - dense: {units: 4, activation: gelu}
""",
        3,
    ),
    "repeated": (
        """
input: [4, 6]
layers:
  - gru: 4
    repeat: 3
  - dense: {units: 4, activation: tanh}
    repeat: 3
  - layer_norm:
    repeat: 2
""",
        2,
    ),
    "handed_on": (
        """
inputs: {x: [4, 6], h: [4]}
blocks:
  unit:
    inputs: [x, h]
    outputs: [y, state]
    layers:
      - gru: 4
        from: [x, h]
        name: y
      - identity:
        from: y.state
        name: state
layers:
  - unit:
    from: [x, h]
    repeat: 3
    carry: {h: state}
  - gru: 4
""",
        2,
    ),
    "swept": (
        """
input: [3, 6, 5]
layers:
  - gru: {units: 4, axis: height, direction: both}
  - gru: {units: 4, axis: width, direction: both}
  - dense: 4
  - gru: {units: 4, axis: width, reset: before}
    name: a
  - gru: {units: 4, axis: width, reset: before, return: last}
  - lstm: {units: 3, return: state}
""",
        2,
    ),
    "in_blocks": (
        """
input: [3, 6, 5]
blocks:
  sweep:
    params: {axis: }
    layers:
      - gru: {units: 4, axis: $axis}
      - dropout: 0.5
      - dense: {units: 4, activation: relu}
layers:
  - sweep: height
  - sweep: width
  - sweep: width
""",
        3,
    ),
    "calls_in_a_row": (
        """
input: [4, 8]
blocks:
  sweep:
    params: {units: }
    layers:
      - gru: $units
      - dropout: 0.2
layers:
  - sweep: 4
  - sweep: 5
  - relu
  - sweep: 6
  - dense: 3
""",
        2,
    ),
    "between_convolutions": (
        """
input: [4, 8]
blocks:
  sweep:
    layers:
      - lstm: 4
      - dense: 4
layers:
  - conv: {filters: 4, kernel: 3}
  - sweep:
    name: a
  - conv: {filters: 4, kernel: 3}
  - sweep:
""",
        0,
    ),
    "one_block_in_another": (
        """
input: [4, 8]
blocks:
  pass:
    params: {units: }
    layers:
      - gru: $units
      - layer_norm
  both:
    layers:
      - pass: 4
      - pass: 4
      - add:
        from: [pass1, pass2]
layers:
  - both:
    repeat: 3
  - conv: {filters: 4, kernel: 3}
  - both:
""",
        4,
    ),
    "a_block_of_any_order": (
        """
input: [4, 8]
blocks:
  calm:
    layers:
      - relu
      - dropout: 0.5
layers:
  - lstm: 4
  - calm:
  - dense: 4
  - calm:
  - conv: {filters: 4, kernel: 3}
""",
        2,
    ),
    "blocks_of_any_order_in_a_row": (
        """
input: [1, 11]
blocks:
  calm:
    layers: [relu]
  steps:
    layers: [dense: 3, batch_norm]
layers:
  - dense: {units: 2, activation: tanh}
  - calm:
  - calm:
  - steps:
  - dense: 2
""",
        3,
    ),
    "rows_of_an_image": (
        "input: [1, 6, 5]\nlayers: [permute: [width, height, channels], reshape: [5, 6], gru: 4, "
        "reshape: [4, 6, 1], reshape: [4, 1, 6, 1], reshape: [4, 6], gru: 3]",
        1,
    ),
    "carried": (
        """
input: [4, 6]
blocks:
  unit:
    inputs: [x, h]
    outputs: [y, all]
    layers:
      - gru: 4
        from: [x]
        name: g
      - add:
        from: [g, h]
        name: all
      - dense: 4
        name: y
layers:
  - conv: {filters: 4, kernel: 1}
    name: x
  - unit:
    from: [x, x]
    repeat: 3
    carry: {h: all}
  - gru: 4
""",
        2,
    ),
    "heads": (
        """
input: [3, 6]
layers:
  - lstm: 4
    name: a
  - dense: 4
  - gated
heads:
  steps: {from: a, layers: [dense: 2]}
  last: {from: a, layers: [take: -1]}
  half: {from: a, layers: [slice: {axis: channels, stop: 2}]}
""",
        4,
    ),
    "permuted": (
        "input: [3, 6]\nlayers: [lstm: 4, permute: [time, channels], lstm: 5, permute: [time, channels], dense: 3]",
        4,
    ),
    "in_a_list": (
        """
input: [4, 6]
layers:
  - lstm: 4
    repeat: 3
    name: deep
  - concat:
    from: [deep.0, deep.1, deep.2]
  - dense: 3
""",
        4,
    ),
    "map_states": (
        """
inputs: {x: [3, 5, 4], h: [2, 4]}
layers:
  - gru: {units: 2, axis: height}
    from: [x, h]
    name: g
  - gru: {units: 2, axis: width, return: last}
    from: g
    name: w
  - conv: {filters: 2, kernel: 3}
    from: g.state
    name: c
  - global_avg_pool:
    from: c
    name: v
  - add:
    from: [w, v]
""",
        5,
    ),
    "parts": (
        """
input: [4, 6]
layers:
  - lstm: 4
  - split: [a, b]
    name: s
  - lstm: 3
    from: s.b
    name: t
  - concat:
    from: [s.a, t]
  - conv: {filters: 2, kernel: 3}
""",
        2,
    ),
    "one_output_for_two_states": (
        """
input: [4, 6]
layers:
  - {lstm: 4, name: first}
  - lstm: 4
    from: [first, first.state, first.cell]
    name: next
    repeat: 2
    carry: {state: state, cell: state}
heads: {steps: next, last: next.state}
""",
        2,
    ),
    "moved_first_in_a_block": (
        """
input: [3, 6]
blocks:
  both:
    layers: [concat: [[dense: 2, global_avg_pool], [global_max_pool]]]
layers:
  - relu
  - both
""",
        0,  # the block has it
    ),
    "nothing_is_padded_or_cropped": (
        """
input: [2, 3]
blocks:
  both:
    layers: [pad: 0, crop: 0, concat: [[], [dense: 1]]]
layers:
  - both
  - layer_norm
""",
        2,
    ),
    "permuted_volume": (
        """
input: [3, 4, 5, 2]
layers:
  - permute: [width, channels, height, depth]
  - gru: {units: 3, axis: height}
  - gru: {units: 3, axis: depth}
  - permute: [height, width, depth, channels]
  - dense: 3
  - gru: {units: 2, axis: width, return: last}
  - gru: {units: 2, axis: height, return: last}
""",
        4,
    ),
}
"""Networks, and the number of moves in their text outside of the helpers."""

ZOO = (
    "char_rnn",
    "seq2seq",
    "sentiment",
    "caption",
    "rnn_rows_mnist",
    "bit_memory",
    "renet_cifar10",
    "wavenet",
)

MOVES = ("movedim", "transpose", "permute")


def network(name: str) -> Graph:
    return graph_of(f"netspec: 1\nname: {name}\n{NETWORKS[name][0]}")


def moves(text: str) -> Iterator[tuple[str, str]]:
    """The moves of every value in a text, in pairs without anything between them."""
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            yield from _moves(function.body, {})


def _moves(body: list[ast.stmt], last: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The pairs in statements. `last` has the moves that made the value of each variable."""
    for statement in body:
        if isinstance(statement, ast.For):
            yield from _moves(statement.body * 2, last)
            continue
        for call in ast.walk(statement):
            if isinstance(call, ast.Call):
                chain, value = chained(call)
                yield from pairwise(
                    [*(last.get(value.id, []) if isinstance(value, ast.Name) else []), *chain]
                )
        if isinstance(statement, ast.Assign):
            chain, value = chained(statement.value)
            before = last.get(value.id, []) if isinstance(value, ast.Name) else []
            for target in ast.walk(statement.targets[0]):
                if isinstance(target, ast.Name):
                    last[target.id] = [*before, *chain]


def chained(call: ast.expr) -> tuple[list[str], ast.expr]:
    """The moves at the end of an expression, in their order, and the value before them."""
    chain: list[str] = []
    while isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in MOVES:
        chain.insert(0, f"{call.func.attr}({', '.join(map(ast.unparse, call.args))})")
        call = call.func.value
    return chain, call


def undoes(first: str, second: str) -> bool:
    """Whether the second move undoes the first, as both are written."""
    name, given = first.split("(", 1)
    other, back = second.split("(", 1)
    one, two = (ast.literal_eval(re.sub(r"self\.\w+", "2", f"({each}")) for each in (given, back))
    if {name, other} == {"permute"}:
        return [one[dim] for dim in two] == sorted(one)
    return name == other and (one == two[::-1] or (name == "transpose" and one == two))


def undone(text: str) -> list[tuple[str, str]]:
    return [pair for pair in moves(text) if undoes(*pair)]


def test_the_reader_sees_a_pair() -> None:
    body = "def forward(self, x):\n    x = self.a(x.movedim(1, -1)).movedim(-1, 1)\n"
    assert undone(f"{body}    return self.b(x.movedim(1, -1))\n")
    assert undone(
        "def f(x):\n    for a in b:\n        x = a(x.transpose(1, 2)).transpose(1, 2)\n    return x\n"
    )
    assert not undone(f"{body}    return self.b(x)\n")


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_moves_undo_each_other(name: str) -> None:
    text = source(network(name)).text
    assert undone(text) == []
    own = text[text.rindex("\nclass ") :] if name != "in_blocks" else text
    assert sum(own.count(f".{each}(") for each in MOVES) == NETWORKS[name][1], own


@pytest.mark.parametrize("name", ZOO)
def test_networks_of_the_zoo(name: str) -> None:
    assert undone(source(netspec.load(f"zoo:{name}")).text) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_the_portions_of_a_body_have_its_moves(name: str) -> None:
    graph = network(name)
    text = _Text(graph, Lowerings(graph))
    for use in (use for uses in text.definitions for use in uses):
        flow, interface = Flow(use, Construction(use, text.whole)), text.whole.interface(use)
        found = Moves(flow)
        assert found.cost(interface) % IMPOSSIBLE == Arrangement(flow, interface).cost()
        best = Arrangement(flow).interface
        assert best.is_canonical or found.own() == best


def test_the_work_grows_with_the_number_of_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    class Counted(arrangement._Step):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            steps.append(self)

    monkeypatch.setattr(arrangement, "_Step", Counted)

    def work(count: int) -> int:
        blocks = [f"  b{each}: {{layers: [dense: {4 + each % 5}, relu, dense: 4]}}" for each in range(count)]
        convolution = "\n  - conv: {filters: 4, kernel: 3, padding: same}"
        calls = [f"  - b{each}{convolution * (each % 3 == 2)}" for each in range(count)]
        graph = graph_of("\n".join(["blocks:", *blocks, "layers:", *calls]))
        steps.clear()
        draft(graph, Lowerings(graph))
        return len(steps)

    assert work(40) < 2.2 * work(20)


def test_uses_of_other_sizes_have_their_orders_chosen_together(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = []

    class Counted(Moves):
        def __init__(self, flow: Flow) -> None:
            super().__init__(flow)
            bodies.append(flow.module.path)

    monkeypatch.setattr(interfaces, "Moves", Counted)
    text = """
blocks:
  part: {params: {n: }, layers: [layer_norm, dense: $n, relu, dense: "${block.in.channels}"]}
layers: [part: 4, part: 8, conv: {filters: 8, kernel: 1}, part: 4]
"""
    graph = graph_of(f"netspec: 1\nname: sizes\ninput: [4, 6, 6]\n{text}")
    draft(graph, Lowerings(graph))
    assert bodies == ["part1", ""]


def test_the_runner_sees_a_pair() -> None:
    pytest.importorskip("torch")
    graph = graph_of("netspec: 1\nname: pair\ninput: [3, 6]\nlayers: [relu]")
    text = """
from torch import nn

class Back(nn.Module):
    def forward(self, x):
        return x{back}

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.back = Back()

    def forward(self, x):
        return self.back(x.movedim(1, -1){between})
"""
    for back, between, count in (
        (".movedim(-1, 1)", "", 1),
        (".transpose(1, 2)", ".relu().unsqueeze(1).flatten(1, 2)", 1),
        (".movedim(-1, 1)", " * 2", 0),
        (".unsqueeze(1).movedim(1, -1)", "", 0),
    ):
        found = undone_in_torch(text.format(back=back, between=between), "Pair", graph)
        assert len(found) == count, (back, between)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_move_that_runs_undoes_another(name: str) -> None:
    pytest.importorskip("torch")
    graph = network(name)
    assert undone_in_torch(source(graph).text, class_name(graph), graph) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(zoo()))
def test_no_move_that_runs_in_the_zoo_undoes_another(name: str) -> None:
    pytest.importorskip("torch")
    graph = netspec.load(f"zoo:{name}")
    text = source(graph).text
    if any(f".{move}(" in text for move in MOVES):
        assert undone_in_torch(text, class_name(graph), graph) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(40))
def test_no_move_that_runs_in_a_random_network_undoes_another(number: int, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    files = random_network(f"turns/{number}", tmp_path)
    graph = random_graph(tmp_path / MAIN)
    text = source(graph).text
    if any(f".{move}(" in text for move in MOVES):
        found = undone_in_torch(text, class_name(graph), graph)
        assert found == [], f"random_network('turns/{number}', …) is\n{files}\n{text}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_are_those_of_the_oracle(name: str) -> None:
    pytest.importorskip("torch")
    found = compare(network(name), [ORACLE, "torch"], batch=3, steps=2, sizes=(), seed=1)
    assert all(each.max_rel <= FORWARD for each in found.layers)
    assert all(each.max_rel <= GRADIENTS for each in found.gradients)
