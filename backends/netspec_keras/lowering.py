"""The table op → Keras: the layers of each op."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from netspec.backend.table import Families, on, table
from netspec.dataclass import replace
from netspec.ops import OPS
from netspec.ops.activation import Activated
from netspec.ops.base import Op
from netspec_keras.arguments import Lowering, Types, plain
from netspec_keras.functions import behind
from netspec_keras.layer import Lowered, Together

if TYPE_CHECKING:
    from netspec.ops.conv import Convolution


def _rows(module: str) -> Mapping[type[Op], Lowering]:
    """The rows of the ops of a module of `netspec/ops`, which imports only what they need."""
    match module:
        case "conv":
            from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
            from netspec_keras import windows

            return table(
                on(Conv, windows.conv),
                on(DepthwiseConv, windows.depthwise_conv),
                on(SeparableConv, windows.separable_conv),
            )
        case "transpose":
            from netspec.ops.transpose import ConvTranspose
            from netspec_keras import windows

            return table(
                on(ConvTranspose, windows.conv_transpose),
            )
        case "pool":
            from netspec.ops.pool import (
                AvgPool,
                ChannelPool,
                GlobalAvgPool,
                GlobalMaxPool,
                MaxPool,
                MaxUnpool,
            )
            from netspec_keras import windows

            return table(
                on(MaxPool, windows.max_pool),
                on(MaxUnpool, windows.max_unpool),
                on(AvgPool, windows.avg_pool),
                on(GlobalAvgPool, windows.global_pool("layers.GlobalAveragePooling{}D")),
                on(GlobalMaxPool, windows.global_pool("layers.GlobalMaxPooling{}D")),
                on(ChannelPool, windows.channel_pool),
            )
        case "adaptive":
            from netspec.ops.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
            from netspec_keras import windows

            return table(
                on(AdaptiveAvgPool, windows.adaptive_pool("AdaptiveMeans")),
                on(AdaptiveMaxPool, windows.adaptive_pool("AdaptiveMaxima")),
            )
        case "dense":
            from netspec.ops.dense import Dense, Rbf
            from netspec_keras import norms

            return table(
                on(Dense, norms.dense),
                on(Rbf, norms.rbf),
            )
        case "recurrent":
            from netspec.ops.recurrent import Gru, Lstm, Rnn
            from netspec_keras import recurrence

            return table(
                on((Rnn, Lstm, Gru), recurrence.recurrent),
            )
        case "conv_recurrent":
            from netspec.ops.conv_recurrent import ConvGru, ConvLstm
            from netspec_keras import conv_recurrence

            return table(
                on((ConvLstm, ConvGru), conv_recurrence.recurrent),
            )
        case "attention":
            from netspec.ops.attention import Attention
            from netspec_keras import attention

            return table(
                on(Attention, attention.attention),
            )
        case "activation":
            from netspec.ops.activation import Prelu
            from netspec_keras import functions

            return table(
                on(functions.of_module("activation"), functions.activation),
                on(Prelu, functions.prelu),
            )
        case "function":
            from netspec_keras import functions

            return table(
                on(functions.of_module("function"), functions.activation),
            )
        case "gate":
            from netspec.ops.gate import Gated
            from netspec_keras import tensors

            return table(
                on(Gated, tensors.gated),
            )
        case "tensors":
            from netspec.ops.tensors import Constant, Parameter, Positions
            from netspec_keras import tensors

            return table(
                on(Parameter, tensors.parameter),
                on(Constant, tensors.constant),
                on(Positions, tensors.positions),
            )
        case "rotary":
            from netspec.ops.rotary import Rotary
            from netspec_keras import rotary

            return table(
                on(Rotary, rotary.rotary),
            )
        case "norm":
            from netspec.ops.norm import (
                BatchNorm,
                GroupNorm,
                InstanceNorm,
                L2Norm,
                LayerNorm,
                LocalResponseNorm,
                RmsNorm,
            )
            from netspec_keras import norms

            return table(
                on(BatchNorm, norms.batch_norm),
                on(LayerNorm, norms.layer_norm),
                on(GroupNorm, norms.group_norm),
                on(InstanceNorm, norms.instance_norm),
                on(RmsNorm, norms.rms_norm),
                on(LocalResponseNorm, norms.local_response_norm),
                on(L2Norm, norms.l2_norm),
            )
        case "contrast":
            from netspec.ops.contrast import LocalContrastNorm
            from netspec_keras import norms

            return table(
                on(LocalContrastNorm, norms.local_contrast_norm),
            )
        case "scale":
            from netspec.ops.scale import Scale, ScaleBy
            from netspec_keras import norms

            return table(
                on(Scale, norms.scale),
                on(ScaleBy, norms.scale_by),
            )
        case "regularize":
            from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput, SpatialDropout
            from netspec_keras import norms

            return table(
                on(Dropout, norms.noise("layers.Dropout")),
                on(SpatialDropout, norms.spatial_dropout),
                on(DropPath, norms.drop_path),
                on(GaussianNoise, norms.gaussian_noise),
                on(MaskInput, norms.noise("MaskInput")),
            )
        case "sample":
            from netspec.ops.sample import Sample
            from netspec_keras import norms

            return table(
                on(Sample, norms.sample),
            )
        case "merge":
            from netspec.ops.merge import (
                Add,
                Average,
                Concat,
                Divide,
                Maximum,
                Minimum,
                Multiply,
                Subtract,
                Where,
            )
            from netspec_keras import merges

            return table(
                on(Add, merges.total("Add")),
                on(Subtract, merges.elementwise("layers.Subtract")),
                on(Multiply, merges.elementwise("layers.Multiply")),
                on(Divide, merges.elementwise("Divide")),
                on(Maximum, merges.elementwise("EvenMaximum")),
                on(Minimum, merges.elementwise("EvenMinimum")),
                on(Average, merges.total("Average")),
                on(Where, merges.elementwise("Where")),
                on(Concat, merges.concat),
            )
        case "product":
            from netspec.ops.product import Contract, Matmul
            from netspec_keras import products

            return table(
                on(Matmul, products.matmul),
                on(Contract, products.contract),
            )
        case "reduce":
            from netspec.ops.reduce import Reduce
            from netspec_keras import products

            return table(
                on(Reduce, products.reduce_),
            )
        case "arrange":
            from netspec.ops.arrange import ChannelShuffle, Tile
            from netspec_keras import products, slices

            return table(
                on(ChannelShuffle, products.channel_shuffle),
                on(Tile, slices.tile),
            )
        case "resample":
            from netspec.ops.resample import Resize, Upsample
            from netspec_keras import resizing

            return table(
                on((Upsample, Resize), resizing.resize),
            )
        case "resize":
            from netspec.ops.resize import Crop, Pad
            from netspec_keras import merges

            return table(
                on(Pad, merges.pad),
                on(Crop, merges.crop),
            )
        case "reshape":
            from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
            from netspec_keras import merges

            return table(
                on(Flatten, merges.flatten),
                on(Reshape, merges.reshape),
                on(Permute, merges.permute),
                on(SpaceToDepth, merges.blocks("SpaceToDepth")),
                on(DepthToSpace, merges.blocks("DepthToSpace")),
                on(Identity, plain("layers.Identity", keeps="all")),
            )
        case "slices":
            from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
            from netspec_keras import slices

            return table(
                on(Slice, slices.slice_),
                on(Take, slices.take),
                on(Reverse, slices.reverse),
                on(Roll, slices.roll),
                on(RepeatVector, slices.repeat_vector),
            )
        case "split":
            from netspec.ops.split import Split
            from netspec_keras import slices

            return table(
                on(Split, slices.split),
            )
        case "gather":
            from netspec.ops.gather import Gather
            from netspec_keras import slices

            return table(
                on(Gather, slices.gather),
            )
        case "indices":
            from netspec.ops.indices import Embedding, OneHot
            from netspec_keras import slices

            return table(
                on(Embedding, slices.embedding),
                on(OneHot, slices.one_hot),
            )
    return {}


LOWERINGS: Mapping[type[Op], Lowering] = Families(_rows)

REFUSALS: Mapping[type[Op], str] = {}


def lowered(op: Op, types: Types, ports: tuple[str, ...]) -> Lowered:
    """The layers of an op with these further outputs in use."""
    found = LOWERINGS[type(op)](op, types)
    return found.several(Together(ports)) if ports and found.several is not None else found


def bare(op: Op, types: Types) -> Lowered:
    """The layers of an op, with separate layers for its padding and its activation.

    So two layers that share their weights can differ in both.
    """
    lowering = LOWERINGS[type(op)]
    if isinstance(op, Activated) and op.activation is not None:
        inner = bare(op.replace(activation=None), types)
        return replace(inner, layers=(*inner.layers, *behind(op.activation)))
    if OPS.module(op.keyword) in ("conv", "transpose"):
        return padded_apart(cast("Convolution", op), types)
    return lowering(op, types)


def padded_apart(op: Convolution, types: Types) -> Lowered:
    """The layers of a convolution, with a separate layer for its padding, or for its cropping."""
    from netspec_keras import windows

    return windows.bare(op, types, LOWERINGS[type(op)])
