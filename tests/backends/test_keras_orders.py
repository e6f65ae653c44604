"""Generated Keras has no two moves of axes that undo each other, also across layers and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import netspec
from docs.proofs import ROWS, Row
from netspec.backend import backend, refused
from netspec.graph import Graph
from netspec.proof.comparison import compare
from netspec_keras.source import function_name, source
from tests.backends.turning import undone_in_keras
from tests.having import ORACLE
from tests.language.author import graph_of
from tests.random_networks.networks import graph_of as random_graph
from tests.random_networks.networks import random_network
from tests.random_networks.text import MAIN

FORWARD, GRADIENTS = 1e-12, 1e-11

NETWORKS: Mapping[str, tuple[str, tuple[int, int]]] = {
    "in_a_row": (
        """
input: [3, 5, 4]
layers:
  - gru: {units: 3, axis: height}
  - lstm: {units: 3, axis: height, direction: both, merge: sum}
  - lstm: {units: 2, axis: height, peepholes: true, direction: backward}
    name: a
  - lstm: {units: 2, axis: height, return: last}
    from: [a, a.state, a.cell]
  - dense: 3
""",
        (3, 3),
    ),
    "used_otherwise": (
        """
input: [3, 5, 4]
layers:
  - rnn: {units: 3, axis: height}
    name: a
  - rnn: {units: 3, axis: height}
    name: b
  - add:
    from: [a, b]
  - rnn: {units: 3, axis: height}
    name: c
  - rnn: {units: 3, axis: width}
    name: d
heads:
  end: d
  middle: {from: c, layers: [global_avg_pool]}
""",
        (2, 2),
    ),
    "past_others": (
        """
input: [3, 5, 4]
layers:
  - gru: {units: 3, axis: height}
    name: a
  - relu
  - batch_norm
  - dropout: 0.2
  - conv: {filters: 3, kernel: 1, padding: same, activation: tanh}
  - gru: {units: 3, axis: height}
    name: b
  - add:
    from: [a, b]
  - leaky_relu:
    name: c
  - conv: {filters: 4, kernel: 3, padding: same}
  - gru: {units: 3, axis: height}
    name: d
  - softmax
  - lstm: {units: 2, axis: height, return: last}
heads:
  one: {from: c, layers: [channel_pool: {kind: max, size: 3}]}
  two: {from: d, layers: [global_avg_pool]}
  three: {from: d, layers: [conv: {filters: 2, kernel: 3}]}
""",
        (2, 3),
    ),
    "flattened": (
        """
input: [4, 5, 4]
layers:
  - conv: {filters: 6, kernel: 1}
  - reshape: [2, 3, 5, 4]
  - permute: [depth, channels, height, width]
  - identity
  - reshape: [6, 5, 4]
    name: a
  - relu
  - flatten
  - dense: 24
  - reshape: [2, 3, 4]
    name: b
  - elu
  - reshape: [4, 6]
    name: c
heads:
  one: {from: a, layers: [batch_norm]}
  two: {from: b, layers: [permute: [channels, width, height], flatten]}
  three: c
""",
        (0, 0),
    ),
    "in_blocks": (
        """
input: [3, 5, 4]
blocks:
  sweep:
    params: {axis: , units: }
    layers:
      - gru: {units: $units, axis: $axis, reset: before}
layers:
  - sweep: {axis: height, units: 3}
  - sweep: {axis: height, units: 4}
  - sweep: {axis: width, units: 4}
  - sweep: {axis: height, units: 4}
    repeat: 3
""",
        (3, 3),
    ),
    "in_other_blocks": (
        """
input: [3, 5, 4]
blocks:
  sweep:
    params: {units: , more: false}
    layers:
      - conv: {filters: 3, kernel: 3, padding: same}
      - when: $more
        layers: [gru: {units: $units, axis: height}, relu]
      - gru: {units: $units, axis: height}
      - relu
  both:
    inputs: [given]
    layers:
      - gru: {units: 3, axis: height}
      - {add: , from: [given, gru1]}
layers:
  - sweep: {units: 3}
  - gru: {units: 3, axis: height}
  - sweep: {units: 3, more: true}
  - sweep: {units: 3}
  - gru: {units: 3, axis: height}
  - both:
    repeat: 3
  - gru: {units: 3, axis: height}
