"""The table op → PyTorch: the module of each op, and the expression that runs it."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.graph import Graph
from netspec.lowering.parts import call, joined
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
from netspec_torch import conv_recurrence, functions, layers, moves, recurrence, slices, tensors, windows
from netspec_torch.site import Lowered, Lowering, Site

TEMPORARIES = frozenset({"halves", "inside", "windows", "sum", "math"})
"""Names that lowerings use: variables and functions."""

LOWERINGS: Mapping[type[Op], Lowering] = {
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
    Dense: layers.dense,
    Rbf: layers.rbf,
    **dict.fromkeys(functions.ACTIVATIONS, functions.activation),
    **dict.fromkeys((Rnn, Lstm, Gru), recurrence.recurrent),
    **dict.fromkeys((ConvLstm, ConvGru), conv_recurrence.recurrent),
    Prelu: functions.prelu,
    BatchNorm: layers.batch_norm,
    LayerNorm: layers.layer_norm,
    GroupNorm: layers.group_norm,
    LocalResponseNorm: layers.local_response_norm,
    L2Norm: layers.l2_norm,
    Scale: layers.scale,
    ScaleBy: layers.scale_by,
    Dropout: layers.dropout,
    SpatialDropout: layers.spatial_dropout,
    GaussianNoise: layers.noise,
    MaskInput: layers.noise,
    Add: moves.total,
    Subtract: lambda op, site: Lowered(joined(" - ", moves.spread(site))),
    Multiply: moves.product,
    Maximum: moves.maximum,
    Average: moves.average,
    Concat: moves.concat,
    Upsample: moves.upsample,
    Pad: moves.pad,
    Crop: moves.crop,
    Flatten: lambda op, site: Lowered(call("torch.flatten", site.x, "1")),
    Reshape: moves.reshape,
    Permute: moves.permute,
    SpaceToDepth: moves.space_to_depth,
    DepthToSpace: moves.depth_to_space,
    Identity: lambda op, site: Lowered(site.x),
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
}

REFUSALS: Mapping[type[Op], str] = {}


def lower(graph: Graph) -> dict[str, Lowered]:
    """The lowering of every node; equal nodes are lowered once."""
    made: dict[object, Lowered] = {}
    found = {}
    for node in graph.nodes:
        types = tuple(graph.types[value] for value in node.inputs)
        key = (node.op, types, node.trainable, node.ports)
        if key not in made:
            site = Site(types, node.output, node.trainable, node.ports)
            made[key] = LOWERINGS[type(node.op)](node.op, site)
        found[node.name] = made[key]
    return found
