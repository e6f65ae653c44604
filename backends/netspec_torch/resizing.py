"""Resizing in PyTorch."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from netspec.lowering.parts import Argument, Call, Part, Slot, literal, quoted, seq
from netspec_torch.moves import to_size
from netspec_torch.site import OWN, Lowered, Site

if TYPE_CHECKING:
    from netspec.ops.resample import Resize

LONGEST = 2**22
"""The largest size for which float32 distinguishes positions and their quotients."""

MODES = {
    "linear": {1: "linear", 2: "bilinear", 3: "trilinear"},
    "cubic": {2: "bicubic"},
    "area": {1: "area", 2: "area", 3: "area"},
}
"""PyTorch's names of what it interpolates in float64, by the number of axes."""


def resize(op: Resize, site: Site) -> Lowered:
    """`F.interpolate`, except where it takes values and its float32 arithmetic finds another position.

    It interpolates with cubic kernels, and with `antialias`, only over two axes: a helper class does over others. With
    `antialias`, its kernel for CPUs gives wrong values where the last axis becomes 1 long and the other one changes.
    """
    if op.mode in ("nearest", "nearest_exact"):
        return _nearest(op, site)
    native = MODES[op.mode].get(site.rank)
    if native is None or (op.antialias and (site.rank != 2 or op.sizes(site.inputs)[-1] == 1)):
        return _filtered(op, site)
    return _interpolated(op, site, *_how(op, native))


def _nearest(op: Resize, site: Site) -> Lowered:
    if _is_exact(op, site):
        return _interpolated(op, site)
    if op.factor:
        return Lowered(_repeated(site.x, op.factor))
    return to_size("NearestUpsample" if op.mode == "nearest" else "NearestExact", op, site)


def _interpolated(op: Resize, site: Site, *how: Argument) -> Lowered:
    if op.factor:
        by = Argument(literal(_one_for_all(op.factor)), "scale_factor")
    else:
        size: Part = seq(site.variables[1], ".shape[2:]") if site.is_like else literal(op.size or ())
        by = Argument(size, "size")
    return Lowered(Call("F.interpolate", (Argument(site.x), by, *how)))


def _how(op: Resize, native: str) -> tuple[Argument, ...]:
    mode = Argument(quoted(native), "mode")
    if op.mode == "area":
        return (mode,)
    if op.antialias:
        return (mode, Argument(literal(True), "antialias"))
    return (mode, Argument(literal(op.align_corners), "align_corners"))


def _filtered(op: Resize, site: Site) -> Lowered:
    settings = {"cubic": op.mode == "cubic", "align_corners": op.align_corners, "antialias": op.antialias}
    more = [Argument(Slot(value, name, default=False), name) for name, value in settings.items()]
    if op.factor:
        by = Argument(Slot(op.factor, "factor"), "factor")
        return Lowered(seq(OWN, "(", site.x, ")"), Call("FilteredResize", (by, *more)))
    return to_size("FilteredResize", op, site, *more)


def _is_exact(op: Resize, site: Site) -> bool:
    """Whether PyTorch takes values exactly, from any input for which there is this text."""
    if max(op.sizes(site.inputs)) > LONGEST or site.is_like:
        return False
    if op.factor:
        return all(map(_exact_by_factor, op.factor))
    return op.mode == "nearest" and op.enlarges and all(map(_exact_to_size, op.size or ()))


def _one_for_all(factors: tuple[int, ...]) -> int | tuple[int, ...]:
    return factors[0] if len(set(factors)) == 1 else factors


def _exact_by_factor(factor: int) -> bool:
    """Whether PyTorch repeats values exactly for a whole factor.

    Its kernels take position j of the output from ⌊j · (1/factor)⌋, the quotient and the product rounded to float32.
    The first position that belongs to input 1 is j = factor: where the product falls below 1 there (41, 47, 55, …),
    that position repeats input 0. Later multiples of the factor round no worse.
    """
    return _float32(factor * _float32(1 / factor)) >= 1


def _exact_to_size(size: int) -> bool:
    """Whether PyTorch repeats values exactly up to a size, from every smaller size.

    It takes position j of the output from ⌊j · (length/size)⌋, the quotient and the product rounded to float32. Of a
    power of two both are exact.
    """
    return size & (size - 1) == 0


def _float32(value: float) -> float:
    """The nearest number of float32."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _repeated(x: Part, factors: tuple[int, ...]) -> Part:
    repeats = (
        f".repeat_interleave({factor}, dim={dim})" for dim, factor in enumerate(factors, 2) if factor > 1
    )
    return seq(x, *repeats)
