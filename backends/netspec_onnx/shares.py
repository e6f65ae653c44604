"""The weights of a resized map, as exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from netspec.ops.resample import Resize

HALF = Fraction(1, 2)


def shares(op: Resize, length: int, size: int) -> list[list[Fraction]]:
    """For each of `size` output positions along an axis, the share of each of the input's."""
    rows = []
    for at in range(size):
        row = [Fraction(0)] * length
        for place, share in _taken(op, length, size, at):
            row[min(max(place, 0), length - 1)] += share
        total = sum(row)
        rows.append([share / total for share in row])
    return rows


def _taken(op: Resize, length: int, size: int, at: int) -> list[tuple[int, Fraction]]:
    step = Fraction(length, size)
    if op.mode == "area":
        return [(place, Fraction(1)) for place in range(at * length // size, -(-(at + 1) * length // size))]
    middle = (at + HALF) * step - HALF
    if op.antialias:
        wide = max(step, Fraction(1))
        return [(place, _weight(op.mode, (place - middle) / wide, -HALF)) for place in range(length)]
    if op.align_corners:
        middle = Fraction(at * (length - 1), max(size - 1, 1))
    near = range(floor(middle) - 1, floor(middle) + 3)
    return [(place, _weight(op.mode, place - middle, Fraction(-3, 4))) for place in near]


def _weight(mode: str, distance: Fraction, a: Fraction) -> Fraction:
    """The kernel of an interpolation: a triangle, or a cubic with the slope a at distance 1."""
    x = abs(distance)
    if mode == "linear":
        return max(1 - x, Fraction(0))
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else Fraction(0)
