"""Rotations by position in ONNX. Its own operator has no float64 in onnxruntime."""

from __future__ import annotations

from math import cos, sin

from netspec.ops.rotary import Rotary, TurnedHead
from netspec_onnx.site import Site


def rotary(op: Rotary, site: Site) -> str:
    """The products of the pairs of channels with the cosines and sines, and the channels that do not turn."""
    channels, (length,) = site.channels, site.sizes
    y = turned(site, site.x, op.heads, length, op.turning(channels // op.heads))
    return site.reshape(y, (channels, length))


def turned(site: Site, x: str, heads: int, length: int, how: TurnedHead) -> str:
    """A sequence (N, channels, positions) as (N, heads, channels of a head, positions), its pairs turned."""
    half, rest = how.turned // 2, how.size - how.turned
    x = site.reshape(x, (heads, how.size, length))
    left = ""
    if rest:
        left = f"{x}/rest"
        x = site.emit_several("Split", (left,), x, site.integers((how.turned, rest)), axis=2)
    # The axes of pairs and of the two channels of each; neighbours stand the other way round.
    beside = how.pairs == "neighbours"
    axis, shape = (3, (half, 1, length)) if beside else (2, (1, half, length))
    second = f"{x}/second"
    x = site.reshape(x, (heads, half, 2, length) if beside else (heads, 2, half, length))
    first = site.emit_several("Split", (second,), x, site.integers((1, 1)), axis=axis)
    angles = [how.angle(pair, position) for pair in range(half) for position in range(length)]
    cosines, sines = (site.numbers([*map(wave, angles)], shape) for wave in (cos, sin))
    turns = (
        site.emit("Sub", site.emit("Mul", first, cosines), site.emit("Mul", second, sines)),
        site.emit("Add", site.emit("Mul", first, sines), site.emit("Mul", second, cosines)),
    )
    y = site.reshape(site.emit("Concat", *turns, axis=axis), (heads, how.turned, length))
    return site.emit("Concat", y, left, axis=2) if rest else y
