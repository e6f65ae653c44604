"""Turns dense layers on a flattened map into convolutions, so that a larger input gives a map of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from netspec.graph import Graph, Node
from netspec.ops.base import Op
from netspec.ops.conv import KERNEL_AXES, Conv
from netspec.ops.dense import Dense
from netspec.ops.pointwise import Pointwise
from netspec.ops.reshape import Flatten, Identity
from netspec.passes.rewire import inferred, without

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]


class NotConvolutional(Exception):
    """What follows the flattened map cannot be a convolution."""


def fully_convolutional(graph: Graph) -> Graph:
    """The network with its dense layers behind a `flatten` as convolutions (Long et al. 2015).

    The first becomes a convolution with a kernel as large as the map, those after it 1×1 ones; the numbers
    are the same, and the output is a 1×1 map. `convolutional_weights` lays the weights out anew. Layers
    behind a global pool stay: they work for any size already.

    Raises:
        NotConvolutional: the network does not flatten, or what follows is not dense or pointwise.
    """
    flattened = {node.name: node for node in graph.nodes if isinstance(node.op, Flatten)}
    if not flattened:
        raise NotConvolutional(f"{graph.name} has no `flatten`, so no dense layer stands on a flattened map")
    kernels: dict[str, tuple[int, ...]] = {}
    nodes = [_turned(node, graph, kernels) for node in graph.nodes]
    bare = without(replace(graph, nodes=tuple(nodes), expect=None), frozenset(flattened))
    return inferred(bare)


def _turned(node: Node, graph: Graph, kernels: dict[str, tuple[int, ...]]) -> Node:
    """A node as it is once flattened maps stay maps; `kernels` tells which values are maps, and how large."""
    if isinstance(node.op, Flatten):
        kernels[node.name] = graph.types[node.inputs[0]].sizes
        return node
    behind = [kernels[value] for value in node.inputs if value in kernels]
    if not behind:
        return node
    if len(behind) < len(node.inputs) or len(behind) > 1:
        raise NotConvolutional(f"`{node.name}` joins a flattened map with something else")
    size = behind[0]
    if isinstance(node.op, Dense):
        kernels[node.name] = (1,) * len(size)
        return _convolution(node, node.op, size)
    if isinstance(node.op, Pointwise | Identity):
        kernels[node.name] = size
        return node
    raise NotConvolutional(f"`{node.name}` ({node.op.keyword}) takes a flattened map apart")


def _convolution(node: Node, op: Dense, size: tuple[int, ...]) -> Node:
    ones = (1,) * len(size)
    conv: Op = Conv.model_construct(
        filters=op.units, kernel=size, stride=ones, padding=((0, 0),) * len(size), dilation=ones, groups=1, table=None,
        bias=op.bias, init=op.init, bias_init=op.bias_init, activation=op.activation,
    )  # fmt: skip
    kernel, *bias = node.weights
    per = 1
    for extent in size:
        per *= extent
    units, channels = kernel.shape
    shape = (units, channels // per, *size)
    weights = (replace(kernel, shape=shape, axes="OI" + KERNEL_AXES[len(size)]), *bias)
    return replace(node, op=conv, weights=weights)


def convolutional_weights(graph: Graph, weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of `fully_convolutional(graph)`: the same numbers, since flattening runs channels first."""
    shapes = {weight.name: weight.shape for weight in fully_convolutional(graph).weights}
    return {name: array.reshape(shapes[name]) for name, array in weights.items() if name in shapes}
