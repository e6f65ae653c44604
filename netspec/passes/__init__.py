"""Passes: functions from a graph to a graph; `PASSES` lists them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from netspec.dataclass import dataclass
from netspec.graph import Graph
from netspec.passes.cut import cut
from netspec.passes.fold_batch_norm import fold_batch_norm, folded_weights
from netspec.passes.fully_convolutional import convolutional_weights, fully_convolutional
from netspec.passes.logits import logits
from netspec.passes.still import still

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]

__all__ = ["PASSES", "Pass", "cut", "fold_batch_norm", "fully_convolutional", "logits", "still"]


def kept(graph: Graph, weights: Arrays) -> dict[str, NDArray[np.generic]]:
    """The weights after a pass that does not change them."""
    return dict(weights)


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass, and the function that converts the weights of its input graph."""

    name: str
    run: Callable[[Graph], Graph]
    weights: Callable[[Graph, Arrays], dict[str, NDArray[np.generic]]] = kept


PASSES: tuple[Pass, ...] = (
    Pass("still", still),
    Pass("logits", logits),
    Pass("fold-batch-norm", fold_batch_norm, folded_weights),
    Pass("fully-convolutional", fully_convolutional, convolutional_weights),
)
"""The passes that take only the graph; `cut` also takes a name."""
