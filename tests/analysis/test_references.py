"""What `netspec shapes` counts, against the real thing: products that loops count, values, what is alive.

The table in docs/accounting.md lists which test compares which figure with what; a test checks that they exist.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis import analyze
from netspec.ops.attention import Attention
from netspec.ops.base import Op
from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
from netspec.ops.dense import Dense, Rbf
from netspec.ops.product import AxisNames, Product
from netspec.ops.swept import Swept
from netspec.ops.transpose import ConvTranspose
from netspec.weights import initialise
from tests.cases import CASES, Case
from tests.language.author import graph_of
from tests.oracle import forward
from tests.structures import STRUCTURES, structure

Floats = NDArray[np.float64]
ROOT = Path(__file__).parents[2]


# Products, one by one.


class Loops:
    """Layers calculated by the plainest loops there are; every product of a weight and a value is counted."""

    def __init__(self) -> None:
        self.products = 0

    def convolved(self, x: Floats, kernel: Floats, sees: list[list[int]], op: Convolution) -> Floats:
        """`kernel` holds, for each filter, a window for each channel that it sees."""
        padded = np.pad(x, [(0, 0), *op.pads])
        spans = zip(padded.shape[1:], op.span, op.strides, strict=True)
        sizes = [(size - span) // stride + 1 for size, span, stride in spans]
        out = np.zeros((len(sees), *sizes))
        for place in product(*map(range, sizes)):
            for unit, channels in enumerate(sees):
                for row, channel in enumerate(channels):
                    for tap in product(*map(range, op.kernel)):
                        steps = zip(place, op.strides, tap, op.dilation, strict=True)
                        at = tuple(p * s + t * d for p, s, t, d in steps)
                        out[(unit, *place)] += kernel[(unit, row, *tap)] * padded[(channel, *at)]
                        self.products += 1
        return out

    def scattered(self, x: Floats, kernel: Floats, op: ConvTranspose, shape: tuple[int, ...]) -> Floats:
        """The transpose: each input value goes to the outputs that its window covers."""
        out = np.zeros(shape)
        per_group = x.shape[0] // op.groups
        for channel, *place in product(*map(range, x.shape)):
            for unit in range(kernel.shape[1]):
                target = channel // per_group * kernel.shape[1] + unit
                for tap in product(*map(range, op.kernel)):
                    steps = zip(place, op.strides, tap, op.dilation, op.pads, strict=True)
                    at = tuple(p * s + t * d - lo for p, s, t, d, (lo, _) in steps)
                    value = kernel[(channel, unit, *tap)] * x[(channel, *place)]
                    self.products += 1
                    if all(0 <= each < size for each, size in zip(at, shape[1:], strict=True)):
                        out[(target, *at)] += value
        return out

    def mixed(self, x: Floats, matrix: Floats, squares: bool) -> Floats:
        out = np.zeros((len(matrix), *x.shape[1:]))
        for place in product(*map(range, x.shape[1:])):
            for unit, row in enumerate(matrix):
                for channel, weight in enumerate(row):
                    value = x[(channel, *place)]
                    out[(unit, *place)] += (value - weight) ** 2 if squares else weight * value
                    self.products += 1
        return out

    def multiplied(self, named: AxisNames, tensors: list[Floats]) -> Floats:
        """Two tensors after the other, from the left; an axis is summed as soon as no later one has it."""
        kept, value = named.inputs[0], tensors[0]
        for number, (row, other) in enumerate(zip(named.inputs[1:], tensors[1:], strict=True), start=1):
            sizes = dict(zip((*kept, *row), (*value.shape, *other.shape), strict=True))
            later = {name for each in named.inputs[number + 1 :] for name in each}
            last = number == len(named.inputs) - 1
            after = named.output if last else tuple(each for each in sizes if each in later | {*named.output})
            out = np.zeros([sizes[each] for each in after])
            for place in product(*map(range, sizes.values())):
                at = dict(zip(sizes, place, strict=True))
                first, second, target = (tuple(at[name] for name in each) for each in (kept, row, after))
                out[target] += value[first] * other[second]
                self.products += 1
            kept, value = after, out
        return value

    def layer(self, op: Op, x: Floats, weights: dict[str, Floats], shape: tuple[int, ...]) -> Floats:
        channels = list(range(x.shape[0]))
        if isinstance(op, ConvTranspose):
            out = self.scattered(x, weights["weight"], op, shape)
        elif isinstance(op, Conv):
            per_filter, per_group = op.filters // op.groups, len(channels) // op.groups
            starts = [each // per_filter * per_group for each in range(op.filters)]
            sees = [channels[start : start + per_group] for start in starts]
            kernel: Any = weights["weight"]
            if op.table is not None:
                sees, rows = [list(each) for each in op.table], iter(weights["weight"])
                wide = np.zeros((op.filters, max(map(len, sees)), *op.kernel))
                for unit, each in enumerate(sees):
                    for row in range(len(each)):
                        wide[unit, row] = next(rows)
                kernel = wide
            out = self.convolved(x, kernel, sees, op)
        elif isinstance(op, DepthwiseConv):
            own = [[each] for each in channels for _ in range(op.multiplier)]
            out = self.convolved(x, weights["weight"], own, op)
        elif isinstance(op, SeparableConv):
            own = [[each] for each in channels for _ in range(op.multiplier)]
            between = self.convolved(x, weights["depthwise.weight"], own, op)
            matrix = weights["pointwise.weight"].reshape(op.filters, -1)
            out = self.mixed(between, matrix, squares=False)
        else:
            out = self.mixed(x, weights["weight"], squares=isinstance(op, Rbf))
        bias = weights.get("bias", weights.get("pointwise.bias"))
        return out if bias is None else out + bias.reshape(-1, *[1] * (out.ndim - 1))


WEIGHTED = (Conv, DepthwiseConv, SeparableConv, ConvTranspose, Dense, Rbf)
COUNTED = [case for case in CASES if isinstance(case.graph().nodes[-1].op, WEIGHTED)]
SMALL = [case for case in COUNTED if (analyze(case.graph()).totals.macs or 0) <= 4000]


def check_products(cases: list[Case]) -> None:
    for case in cases:
        graph = case.graph()
        node = graph.nodes[-1]
        arrays = {
            name: np.asarray(array, "float64") for name, array in initialise(graph, 1, "float64").items()
        }
        x = np.random.default_rng(0).standard_normal(graph.inputs[0].type.shape)
        loops = Loops()
        local = {node.local(each): arrays[each.name] for each in node.weights}
        result = loops.layer(node.op, x, local, node.output.shape)
        if node.op.settings().get("activation") is None:
            oracle = forward(graph, arrays, {graph.inputs[0].name: x[None]}, training=False)[node.name]
            np.testing.assert_allclose(
                result, np.asarray(oracle, "float64")[0], atol=1e-12, err_msg=case.name
            )
        assert analyze(graph).layers[-1].macs == loops.products, case.name


def test_macs_are_the_products_that_loops_count() -> None:
    assert {type(case.graph().nodes[-1].op) for case in SMALL} == set(WEIGHTED)
    check_products(SMALL)


@pytest.mark.slow
def test_macs_are_the_products_that_loops_count_in_every_case() -> None:
    check_products(COUNTED)


PRODUCTS = [case for case in CASES if isinstance(case.graph().nodes[-1].op, Product)]


def test_macs_of_products_of_tensors_are_those_that_loops_count() -> None:
    assert {case.keyword for case in PRODUCTS} == {"matmul", "contract"}
    for case in PRODUCTS:
        graph = case.graph()
        node = graph.nodes[-1]
        assert isinstance(node.op, Product)
        random = np.random.default_rng(0)
        batch = {each.name: random.standard_normal((1, *each.type.shape)) for each in graph.inputs}
        values = batch | forward(graph, initialise(graph, 1, "float64"), batch, training=False)
        loops = Loops()
        tensors = [np.asarray(values[each], "float64")[0] for each in node.inputs]
        result = loops.multiplied(node.op.names([graph.types[each] for each in node.inputs]), tensors)
        oracle = np.asarray(values[node.name], "float64")[0]
        np.testing.assert_allclose(result, oracle, atol=1e-12, err_msg=case.name)
        assert analyze(graph).layers[-1].macs == loops.products, case.name


def test_other_layers_have_no_macs() -> None:
    for case in CASES:
        if not any(
            isinstance(node.op, (*WEIGHTED, Swept, Attention, Product)) for node in case.graph().nodes
        ):
            assert analyze(case.graph()).totals.macs == 0, case.name


# From the equations: a kernel of a gate is multiplied once a step, a peephole is one product a unit and step.
RECURRENT: dict[str, tuple[str, str, int]] = {
    "rnn": ("[3, 5]", "rnn: 4", 5 * (3 * 4 + 4 * 4)),
    "lstm": ("[3, 5]", "lstm: 4", 5 * 4 * (3 * 4 + 4 * 4)),
    "gru": ("[3, 5]", "gru: 4", 5 * 3 * (3 * 4 + 4 * 4)),
    "last": ("[3, 5]", "gru: {units: 4, return: last}", 5 * 3 * (3 * 4 + 4 * 4)),
    "both": ("[3, 5]", "gru: {units: 4, direction: both}", 2 * 5 * 3 * (3 * 4 + 4 * 4)),
    "layers": (
        "[3, 5]",
        "rnn: {units: 4, layers: 2, direction: both}",
        2 * 5 * (3 * 4 + 4 * 4) + 2 * 5 * (8 * 4 + 4 * 4),
    ),
    "coupled": ("[3, 5]", "lstm: {units: 4, coupled: true}", 5 * 3 * (3 * 4 + 4 * 4)),
    "peepholes": ("[3, 5]", "lstm: {units: 4, peepholes: true}", 5 * (4 * (3 * 4 + 4 * 4) + 3 * 4)),
    "projection": ("[3, 5]", "lstm: {units: 4, projection: 2}", 5 * (4 * (3 * 4 + 2 * 4) + 4 * 2)),
    "rows of a map": ("[3, 5, 7]", "gru: {units: 4, axis: width}", 5 * 7 * 3 * (3 * 4 + 4 * 4)),
    "video": (
        "[2, 5, 6, 7]",
        "conv_lstm: {filters: 3, kernel: 3, padding: same, axis: depth}",
        5 * 6 * 7 * 4 * (2 * 3 * 9 + 3 * 3 * 9),
    ),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_macs_of_a_recurrent_layer_are_its_products_at_every_step(name: str) -> None:
    sizes, item, products = RECURRENT[name]
    graph = graph_of(f"netspec: 1\nname: a\ninput: {sizes}\nlayers:\n  - {item}\n")
    assert analyze(graph).totals.macs == products


# A row of a matrix is multiplied once a position; a query and a key, and a weight and a value, for each pair.
ATTENTION: dict[str, tuple[str, str, int]] = {
    "self": ("[6, 5]", "attention: 2", 5 * 6 * 18 + 5 * 5 * (6 + 6) + 5 * 6 * 6),
    "causal": ("[6, 5]", "attention: {heads: 2, causal: true}", 5 * 6 * 18 + 5 * 5 * (6 + 6) + 5 * 6 * 6),
    "grouped": ("[6, 5]", "attention: {heads: 6, kv_heads: 2}", 5 * 6 * 10 + 5 * 5 * (6 + 6) + 5 * 6 * 6),
    "no output": ("[6, 5]", "attention: {heads: 2, output: none}", 5 * 6 * 18 + 5 * 5 * (6 + 6)),
    "unprojected": ("[6, 5]", "attention: {heads: 2, project: false}", 5 * 5 * (6 + 6)),
    "blocks": ("[6, 4, 4]", "attention: {heads: 2, blocks: 2}", 16 * 6 * 18 + 16 * 4 * (6 + 6) + 16 * 6 * 6),
    "cross": (
        "[6, 5]",
        "{parameter: [3, 7], name: m}\n  - attention: {heads: 2, output: 4}\n    from: [input, m]",
        5 * 6 * 6 + 7 * 3 * 12 + 5 * 7 * (6 + 6) + 5 * 6 * 4,
    ),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_macs_of_attention_are_those_of_its_projections_and_of_each_pair(name: str) -> None:
    sizes, item, products = ATTENTION[name]
    graph = graph_of(f"netspec: 1\nname: a\ninput: {sizes}\nlayers:\n  - {item}\n")
    assert analyze(graph).totals.macs == products


# Values, by what is there.

GRAPHS = {name: structure(name) for name in STRUCTURES}


@pytest.mark.parametrize("name", GRAPHS)
def test_activations_are_the_values_of_all_outputs(name: str) -> None:
    graph = GRAPHS[name]
    batch = {each.name: np.zeros((1, *each.type.shape)) for each in graph.inputs}
    values = forward(graph, initialise(graph, 0, "float64"), batch, training=False)
    totals = analyze(graph).totals
    # The oracle's arrays are those of first outputs; what a layer gives beside it has its size in the graph.
    first = sum(values[node.name].size for node in graph.nodes)
    outputs = first + sum(graph.types[each].elements for node in graph.nodes for each in node.values[1:])
    assert outputs == totals.activations
    inputs = sum(each.size for each in batch.values())
    assert totals.memory.training_bytes_per_sample == 4 * (outputs + inputs)


@pytest.mark.parametrize("name", GRAPHS)
def test_inference_is_a_lower_bound_of_what_is_alive(name: str) -> None:
    """By walking any graph: a value dies when its last reader has run. The figure counts one reader and one input."""
    graph = GRAPHS[name]
    made = {value: 4 * graph.types[value].elements for node in graph.nodes for value in node.values}
    last = {value: place for place, node in enumerate(graph.nodes) for value in node.inputs}
    last.update({each.value: len(graph.nodes) for each in graph.outputs})
    alive: set[str] = set()
    peak, pairs = 0, 0
    for place, node in enumerate(graph.nodes):
        alive.update(node.values)
        peak = max(peak, sum(made[value] for value in alive))
        alive = {value for value in alive if last.get(value, -1) > place}
        for value in node.inputs:
            pairs = max(pairs, sum(made[each] for each in node.values) + made.get(value, 0))
    memory = analyze(graph).totals.memory
    assert memory.inference_bytes - memory.weights_bytes == pairs <= peak


# The table that says all this.


def test_the_table_of_references_names_tests_that_are_there() -> None:
    text = (ROOT / "docs" / "accounting.md").read_text(encoding="utf-8")
    table = text.partition("## What each number is tested against")[2]
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", table)
    assert len(named) > 10
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, f"{path} has no {name}"
