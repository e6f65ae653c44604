"""Rotations by position, computed for each position, head and pair from the definition in `netspec.ops.rotary`."""

from __future__ import annotations

from itertools import product
from math import cos, sin

from netspec.ops.rotary import Rotary, TurnedHead
from netspec_numpy.calculation import Calculation, Values


def rotary(op: Rotary, this: Calculation) -> Values:
    """For each pair (a, b) of channels of a head, (a cos − b sin, a sin + b cos) of the angle at the position."""
    size = this.x.shape[1] // op.heads
    return turned(this.x, op.heads, op.turning(size))


def turned(x: Values, heads: int, how: TurnedHead) -> Values:
    """A sequence (N, channels, positions) with the pairs of channels of its heads turned."""
    y = x.copy()
    for head, pair, position in product(range(heads), range(how.turned // 2), range(x.shape[2])):
        angle = how.angle(pair, position)
        first, second = (head * how.size + channel for channel in how.channels(pair))
        a, b = x[:, first, position], x[:, second, position]
        y[:, first, position] = a * cos(angle) - b * sin(angle)
        y[:, second, position] = a * sin(angle) + b * cos(angle)
    return y
