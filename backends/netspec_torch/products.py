"""Products and reductions, a choice by a mask, and orders of channels, in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.lowering.parts import Argument, Call, Part, Slot, call, literal, quoted, seq
from netspec_torch.moves import of_all, spread
from netspec_torch.site import Lowered, Site

if TYPE_CHECKING:
    from netspec.ops.arrange import ChannelShuffle
    from netspec.ops.merge import Where
    from netspec.ops.product import Contract, Matmul
    from netspec.ops.reduce import Reduce

METHODS = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "std": "std"}
"""`amax` and `amin` share the gradient among equal values."""


def matmul(op: Matmul, site: Site) -> Lowered:
    """`torch.matmul`: the last two axes are the matrices."""
    return Lowered(call("torch.matmul", *site.variables))


def contract(op: Contract, site: Site) -> Lowered:
    """`torch.einsum`."""
    return Lowered(call("torch.einsum", quoted(op.names(site.inputs).letters()), *site.variables))


def where(op: Where, site: Site) -> Lowered:
    """`torch.where`."""
    mask, first, second = spread(site)
    return of_all(site, call("torch.where", seq(mask, " != 0"), first, second))


def reduce_(op: Reduce, site: Site) -> Lowered:
    """A method of the tensor; `torch.linalg.vector_norm` for the norm. Both have a derivative of 0 at 0."""
    reduced = op.dimensions(site.inputs)
    gone = op.gone(site.inputs)
    dims = tuple(sorted(site.dim(1 + axis) for axis in reduced))
    how: list[Argument] = [Argument(literal(dims if len(dims) > 1 else dims[0]), "dim")]
    if op.by == "std":
        how.append(Argument("0", "correction"))
    if gone != reduced:
        how.append(Argument("True", "keepdim"))
    result: Part
    if op.by == "norm":
        result = Call("torch.linalg.vector_norm", (Argument(site.x), *how))
    else:
        result = seq(site.x, Call(f".{METHODS[op.by]}", tuple(how)))
    if gone and gone != reduced:
        lost = tuple(sorted(site.dim(1 + axis) for axis in gone))
        result = seq(result, f".squeeze({literal(lost if len(lost) > 1 else lost[0])})")
    order = site.order
    for axis in reversed(gone):
        order = order.without(1 + axis)
    return site.as_given(Lowered(result), order)


def channel_shuffle(op: ChannelShuffle, site: Site) -> Lowered:
    """`F.channel_shuffle` on maps; PyTorch has none for vectors."""
    groups = Slot(op.groups, "groups", kept=True)
    if site.rank:
        return Lowered(call("F.channel_shuffle", site.x, groups))
    return Lowered(seq(site.x, ".unflatten(1, (", groups, ", -1)).transpose(1, 2).flatten(1)"))
