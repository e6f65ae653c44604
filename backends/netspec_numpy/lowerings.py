"""Every op from its definition: one line each in one table. Arrays are (N, channels, *spatial) in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from netspec.graph import Graph
from netspec.ops.activation import Prelu
from netspec.ops.base import Op
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.conv_recurrent import ConvGru, ConvLstm
from netspec.ops.dense import Dense, Rbf
from netspec.ops.gate import Gated
from netspec.ops.indices import Embedding, OneHot
from netspec.ops.merge import Add, Average, Concat, Maximum, Multiply, Subtract
from netspec.ops.norm import BatchNorm, GroupNorm, L2Norm, LayerNorm, LocalResponseNorm
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool
from netspec.ops.recurrent import Gru, Lstm, Rnn
from netspec.ops.regularize import Dropout, GaussianNoise, MaskInput, SpatialDropout
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad, Upsample
from netspec.ops.scale import Scale, ScaleBy
from netspec.ops.slices import Gather, RepeatVector, Reverse, Roll, Slice, Split, Take
from netspec.ops.tensors import Constant, Parameter, Positions
from netspec.ops.transpose import ConvTranspose
from netspec_numpy import conv_recurrence, functions, merges, norms, recurrence, slices, tensors, windows
from netspec_numpy.calculation import Array, Calculation, Values

LOWERINGS: dict[type[Op], Callable[[Calculation], Values]] = {
    Conv: windows.conv,
    ConvTranspose: windows.conv_transpose,
    DepthwiseConv: windows.depthwise_conv,
    SeparableConv: windows.separable_conv,
    MaxPool: windows.max_pool,
    MaxUnpool: windows.max_unpool,
    AvgPool: windows.avg_pool,
    GlobalAvgPool: windows.global_avg_pool,
    GlobalMaxPool: windows.global_max_pool,
    ChannelPool: windows.channel_pool,
    Dense: norms.dense,
    Rbf: norms.rbf,
    **dict.fromkeys((Rnn, Lstm, Gru), recurrence.sequence),
    **dict.fromkeys((ConvLstm, ConvGru), conv_recurrence.sequence),
    Prelu: functions.prelu,
    BatchNorm: norms.batch_norm,
    LayerNorm: norms.layer_norm,
    GroupNorm: norms.group_norm,
    LocalResponseNorm: norms.local_response_norm,
    L2Norm: norms.l2_norm,
    Scale: norms.scale,
    ScaleBy: norms.scale_by,
    Dropout: norms.noise,
    SpatialDropout: norms.noise,
    GaussianNoise: norms.noise,
    MaskInput: norms.noise,
    Add: merges.add,
    Subtract: merges.subtract,
    Multiply: merges.multiply,
    Maximum: merges.maximum,
    Average: merges.average,
    Concat: merges.concat,
    Upsample: merges.upsample,
    Pad: merges.pad,
    Crop: merges.crop,
    Flatten: merges.flatten,
    Reshape: merges.reshape,
    Permute: merges.permute,
    SpaceToDepth: merges.space_to_depth,
    DepthToSpace: merges.depth_to_space,
    Identity: merges.identity,
    Parameter: tensors.parameter,
    Constant: tensors.constant,
    Positions: tensors.positions,
    Gated: tensors.gated,
    Embedding: slices.embedding,
    OneHot: slices.one_hot,
    Slice: slices.slice_,
    Split: slices.split,
    Take: slices.take,
    Reverse: slices.reverse,
    Roll: slices.roll,
    Gather: slices.gather,
    RepeatVector: slices.repeat_vector,
    **dict.fromkeys(functions.FUNCTIONS, functions.function),
}

PORTS: dict[type[Op], Callable[[Calculation, str], Array]] = {
    MaxPool: windows.max_indices,
    Split: slices.part,
    **dict.fromkeys((Rnn, Lstm, Gru), recurrence.end),
    **dict.fromkeys((ConvLstm, ConvGru), conv_recurrence.end),
}
"""The function that computes a further output of an op, from its name."""


def forward(
    graph: Graph,
    weights: Mapping[str, Array],
    inputs: Mapping[str, Array],
    training: bool = True,
    inject: tuple[str, float] | None = None,
) -> dict[str, Array]:
    """The output of every node by its name. `inject` adds a number to one node's output, wherever it is used.

    In training, batch normalisation takes the statistics of the batch unless it is frozen; the running ones
    are not changed.

    Raises:
        Unsupported: dropout in training, whose output is not a function of its input.
    """
    values = {each.name: np.asarray(inputs[each.name], _KINDS[each.type.dtype]) for each in graph.inputs}
    results: dict[str, Array] = {}
    for node in graph.nodes:
        given = tuple(values[value] for value in node.inputs)
        held = {node.local(each): np.asarray(weights[each.name], "float64") for each in node.weights}
        this = Calculation(node, given, held, training)
        result = functions.activated(node.op, LOWERINGS[type(node.op)](this))
        if inject is not None and inject[0] == node.name:
            result = result + inject[1]
        values[node.name] = results[node.name] = result
        further = [PORTS[type(node.op)](this, port) for port in node.ports]
        values.update(zip(node.values[1:], further, strict=True))
    return results


_KINDS = {"float": "float64", "int": "int64"}
