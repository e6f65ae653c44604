"""The networks of the zoo for another size of their input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from docs.proofs import Row
from netspec.diagnostics import Problems, SpecError
from netspec.graph import Graph
from netspec.loading import graph_of_text, load
from netspec.ops import OPS
from netspec.ops.base import Misfit
from tests.cases import CASES, Case

IMAGES = {"size", "height", "width"}
SEQUENCES = {"length", "source_length", "target_length", "points"}
"""The parameters that say how large an input is."""
MORE = (32, 31, 64, 16, 8, 7, 4, 2, 1)
ONE_SIZE = {"lenet5", "lenet5_1998", "lecture_cnn", "fashion_cnn", "mlp", "siamese", "autoencoder"}
ONE_SIZE |= {"rnn_rows_mnist", "renet_mnist", "renet_cifar10", "renet_svhn", "vae", "gpt2_small", "bert_base"}
"""Networks whose spec has one size of the input, or that have weights for each position."""
RESOLVED = re.compile(r"(size|shape)=\([\d, ]*\)|stop=\d+|parts=\{.*?\}")
"""What an op states of the sizes of its output, or of its input up to the end."""

BIG = "conv: {filters: 2, kernel: 3}, name: big"

LAYERS: dict[str, tuple[str, str, int, int]] = {
    # The input for a size, the layers, and two sizes of the input.
    "positions": ("[5, SIZE]", "positions: {base: 50}", 6, 9),
    "rotary": ("[8, SIZE]", "rotary: {heads: 2, fraction: 0.5}", 6, 9),
    "slice: from the end": ("[2, SIZE]", "slice: {axis: time, start: -3}", 6, 9),
    "slice: up to the end": ("[2, 3, SIZE]", "slice: {axis: width, start: 1, stop: -2, step: 2}", 6, 9),
    "upsample: one factor": ("[2, SIZE]", "upsample: 41", 2, 3),
    "upsample: factors": ("[2, SIZE, 3]", "upsample: [41, 2]", 2, 3),
    "upsample: exact factors": ("[2, SIZE, 3]", "upsample: [2, 3]", 4, 5),
    "upsample: linear factors": ("[2, SIZE, 3]", "upsample: {factor: [2, 3], mode: linear}", 4, 5),
    "upsample: corners": ("[2, SIZE, 3]", "upsample: {factor: 2, mode: linear, align_corners: true}", 4, 5),
    "upsample: size": ("[2, SIZE, 5]", "upsample: {size: [7, 9]}", 4, 5),
    "upsample: a size": ("[2, SIZE]", "upsample: {size: 8}", 4, 5),
    "upsample: a size, linear": ("[2, SIZE]", "upsample: {size: 8, mode: linear}", 4, 5),
    "upsample: like": (
        "[2, SIZE, 8]",
        f"{BIG}}}, {{max_pool: 2}}, {{upsample: {{like: big}}}}, {{max_pool: 2}}, "
        "{upsample: {like: big, mode: linear}",
        9,
        12,
    ),
    "crop: a size": ("[2, SIZE, 9]", "crop: {size: [5, 4]}}, {crop: {size: 3, offset: [1, 0]}", 8, 9),
    "crop: like": (
        "[2, SIZE, 8]",
        f"{BIG}}}, {{upsample: 2, name: large}}, {{crop: {{like: big}}}}, {{crop: {{like: big, offset: [0, 2]}}, "
        "from: large",
        7,
        8,
    ),
    "pad: a size": (
        "[2, SIZE, 4]",
        "pad: {size: [9, 7], value: 0.5}}, {pad: {size: 12, mode: reflect}",
        5,
        6,
    ),
    "pad: like": ("[2, SIZE]", f"{BIG}}}, {{conv: {{filters: 2, kernel: 3}}}}, {{pad: {{like: big}}", 8, 9),
    "repeat_vector: like": (
        "[2, SIZE, 7]",
        f"{BIG}}}, {{global_avg_pool: }}, {{repeat_vector: {{like: big}}",
        6,
        7,
    ),
    "slice: a stop": ("[2, SIZE]", "slice: {axis: time, stop: 6}", 6, 9),
    "roll: towards the start": ("[2, SIZE]", "roll: {shift: -2, axis: time}", 6, 9),
    "gather: from the end": ("[2, SIZE]", "gather: {positions: [0, -1, -3], axis: time}", 6, 9),
    "split: equal parts": ("[2, 3, SIZE]", "split: {parts: [a, b], axis: width}", 6, 8),
    "reshape: positions in a row": (
        "[6, SIZE, 3]",
        'reshape: [2, "${in.channels // 2}", "${in.height * in.width}"]',
        4,
        5,
    ),
    "reshape: to a line": ("[6, SIZE, 3]", 'reshape: [6, "${in.height * in.width}"]', 4, 5),
}
"""Networks of one layer that fit each of two sizes."""


def of_layers(name: str) -> tuple[Graph, Graph]:
    """The network of a row of `LAYERS` for both sizes."""
    shape, layers, *sizes = LAYERS[name]
    text = f"netspec: 1\nname: layers\ninput: {shape}\nlayers: [{{{layers}}}, {{dense: 3}}]\n"
    problems = Problems()
    first, second = (
        graph_of_text(text.replace("SIZE", str(size)), "layers.yaml", problems) for size in sizes
    )
    assert first is not None, problems.errors
    assert second is not None, problems.errors
    return first, second


def at_another_size(row: Row) -> Graph:
    """The same network, of as many weights and the same windows, for another size of its input."""
    graph = row.graph(full=False)
    names = {name for name, _ in graph.params}
    # Beside a `size`, a `width` is one of layers.
    known = names & SEQUENCES or names & {"size"} or IMAGES
    sizes = {name: value for name, value in graph.params if name in known}
    assert sizes, f"{row.spec} has no size to change"
    for more in MORE:
        moved = {name: value + more for name, value in sizes.items() if isinstance(value, int)}
        try:
            other = load(f"zoo:{row.spec}", **{**row.small, **moved})
        except SpecError:  # there is no such size
            continue
        if _weights(graph) == _weights(other) and _ops(graph) == _ops(other):
            return other
    raise AssertionError(f"{row.spec} has no other size with the same weights and windows")


MOVING = ("resize", "reshape", "slices", "split", "gather", "tensors", "indices")
"""The modules of ops of which all rows of up to two axes are run at another size; of other ops, one row."""
MOST = 6


def rows() -> Iterator[tuple[str, Graph, Graph]]:
    """Rows of the table of cases, with the network at another size: of as many weights and the same windows."""
    seen = set[str]()
    for case in CASES:
        is_moving = OPS.module(case.keyword) in MOVING and len(case.inputs[0]) <= 3
        if case.slow or (case.keyword in seen and not is_moving):
            continue
        graph = case.graph()
        if (other := _larger(case, graph)) is not None:
            seen.add(case.keyword)
            yield case.name, graph, other


def _larger(case: Case, graph: Graph) -> Graph | None:
    """The network of a row for larger inputs; None if it fits no other size."""
    first = 0 if case.vocabulary is not None else 1
    if all(len(shape) <= first for shape in case.inputs):
        return None
    for more in product(range(MOST, 0, -1), repeat=1 if case.pool is None else 2):
        amounts = dict(zip((0, len(case.inputs) - 1), more, strict=False))
        inputs = tuple(
            (*shape[:first], *(size + amounts.get(place, more[0]) for size in shape[first:]))
            for place, shape in enumerate(case.inputs)
        )
        try:
            other = replace(case, inputs=inputs).graph()
        except Misfit:
            continue
        if _weights(other) == _weights(graph) and _ops(other) == _ops(graph):
            return other
    return None


def _weights(graph: Graph) -> list[tuple[str, tuple[int, ...]]]:
    return [(weight.name, weight.shape) for weight in graph.weights]


def _ops(graph: Graph) -> list[str]:
    return [RESOLVED.sub("", str(node.op)) for node in graph.nodes]
