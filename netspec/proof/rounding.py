"""Gradients that are zero in theory: all computed values are rounding errors, which differ between backends."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from netspec.graph import Graph
from netspec.proof.difference import largest

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays

LEVEL = {"float64": 1e-12, "float32": 1e-5}
"""The threshold for rounding errors, as a fraction of the largest layer output."""
POSITIONS = 10
"""A gradient is a sum over the positions at which its weight is used, and so is its rounding error: in float64 the
threshold grows with the number of positions above this one. Pairs of batch norms with 10 to 160,000 positions stay ten
times below it (docs/proof.md). In float32 it does not grow: at 224×224 it would exceed 5 % of the largest output, and
true gradients are smaller."""


def level(graph: Graph, outputs: Mapping[str, Arrays], dtype: str) -> float:
    """The threshold below which gradients are rounding errors; in float64 it grows with the number of positions."""
    most = max((largest(array) for arrays in outputs.values() for array in arrays.values()), default=0.0)
    positions = max((prod(node.output.sizes) for node in graph.nodes), default=1)
    return LEVEL[dtype] * most * (max(1.0, positions / POSITIONS) if dtype == "float64" else 1.0)


def vanished(gradients: Mapping[str, Arrays], bound: float) -> bool:
    """Whether all computed values are below the bound; false without values."""
    sizes = [largest(array) for arrays in gradients.values() for array in arrays.values()]
    return bool(sizes) and max(sizes) < bound


def zeros(gradients: Mapping[str, Arrays]) -> dict[str, dict[str, Array]]:
    """The arrays with zeros. NaN, infinity and missing arrays stay, so that they are reported."""
    import numpy as np

    return {
        name: {
            key: np.where(np.isfinite(array), np.zeros_like(array), array) for key, array in arrays.items()
        }
        for name, arrays in gradients.items()
    }
