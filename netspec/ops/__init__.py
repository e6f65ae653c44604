"""The catalogue of ops: one class each, one line each here."""

from __future__ import annotations

from netspec.ops.activation import (
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Prelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from netspec.ops.base import Op
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.dense import Dense, Rbf
from netspec.ops.merge import Add, Average, Concat, Maximum, Multiply, Subtract
from netspec.ops.norm import BatchNorm, GroupNorm, L2Norm, LayerNorm, LocalResponseNorm
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netspec.ops.regularize import Dropout, GaussianNoise, MaskInput, SpatialDropout
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad, Upsample
from netspec.ops.scale import Scale, ScaleBy
from netspec.ops.transpose import ConvTranspose

FAMILIES: dict[str, tuple[type[Op], ...]] = {
    "convolution": (Conv, ConvTranspose, DepthwiseConv, SeparableConv),
    "pooling": (MaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, ChannelPool),
    "dense": (Dense, Rbf),
    "activation": (
        Relu,
        LeakyRelu,
        Relu6,
        Elu,
        Selu,
        Prelu,
        Gelu,
        Silu,
        HardSwish,
        Sigmoid,
        HardSigmoid,
        Tanh,
        Softplus,
        Softmax,
    ),
    "normalisation": (BatchNorm, LayerNorm, GroupNorm, LocalResponseNorm, L2Norm),
    "scaling": (Scale, ScaleBy),
    "regularisation": (Dropout, SpatialDropout, GaussianNoise, MaskInput),
    "merge": (Add, Subtract, Multiply, Maximum, Average, Concat),
    "resizing": (Upsample, Pad, Crop),
    "shape": (Flatten, Reshape, Permute, SpaceToDepth, DepthToSpace, Identity),
}

OPS: dict[str, type[Op]] = {
    word: op for family in FAMILIES.values() for op in family for word in (op.keyword, *op.aliases)
}
"""Every op by the words for it."""
