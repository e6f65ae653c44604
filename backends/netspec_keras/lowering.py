"""The table op → Keras: the layers of each op."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.backend.table import on, table
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

LOWERINGS: Mapping[type[Op], Lowering] = table(
    on(Conv, windows.conv),
    on(ConvTranspose, windows.conv_transpose),
    on(DepthwiseConv, windows.depthwise_conv),
    on(SeparableConv, windows.separable_conv),
    on(MaxPool, windows.max_pool),
    on(MaxUnpool, windows.max_unpool),
    on(AvgPool, windows.avg_pool),
    on(GlobalAvgPool, windows.global_pool("layers.GlobalAveragePooling{}D")),
    on(GlobalMaxPool, windows.global_pool("layers.GlobalMaxPooling{}D")),
    on(ChannelPool, windows.channel_pool),
    on(Dense, norms.dense),
    on(Rbf, norms.rbf),
    on(tuple(functions.ACTIVATIONS), functions.activation),
    on((Rnn, Lstm, Gru), recurrence.recurrent),
    on((ConvLstm, ConvGru), conv_recurrence.recurrent),
    on(Prelu, functions.prelu),
    on(BatchNorm, norms.batch_norm),
    on(LayerNorm, norms.layer_norm),
    on(GroupNorm, norms.group_norm),
    on(LocalResponseNorm, norms.local_response_norm),
    on(L2Norm, norms.l2_norm),
    on(Scale, norms.scale),
    on(ScaleBy, norms.scale_by),
    on(Dropout, norms.noise("layers.Dropout")),
    on(SpatialDropout, norms.spatial_dropout),
    on(GaussianNoise, norms.gaussian_noise),
    on(MaskInput, norms.noise("MaskInput")),
    on(Add, merges.total("Add")),
    on(Subtract, plain("layers.Subtract")),
    on(Multiply, plain("layers.Multiply")),
    on(Maximum, plain("EvenMaximum")),
    on(Average, merges.total("Average")),
    on(Concat, merges.concat),
    on(Upsample, merges.upsample),
    on(Pad, merges.pad),
    on(Crop, merges.crop),
    on(Flatten, merges.flatten),
    on(Reshape, merges.reshape),
    on(Permute, merges.permute),
    on(SpaceToDepth, merges.blocks("SpaceToDepth")),
    on(DepthToSpace, merges.blocks("DepthToSpace")),
    on(Identity, plain("layers.Identity")),
    on(Parameter, tensors.parameter),
    on(Constant, tensors.constant),
    on(Positions, tensors.positions),
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
)

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