""",
        (3, 1),
    ),
    "shared": (
        """
input: [3, 5, 4]
layers:
  - gru: {units: 3, axis: height}
    name: a
  - gru: {units: 3, axis: height}
    share: a
  - gru: {units: 3, axis: height}
  - conv: {filters: 3, kernel: 3, padding: same}
  - gru: {units: 3, axis: height}
    share: a
  - max_pool: 2
""",
        (2, 1),
    ),
    "shared_blocks": (
        """
input: [3, 5, 4]
blocks:
  pair:
    layers:
      - gru: {units: 3, axis: height}
      - relu
      - gru: {units: 3, axis: height}
layers:
  - pair:
    name: a
  - pair:
    share: a
  - conv: {filters: 3, kernel: 3, padding: same}
""",
        (0, 0),
    ),
    "an_output": (
        """
input: [3, 5, 4]
layers:
  - gru: {units: 3, axis: height}
    name: a
  - gru: {units: 3, axis: height}
    name: b
  - conv: {filters: 3, kernel: 1, activation: relu}
    name: c
  - concat:
    from: [a, b, c]
heads: {one: a, two: {from: b, layers: [relu]}}
""",
        (1, 2),
    ),
    "permuted": (
        """
input: [3, 5, 4]
layers:
  - conv: {filters: 3, kernel: 1}
  - permute: [channels, width, height]
  - gru: {units: 3, axis: height}
  - permute: [channels, width, height]
  - conv: {filters: 3, kernel: 3, padding: same}
  - gru: {units: 3, axis: height}
  - permute: [height, channels, width]
    name: a
  - gru: {units: 5, axis: height}
heads: {one: a}
""",
        (2, 2),
    ),
    "permuted_in_blocks": (
        """
input: [3, 5, 4]
blocks:
  across:
    layers: [{permute: [channels, width, height]}, {gru: {units: 3, axis: height}}]
layers:
  - conv: {filters: 3, kernel: 3, padding: same}
  - across
  - across
  - conv: {filters: 3, kernel: 3, padding: same}
""",
        (0, 0),
    ),
    "shared_with_two_inputs": (
        """
input: [3, 5, 4]
blocks:
  both:
    inputs: [one, two]
    layers:
      - {gru: {units: 3, axis: height}, from: one, name: a}
      - {add: , from: [a, two]}
      - gru: {units: 3, axis: height}
layers:
  - relu
  - {both: , from: [input, relu1], name: first}
  - {both: , from: [first, relu1], share: first, name: next}
  - {both: , from: [next, first], share: first}
  - conv: {filters: 3, kernel: 3, padding: same}
""",
        (0, 0),
    ),
    "shared_in_a_repeat": (
        """
input: [3, 5, 4]
blocks:
  sweep: {layers: [{gru: {units: 3, axis: height}}]}
layers:
  - {sweep: , name: a}
  - {layers: [{sweep: , share: a}], repeat: 3}
  - conv: {filters: 3, kernel: 3, padding: same}
heads: {one: a}
""",
        (0, 0),
    ),
}
"""Networks, and how many of their layers take and give values in the order of a neighbour."""


def network(name: str) -> Graph:
    return graph_of(f"netspec: 1\nname: {name}\n{NETWORKS[name][0]}")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_value_stays_in_an_order_that_all_its_users_take(name: str) -> None:
    text = source(network(name)).text
    text = text[text.rindex("\ndef ") :]
    rows = re.split(r"\n    \w", text)
    found = [sum(f"moves_{way}=False" in row for row in rows) for way in ("in", "out")]
    assert tuple(found) == NETWORKS[name][1], text


KEPT: Mapping[str, tuple[str, int]] = {
    # The author moves the axes in a function that is called again.
    "a_permute_in_a_shared_block": (
        """
input: [3, 5, 4]
blocks:
  turn: {layers: [{permute: [channels, width, height]}, relu]}
layers:
  - {turn: , name: a}
  - {turn: , share: a}
  - conv: {filters: 3, kernel: 3, padding: same}
""",
        1,
    ),
    # The block would take one value twice, in two orders.
    "a_block_with_a_value_in_two_orders": (
        """
