"""What a random network is run on: weights that hide nothing, running statistics that are not 0 and 1, inputs."""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING
from zlib import crc32

from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.ops.norm import BatchNorm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tests.backends.native import Array


def weights_of(graph: Graph, seed: int) -> dict[str, Array]:
    """Every weight of the graph in float64, random whatever its initialiser says; a variance is positive."""
    return {weight.name: _weight(weight, _generator(weight.name, seed)) for weight in graph.weights}


def inputs_of(graph: Graph, seed: int, batch: int) -> dict[str, Array]:
    """A standard normal batch for every input of numbers; any indices of the vocabulary for others."""
    draws = {each.name: _generator(f"{each.name} {batch}", seed) for each in graph.inputs}
    shapes = {each.name: (batch, *each.type.shape) for each in graph.inputs}
    return {
        each.name: draws[each.name].standard_normal(shapes[each.name])
        if each.vocabulary is None
        else draws[each.name].integers(0, each.vocabulary, shapes[each.name])
        for each in graph.inputs
    }


def targets_of(graph: Graph, seed: int, batch: int) -> dict[str, Array]:
    """A standard normal target for every output."""
    return {
        each.name: _generator(f"{each.name} {batch} wanted", seed).standard_normal(
            (batch, *graph.types[each.value].shape)
        )
        for each in graph.outputs
    }


def can_train(graph: Graph, batch: int) -> bool:
    """Whether every batch norm that learns has two values a channel or more in such a batch."""
    return all(
        batch * prod(node.output.sizes) > 1
        for node in graph.nodes
        if isinstance(node.op, BatchNorm) and node.trainable
    )


def lengths(graph: Graph) -> list[int]:
    """The lengths of the axes of all tensors, those that are batch sizes to try."""
    sizes = {size for type_ in graph.types.values() for size in type_.shape}
    return sorted(size for size in sizes if 3 < size < 12)


def _weight(weight: Weight, generator: np.random.Generator) -> Array:
    if weight.name.endswith("running_var"):
        return generator.uniform(0.5, 2.0, weight.shape)
    if len(weight.shape) > 1:
        return generator.standard_normal(weight.shape) / sqrt(prod(weight.shape[1:]))
    signs: NDArray[np.float64] = generator.choice([-1.0, 1.0, 1.0], weight.shape)
    return generator.uniform(0.25, 1.0, weight.shape) * signs


def _generator(name: str, seed: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng([seed, crc32(name.encode())])
