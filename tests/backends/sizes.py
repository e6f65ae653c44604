"""The networks of the zoo for another size of their input."""

from __future__ import annotations

import re

from docs.proofs import Row
from netspec.diagnostics import SpecError
from netspec.graph import Graph
from netspec.loading import load

MORE = (32, 31, 64, 16, 8, 7, 4, 2, 1)
ONE_SIZE = {"lenet5", "lenet5_1998", "lecture_cnn", "fashion_cnn", "mlp", "siamese", "autoencoder"}
"""Networks whose spec has one size of the input."""
RESOLVED = re.compile(r"(size|shape)=\([\d, ]*\)")
"""What an op states of the sizes of its output."""


def at_another_size(row: Row) -> Graph:
    """The same network, of as many weights and the same windows, for another size of its input."""
    graph = row.graph(full=False)
    sizes = {name: value for name, value in graph.params if name in ("size", "height", "width", "length")}
    assert sizes, f"{row.spec} has no size to change"
    for more in MORE:
        moved = {name: value + more for name, value in sizes.items() if isinstance(value, int)}
        try:
            other = load(f"zoo:{row.spec}", **{**row.small, **moved})
        except SpecError:  # there is no such size
            continue
        shapes = [[(weight.name, weight.shape) for weight in each.weights] for each in (graph, other)]
        if shapes[0] == shapes[1] and _ops(graph) == _ops(other):
            return other
    raise AssertionError(f"{row.spec} has no other size with the same weights and windows")


def _ops(graph: Graph) -> list[str]:
    return [RESOLVED.sub("", str(node.op)) for node in graph.nodes]
