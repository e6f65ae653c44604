"""Folds batch normalisations into the layers before them, for inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.graph import Graph, Node
from netspec.ops.base import Weight
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.dense import Dense
from netspec.ops.initializers import ZEROS
from netspec.ops.norm import BatchNorm
from netspec.ops.transpose import ConvTranspose
from netspec.passes.rewire import without

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Numbers = NDArray[np.float64]

# For each op that a batch norm can be folded into: the weight to scale, and the letter of its output channels.
FOLDING = {
    Conv: ("weight", "bias"),
    Dense: ("weight", "bias"),
    DepthwiseConv: ("weight", "bias"),
    SeparableConv: ("pointwise.weight", "pointwise.bias"),
    ConvTranspose: ("weight", "bias"),
}


def fold_batch_norm(graph: Graph) -> Graph:
    """The network with every batch normalisation that directly follows a linear layer folded into this layer.

    The function in inference is the same: W ← W · γ/√(σ² + ε), b ← (b − μ) · γ/√(σ² + ε) + β. The weights change:
    `folded_weights` computes them. A normalisation stays if other layers also use the linear layer, or if the linear
    layer has an activation, shares weights, has a table of connections, or is transposed with groups.
    """
    pairs = dict(_pairs(graph))
    nodes = [_with_bias(node) if node.name in pairs else node for node in graph.nodes]
    return without(replace(graph, nodes=tuple(nodes)), frozenset(pairs.values()))


def folded_weights(graph: Graph, weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of `fold_batch_norm(graph)`, computed from those of the graph."""
    import numpy as np

    folded: dict[str, Numbers] = {name: np.asarray(array, "float64") for name, array in weights.items()}
    for name, norm_name in _pairs(graph):
        node, norm = graph.by_name[name], graph.by_name[norm_name]
        kernel_name, bias_name = FOLDING[type(node.op)]
        kernel, shift = f"{name}.{kernel_name}", f"{name}.{bias_name}"
        mean, variance = folded.pop(f"{norm_name}.running_mean"), folded.pop(f"{norm_name}.running_var")
        gamma = folded.pop(f"{norm_name}.weight", np.ones_like(mean))
        beta = folded.pop(f"{norm_name}.bias", np.zeros_like(mean))
        assert isinstance(norm.op, BatchNorm)
        factor = gamma / np.sqrt(variance + norm.op.epsilon)
        axes = next(each.axes for each in node.weights if each.name == kernel)
        along = [-1 if letter == "O" else 1 for letter in axes]
        bias = folded.get(shift, np.zeros_like(mean))
        folded[kernel] = folded[kernel] * factor.reshape(along)
        folded[shift] = (bias - mean) * factor + beta
    dtypes = {array.dtype for array in weights.values()}
    return {name: array.astype(np.result_type(*dtypes)) for name, array in folded.items()}


def _pairs(graph: Graph) -> list[tuple[str, str]]:
    """The linear layers with a normalisation to fold, each with this normalisation."""
    users: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            users.setdefault(value, []).append(node)
    ends = {output.value for output in graph.outputs}
    shared = {node.shares for node in graph.nodes}
    found = []
    for node in graph.nodes:
        after = users.get(node.name, [])
        if type(node.op) not in FOLDING or node.name in ends or len(after) != 1:
            continue
        norm = after[0]
        own = {node.name, norm.name}.isdisjoint(shared) and node.shares is None and norm.shares is None
        if isinstance(norm.op, BatchNorm) and own and _is_plain(node):
            found.append((node.name, norm.name))
    return found


def _is_plain(node: Node) -> bool:
    op = node.op
    if getattr(op, "activation", None) is not None or getattr(op, "table", None) is not None:
        return False
    return not (isinstance(op, ConvTranspose) and op.groups > 1)


def _with_bias(node: Node) -> Node:
    if getattr(node.op, "bias", False):
        return node
    # `bias_init` of a layer without bias does not apply to the new bias.
    op = node.op.replace(bias=True, bias_init=ZEROS)
    _, bias_name = FOLDING[type(node.op)]
    channels = node.output.channels or 0
    bias = Weight(f"{node.name}.{bias_name}", (channels,), "O", ZEROS, trainable=node.trainable)
    return replace(node, op=op, weights=(*node.weights, bias))
