"""The table op → Keras: the layers of each op."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.dataclass import replace
from netspec.ops.activation import Activated, Prelu
from netspec.ops.base import Op
from netspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
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
from netspec_keras import conv_recurrence, functions, merges, norms, recurrence, slices, tensors, windows
from netspec_keras.arguments import Lowering, Types, plain
from netspec_keras.layer import Lowered

LOWERINGS: Mapping[type[Op], Lowering] = {
    Conv: windows.conv,
    ConvTranspose: windows.conv_transpose,
    DepthwiseConv: windows.depthwise_conv,
    SeparableConv: windows.separable_conv,
    MaxPool: windows.max_pool,
    MaxUnpool: windows.max_unpool,
    AvgPool: windows.avg_pool,
    GlobalAvgPool: windows.global_pool("layers.GlobalAveragePooling{}D"),
    GlobalMaxPool: windows.global_pool("layers.GlobalMaxPooling{}D"),
    ChannelPool: windows.channel_pool,
    Dense: norms.dense,
    Rbf: norms.rbf,
    **functions.ACTIVATIONS,
    **dict.fromkeys((Rnn, Lstm, Gru), recurrence.recurrent),
    **dict.fromkeys((ConvLstm, ConvGru), conv_recurrence.recurrent),
    Prelu: functions.prelu,
    BatchNorm: norms.batch_norm,
    LayerNorm: norms.layer_norm,
    GroupNorm: norms.group_norm,
    LocalResponseNorm: norms.local_response_norm,
    L2Norm: norms.l2_norm,
    Scale: norms.scale,
    ScaleBy: norms.scale_by,
    Dropout: norms.noise("layers.Dropout"),
    SpatialDropout: norms.spatial_dropout,
    GaussianNoise: norms.gaussian_noise,
    MaskInput: norms.noise("MaskInput"),
    Add: merges.total("Add"),
    Subtract: plain("layers.Subtract"),
    Multiply: plain("layers.Multiply"),
    Maximum: plain("EvenMaximum"),
    Average: merges.total("Average"),
    Concat: merges.concat,
    Upsample: merges.upsample,
    Pad: merges.pad,
    Crop: merges.crop,
    Flatten: merges.flatten,
    Reshape: merges.reshape,
    Permute: merges.permute,
    SpaceToDepth: merges.blocks("SpaceToDepth"),
    DepthToSpace: merges.blocks("DepthToSpace"),
    Identity: plain("layers.Identity"),
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


def lowered(op: Op, types: Types, ports: tuple[str, ...]) -> Lowered:
    """The layers of an op with these further outputs in use."""
    found = LOWERINGS[type(op)](op, types)
    return found.several(ports) if ports and found.several is not None else found


def bare(op: Op, types: Types) -> Lowered:
    """The layers of an op, with separate layers for its padding and its activation.

    So two layers that share their weights can differ in both.
    """
    lowering = LOWERINGS[type(op)]
    if isinstance(op, Activated) and op.activation is not None:
        inner = bare(op.replace(activation=None), types)
        return replace(inner, layers=(*inner.layers, *functions.behind(op.activation)))
    if isinstance(op, Convolution):
        return windows.bare(op, types, lowering)
    return lowering(op, types)
