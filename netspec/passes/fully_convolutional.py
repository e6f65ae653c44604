"""Turns dense layers on a flattened map into convolutions, so that a larger input gives a map of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.graph import Graph, Node
from netspec.ops.activation import LogSoftmax, Softmax
from netspec.ops.base import Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.function import Log, Power, Sqrt
from netspec.ops.pointwise import Activation, Pointwise
from netspec.ops.reach import EACH
from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput
from netspec.ops.reshape import Flatten, Identity
from netspec.ops.scale import ScaleBy
from netspec.ops.window import KERNEL_AXES
from netspec.passes.rewire import inferred, without
from netspec.types import Type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]


VALUE_BY_VALUE = (
    Activation,
    DropPath,
    Dropout,
    GaussianNoise,
    Identity,
    Log,
    MaskInput,
    Power,
    ScaleBy,
    Sqrt,
)
"""Ops that do not depend on the positions of values; a softmax does."""


class NotConvolutional(Exception):
    """A layer on the flattened map cannot become a convolution."""


def fully_convolutional(graph: Graph) -> Graph:
    """The network with the dense layers after a `flatten` as convolutions (Long et al. 2015).

    The first becomes a convolution with a kernel as large as the map, the following ones become 1×1 convolutions.
    The values are the same, and the output is a 1×1 map. `convolutional_weights` reshapes the weights. Layers after a
    global pool stay, because they already work for any size.

    Raises:
        NotConvolutional: the network does not flatten a map; a following layer is not dense and does not work on
            single values or positions; or layers with different kernels share their weights.
    """
    kernels: dict[str, tuple[int, ...]] = {}
    nodes = [_turned(node, graph, kernels) for node in graph.nodes]
    if not kernels:
        raise NotConvolutional(f"{graph.name} has no `flatten` of a map, so it has no dense layer on one")
    for output in graph.outputs:
        if prod(kernels.get(output.value, ())) > 1:
            raise NotConvolutional(
                f"the output `{output.name}` is a flattened map, and no dense layer takes it"
            )
    _check_shared(nodes)
    flattened = {node.name for node in graph.nodes if isinstance(node.op, Flatten) and node.name in kernels}
    bare = without(replace(graph, nodes=tuple(nodes), expect=None), frozenset(flattened))
    return inferred(bare)


def _check_shared(nodes: Sequence[Node]) -> None:
    owners = {node.name: node for node in nodes}
    for node in nodes:
        owner = owners[node.shares or node.name]
        if [weight.shape for weight in node.weights] != [weight.shape for weight in owner.weights]:
            raise NotConvolutional(
                f"`{node.name}` shares its weights with `{owner.name}`, but their kernels would differ in size"
            )


def _turned(node: Node, graph: Graph, kernels: dict[str, tuple[int, ...]]) -> Node:
    """The node for the case that flattened maps stay maps; `kernels` has the sizes of the values that are maps."""
    behind = [kernels[value] for value in node.inputs if value in kernels]
    if isinstance(node.op, Flatten):
        # A vector is already flat, unless it was a map before.
        sizes = behind[0] if behind else graph.types[node.inputs[0]].sizes
        kernels |= {node.name: sizes} if sizes else {}
        return node
    if not behind:
        return node
    if len(behind) < len(node.inputs) or len(behind) > 1:
        raise NotConvolutional(f"`{node.name}` joins a flattened map with something else")
    size = behind[0]
    if isinstance(node.op, Dense):
        kernels[node.name] = (1,) * len(size)
        return _convolution(node, node.op, size)
    if _works_on_maps(node.op, size):
        kernels[node.name] = size
        return node
    raise NotConvolutional(f"`{node.name}` ({node.op.keyword}) takes a flattened map apart")


def _works_on_maps(op: Op, size: tuple[int, ...]) -> bool:
    """Whether the op computes the same on a map of this size, on this map flattened, and at each of its positions."""
    if prod(size) > 1:
        return isinstance(op, VALUE_BY_VALUE) and not isinstance(op, Softmax | LogSoftmax)
    if not isinstance(op, Pointwise | Identity):
        return False
    reach = op.reach((Type(1, size),))
    return reach is not None and all(axis == EACH for axis in reach.axes)


def _convolution(node: Node, op: Dense, size: tuple[int, ...]) -> Node:
    ones = (1,) * len(size)
    conv: Op = Conv.model_construct(
        filters=op.units, kernel=size, stride=ones, padding=((0, 0),) * len(size), dilation=ones, groups=1, table=None,
        bias=op.bias, init=op.init, bias_init=op.bias_init, activation=op.activation,
    )  # fmt: skip
    kernel, *bias = node.weights
    units, channels = kernel.shape
    shape = (units, channels // prod(size), *size)
    weights = (replace(kernel, shape=shape, axes="OI" + KERNEL_AXES[len(size)]), *bias)
    return replace(node, op=conv, weights=weights)


def convolutional_weights(graph: Graph, weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of `fully_convolutional(graph)`: the same numbers, since flattening runs channels first."""
    shapes = {weight.name: weight.shape for weight in fully_convolutional(graph).weights}
    return {name: array.reshape(shapes[name]) for name, array in weights.items() if name in shapes}
