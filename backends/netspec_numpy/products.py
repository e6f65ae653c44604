"""Products and reductions, a choice by a mask, and orders of channels, from their definitions."""

from __future__ import annotations

import numpy as np

from netspec.ops.arrange import ChannelShuffle
from netspec.ops.merge import Where
from netspec.ops.product import Product
from netspec.ops.reduce import Reduce
from netspec.types import Type
from netspec_numpy.calculation import Calculation, Values
from netspec_numpy.merges import together


def product(op: Product, this: Calculation) -> Values:
    """The product of all inputs along all named axes at once, summed over those that the output does not have."""
    named = op.names([Type(x.shape[1], x.shape[2:]) for x in this.inputs])
    order = list(dict.fromkeys((*named.output, *(name for row in named.inputs for name in row))))
    total = np.ones(1)
    for row, x in zip(named.inputs, this.inputs, strict=True):
        turned = x.transpose(0, *(1 + row.index(name) for name in order if name in row))
        sizes = iter(turned.shape[1:])
        total = total * turned.reshape(len(x), *(next(sizes) if name in row else 1 for name in order))
    return np.asarray(total.sum(axis=tuple(range(1 + len(named.output), 1 + len(order)))))


def where(op: Where, this: Calculation) -> Values:
    """The second where the first is not 0, else the third."""
    mask, first, second = together(this.inputs)
    return np.where(mask != 0, first, second)


def reduce_(op: Reduce, this: Calculation) -> Values:
    """One number for all values along the axes."""
    types = this.types
    axes = tuple(1 + axis for axis in op.dimensions(types))
    x = this.x
    if op.by == "std":
        spread = x - x.mean(axis=axes, keepdims=True)
        y = np.sqrt((spread * spread).mean(axis=axes, keepdims=True))
    elif op.by == "norm":
        y = np.sqrt((x * x).sum(axis=axes, keepdims=True))
    else:
        y = getattr(np, op.by)(x, axis=axes, keepdims=True)
    return np.asarray(y.squeeze(tuple(1 + axis for axis in op.gone(types))))


def channel_shuffle(op: ChannelShuffle, this: Calculation) -> Values:
    """Channel i of group g becomes channel i · groups + g."""
    each = this.x.shape[1] // op.groups
    places = [g * each + i for i in range(each) for g in range(op.groups)]
    return this.x[:, places]
