"""Resizing in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec_keras.arguments import Types, first, option, squeeze
from netspec_keras.layer import LayerText, Lowered
from netspec_keras.merges import wanted

if TYPE_CHECKING:
    from netspec.ops.resample import Resize


def resize(op: Resize, types: Types) -> Lowered:
    """`layers.UpSampling…D` if it repeats values by a factor; else a helper."""
    if op.mode in ("nearest", "nearest_exact") and op.factor:
        arguments = (first(squeeze(op.factor), "factor"),)
        return Lowered((LayerText(f"layers.UpSampling{len(op.factor)}D", arguments),))
    if op.mode in ("nearest", "nearest_exact"):
        cls = "NearestUpsampling" if op.mode == "nearest" else "NearestExact"
        return Lowered((LayerText(cls, wanted(op, types)),))
    by = (option("factor", op.factor),) if op.factor else wanted(op, types)
    smooth = "Smooth" if op.antialias else ""
    corners = option("align_corners", op.align_corners, False)
    return Lowered((LayerText(f"{smooth}{op.mode.capitalize()}Resizing", (*by, corners)),))
