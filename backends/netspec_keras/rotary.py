"""Rotations by position in Keras."""

from __future__ import annotations

from netspec.ops.rotary import Rotary, TurnedHead
from netspec_keras.arguments import Arguments, Types, first, option
from netspec_keras.layer import LayerText, Lowered

CLASSES = {"halves": "Rotary", "neighbours": "NeighbourRotary"}
"""The class for each kind of pairs."""


def rotary(op: Rotary, types: Types) -> Lowered:
    """The helper for its pairs."""
    how = op.turning((types[0].channels or 0) // op.heads)
    layer = LayerText(CLASSES[how.pairs], (first(op.heads, "heads"), *settings(how)), parts=parts(how))
    return Lowered((layer,))


def settings(how: TurnedHead) -> Arguments:
    """The settings of the helper."""
    return (
        option("base", how.base, 10000.0),
        option("turned", 0 if how.turned == how.size else how.turned, 0),
        option("start", how.start, 0),
    )


def parts(how: TurnedHead) -> frozenset[str]:
    """The parts of the helper that are needed."""
    needs = {"turned": how.turned < how.size, "start": how.start > 0}
    return frozenset(part for part, needed in needs.items() if needed)
