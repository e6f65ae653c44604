"""Every op from its definition: one line each in one table. Arrays are (N, channels, *spatial) in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netspec.backend.table import on, table
from netspec.graph import Graph
from netspec.ops.activation import Prelu
from netspec.ops.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from netspec.ops.arrange import ChannelShuffle, Tile
from netspec.ops.attention import Attention
from netspec.ops.base import Op
from netspec.ops.contrast import LocalContrastNorm
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.conv_recurrent import ConvGru, ConvLstm
from netspec.ops.dense import Dense, Rbf
from netspec.ops.gate import Gated
from netspec.ops.gather import Gather
from netspec.ops.indices import Embedding, OneHot
from netspec.ops.merge import Add, Average, Concat, Divide, Maximum, Minimum, Multiply, Subtract, Where
from netspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, L2Norm, LayerNorm, LocalResponseNorm, RmsNorm
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool
from netspec.ops.product import Contract, Matmul
from netspec.ops.recurrent import Gru, Lstm, Rnn
from netspec.ops.reduce import Reduce
from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput, SpatialDropout
from netspec.ops.resample import Resize, Upsample
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad
from netspec.ops.rotary import Rotary
from netspec.ops.sample import Sample
from netspec.ops.scale import Scale, ScaleBy
from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
from netspec.ops.split import Split
from netspec.ops.tensors import Constant, Parameter, Positions
from netspec.ops.transpose import ConvTranspose
from netspec_numpy import (
    attention,
    conv_recurrence,
    functions,
    merges,
    norms,
    products,
    recurrence,
    rotary,
    slices,
    tensors,
    windows,
)
from netspec_numpy.calculation import Array, Calculation, Lowering

LOWERINGS: Mapping[type[Op], Lowering] = table(
    on(Conv, windows.conv),
    on(ConvTranspose, windows.conv_transpose),
    on(DepthwiseConv, windows.depthwise_conv),
    on(SeparableConv, windows.separable_conv),
    on(MaxPool, windows.max_pool),
    on(MaxUnpool, windows.max_unpool),
    on(AvgPool, windows.avg_pool),
    on((AdaptiveAvgPool, AdaptiveMaxPool), windows.adaptive_pool),
    on(GlobalAvgPool, windows.global_avg_pool),
    on(GlobalMaxPool, windows.global_max_pool),
    on(ChannelPool, windows.channel_pool),
    on(Dense, norms.dense),
    on(Rbf, norms.rbf),
    on((Rnn, Lstm, Gru), recurrence.sequence),
    on((ConvLstm, ConvGru), conv_recurrence.sequence),
    on(Attention, attention.attention),
    on(Prelu, functions.prelu),
    on(BatchNorm, norms.batch_norm),
    on(LayerNorm, norms.layer_norm),
    on(GroupNorm, norms.group_norm),
    on(InstanceNorm, norms.instance_norm),
    on(RmsNorm, norms.rms_norm),
    on(LocalContrastNorm, norms.local_contrast_norm),
    on(LocalResponseNorm, norms.local_response_norm),
    on(L2Norm, norms.l2_norm),
    on(Scale, norms.scale),
    on(ScaleBy, norms.scale_by),
    on(Dropout, norms.noise),
    on(SpatialDropout, norms.noise),
    on(DropPath, norms.noise),
    on(Sample, norms.sample),
    on(GaussianNoise, norms.noise),
    on(MaskInput, norms.noise),
    on(Add, merges.add),
    on(Subtract, merges.subtract),
    on(Multiply, merges.multiply),
    on(Divide, merges.divide),
    on(Maximum, merges.maximum),
    on(Minimum, merges.minimum),
    on(Average, merges.average),
    on(Where, products.where),
    on((Matmul, Contract), products.product),
    on(Reduce, products.reduce_),
    on(ChannelShuffle, products.channel_shuffle),
    on(Tile, slices.tile),
    on(Concat, merges.concat),
    on((Upsample, Resize), merges.resize),
    on(Pad, merges.pad),
    on(Crop, merges.crop),
    on(Flatten, merges.flatten),
    on(Reshape, merges.reshape),
    on(Permute, merges.permute),
    on(SpaceToDepth, merges.space_to_depth),
    on(DepthToSpace, merges.depth_to_space),
    on(Identity, merges.identity),
    on(Parameter, tensors.parameter),
    on(Constant, tensors.constant),
    on(Positions, tensors.positions),
    on(Rotary, rotary.rotary),
    on(Gated, tensors.gated),
    on(Embedding, slices.embedding),
    on(OneHot, slices.one_hot),
    on(Slice, slices.slice_),
    on(Split, slices.split),
    on(Take, slices.take),
    on(Reverse, slices.reverse),
    on(Roll, slices.roll),
    on(Gather, slices.gather),
    on(RepeatVector, slices.repeat_vector),
    on(tuple(functions.FUNCTIONS), functions.function),
)

PORTS: Mapping[type[Op], Callable[[Any, Calculation, str], Array]] = table(
    on(MaxPool, windows.max_indices),
    on(Split, slices.part),
    on((Rnn, Lstm, Gru), recurrence.end),
    on((ConvLstm, ConvGru), conv_recurrence.end),
)
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
        result = functions.activated(node.op, LOWERINGS[type(node.op)](node.op, this))
        if inject is not None and inject[0] == node.name:
            result = result + inject[1]
        values[node.name] = results[node.name] = result
        further = [PORTS[type(node.op)](node.op, this, port) for port in node.ports]
        values.update(zip(node.values[1:], further, strict=True))
    return results


_KINDS = {"float": "float64", "int": "int64"}
