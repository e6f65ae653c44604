"""The catalogue of ops: one class each, one line each here."""

from __future__ import annotations

from netspec.ops.activation import LeakyRelu, Relu, Sigmoid, Softmax, Tanh
from netspec.ops.base import Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netspec.ops.regularize import Dropout
from netspec.ops.reshape import Flatten, Identity

FAMILIES: dict[str, tuple[type[Op], ...]] = {
    "convolution": (Conv,),
    "pooling": (MaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool),
    "dense": (Dense,),
    "activation": (Relu, LeakyRelu, Sigmoid, Tanh, Softmax),
    "normalisation": (BatchNorm,),
    "regularisation": (Dropout,),
    "merge": (Add, Multiply, Concat),
    "shape": (Flatten, Identity),
}

OPS: dict[str, type[Op]] = {op.keyword: op for family in FAMILIES.values() for op in family}
