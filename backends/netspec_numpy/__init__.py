"""The oracle: every op from its definition, in float64, slow and simple; it needs only NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netspec.graph import Graph
    from netspec_numpy.calculation import Array
    from netspec_numpy.oracle import NumpyBackend

__all__ = ["backend", "forward"]


def backend() -> NumpyBackend:
    """The backend `numpy`, as the entry point `netspec.backends` names it."""
    from netspec_numpy.oracle import NumpyBackend

    return NumpyBackend()


def forward(
    graph: Graph, weights: Mapping[str, Array], inputs: Mapping[str, Array], training: bool = True
) -> dict[str, Array]:
    """The output of every node by its name, batch first, channels first, in float64.

    See `netspec_numpy.lowerings.forward`.
    """
    from netspec_numpy.lowerings import forward as run

    return run(graph, weights, inputs, training)