input: [3, 5, 4]
blocks:
  mixed:
    layers:
      - add: [[{gru: {units: 3, axis: height}}], [{conv: {filters: 3, kernel: 3, padding: same}}], []]
layers:
  - gru: {units: 3, axis: height}
  - mixed
  - conv: {filters: 3, kernel: 3, padding: same}
""",
        1,
    ),
}
"""Networks whose text keeps moves that undo each other, and how many: see docs/passes.md."""

FURTHER = [
    "used_otherwise",
    "shared",
    "in_blocks",
    "in_other_blocks",
    "permuted_in_blocks",
    "shared_with_two_inputs",
    "shared_in_a_repeat",
    "zoo:rnn_rows_mnist",
]


@pytest.mark.parametrize(
    "name",
    [
        "in_a_row",
        "past_others",
        "flattened",
        "an_output",
        "permuted",
        "shared_blocks",
        *(pytest.param(each, marks=pytest.mark.slow) for each in FURTHER),
    ],
)
def test_no_move_that_runs_undoes_another(name: str) -> None:
    pytest.importorskip("keras")
    graph = network(name) if name in NETWORKS else netspec.load(name)
    assert undone_in_keras(source(graph).text, function_name(graph), graph) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT)
def test_moves_that_stay(name: str) -> None:
    pytest.importorskip("keras")
    text, count = KEPT[name]
    graph = graph_of(f"netspec: 1\nname: {name}\n{text}")
    assert len(undone_in_keras(source(graph).text, function_name(graph), graph)) == count


MOVING = re.compile(r"layers\.Permute\(|Along\(|Recurrent\w+\(|ops\.(transpose|moveaxis|swapaxes)\(")
"""What moves axes in a text; two of them can undo each other."""


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.spec)
def test_no_move_that_runs_in_the_zoo_undoes_another(row: Row) -> None:
    pytest.importorskip("keras")
    graph = row.graph(full=False)
    text = source(graph).text
    if len(MOVING.findall(text)) > 1:
        assert undone_in_keras(text, function_name(graph), graph) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(12))
def test_no_move_that_runs_in_a_random_network_undoes_another(number: int, tmp_path: Path) -> None:
    keras = backend("keras")
    pytest.importorskip("keras")
    files = random_network(f"turns/{number}", tmp_path)
    graph = random_graph(tmp_path / MAIN)
    if refused(keras, graph):
        return
    text = source(graph).text
    if len(MOVING.findall(text)) > 1:
        found = undone_in_keras(text, function_name(graph), graph)
        assert found == [], f"random_network('turns/{number}', …) is\n{files}\n{text}"


def test_the_runner_sees_a_pair() -> None:
    pytest.importorskip("keras")
    text = """
import keras
from keras import layers

def pair():
    inputs = keras.Input(shape=(3, 4, 2), name="input")
    x = layers.Permute((2, 1, 3))(inputs)
    x = layers.Reshape((4, 3, 2))(x)
    x = layers.ReLU()(x)
    x = layers.Permute((2, 1, 3))(x)
    return keras.Model(inputs, x)
"""
    graph = graph_of("netspec: 1\nname: pair\ninput: [2, 3, 4]\nlayers: [relu]")
    assert len(undone_in_keras(text, "pair", graph)) == 1
    swapped = text.replace("    x = layers.Permute((2, 1, 3))(x)", "    x = Swap()(x)").replace(
        "\ndef",
        "\nclass Swap(layers.Layer):\n    def call(self, x):\n        return keras.ops.swapaxes(x, 1, 2)\n\ndef",
    )
    assert len(undone_in_keras(swapped, "pair", graph)) == 1
    other = text.replace("(2, 1, 3))(x)", "(1, 3, 2))(x)")
    assert undone_in_keras(other, "pair", graph) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_are_those_of_the_oracle(name: str) -> None:
    pytest.importorskip("keras")
    found = compare(network(name), [ORACLE, "keras"], batch=3, steps=2, sizes=(), seed=1)
    assert all(each.max_rel <= FORWARD for each in found.layers)
    assert all(each.max_rel <= GRADIENTS for each in found.gradients)
