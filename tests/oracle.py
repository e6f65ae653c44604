"""The oracle, for tests that need its arrays: the only test file outside tests/backends/ that knows its package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from netspec_numpy import forward
from netspec_numpy.calculation import Calculation
from netspec_numpy.functions import activated
from netspec_numpy.lowerings import LOWERINGS, PORTS
from netspec_numpy.oracle import NumpyBackend as Oracle

if TYPE_CHECKING:
    from netspec.graph import Graph
    from tests.backends.native import Array, Arrays

__all__ = ["Oracle", "forward", "forward_with"]


def forward_with(
    graph: Graph, weights: Arrays, inputs: Arrays, training: bool, change: Callable[[Array], Array]
) -> Arrays:
    """`forward` in which every value is changed before it is used, as rounding changes it."""
    values = {each.name: np.asarray(inputs[each.name]) for each in graph.inputs}
    results: dict[str, Array] = {}
    for node in graph.nodes:
        given = tuple(change(values[value]) for value in node.inputs)
        held = {node.local(each): np.asarray(weights[each.name], "float64") for each in node.weights}
        this = Calculation(node, given, held, training)  # type: ignore[arg-type]
        values[node.name] = results[node.name] = activated(node.op, LOWERINGS[type(node.op)](node.op, this))
        values.update(
            zip(
                node.values[1:],
                [PORTS[type(node.op)](node.op, this, port) for port in node.ports],
                strict=True,
            )
        )
    return results
