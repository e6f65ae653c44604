"""Products and reductions, a choice by a mask, and orders of channels, in ONNX."""

from __future__ import annotations

from netspec.ops.arrange import ChannelShuffle
from netspec.ops.merge import Where
from netspec.ops.product import Contract, Matmul
from netspec.ops.reduce import Reduce
from netspec_onnx.moves import spread
from netspec_onnx.site import Site

OPERATORS = {"sum": "Sum", "mean": "Mean", "max": "Max", "min": "Min", "norm": "L2"}


def matmul(op: Matmul, site: Site) -> str:
    """`MatMul`."""
    return site.emit("MatMul", *site.values)


def contract(op: Contract, site: Site) -> str:
    """`Einsum`."""
    return site.emit("Einsum", *site.values, equation=op.names(site.types).letters())


def where(op: Where, site: Site) -> str:
    """`Where`."""
    mask, first, second = spread(site)
    return site.emit("Where", site.emit("Equal", mask, site.number(0.0)), second, first)


def reduce_(op: Reduce, site: Site) -> str:
    """`Reduce…`; a deviation from its formula."""
    gone = op.gone(site.types)
    keep = int(gone != op.dimensions(site.types))
    axes = site.integers([1 + axis for axis in op.dimensions(site.types)])
    if op.by == "std":
        spread = site.emit("Sub", site.x, site.emit("ReduceMean", site.x, axes, keepdims=1))
        squares = site.emit("Mul", spread, spread)
        y = site.emit("Sqrt", site.emit("ReduceMean", squares, axes, keepdims=keep))
    else:
        y = site.emit(f"Reduce{OPERATORS[op.by]}", site.x, axes, keepdims=keep)
    return site.emit("Squeeze", y, site.integers([1 + axis for axis in gone])) if gone and keep else y


def channel_shuffle(op: ChannelShuffle, site: Site) -> str:
    """The groups as an axis, moved behind the channels of a group."""
    split = site.reshape(site.x, (op.groups, site.channels // op.groups, *site.sizes))
    turned = site.transpose(split, (1, 0, *range(2, 2 + site.rank)))
    return site.reshape(turned, (site.channels, *site.sizes))
