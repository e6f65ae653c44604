"""Positions as rotations: pairs of channels, turned by angles that grow with the number of the position."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from netspec.dataclass import dataclass
from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Meaning, Misfit
from netspec.ops.fields import Positive
from netspec.ops.heads import check_divides
from netspec.ops.pointwise import Pointwise
from netspec.ops.tensors import BASE, Base

Pairs = Literal["halves", "neighbours"]
Fraction = Annotated[float, Field(gt=0, le=1)]
Start = Annotated[int, Field(ge=0, le=2**24)]
"""The number of a position; float32 has all whole numbers up to this one."""


@dataclass(frozen=True, slots=True)
class Turning:
    """How the first channels of each head are turned: how many of them, which are pairs, and by which angles."""

    size: int
    """The number of channels of a head."""
    turned: int
    """The number of them that are turned."""
    base: float
    pairs: Pairs
    start: int

    def angle(self, pair: int, position: int) -> float:
        """The angle by which a pair of channels is turned at a position, in radians."""
        return float((self.start + position) / self.base ** (2 * pair / self.turned))

    def channels(self, pair: int) -> tuple[int, int]:
        """The channels of a head that are a pair."""
        if self.pairs == "neighbours":
            return 2 * pair, 2 * pair + 1
        return pair, pair + self.turned // 2


class Rotary(Pointwise):
    """Turns pairs of channels of each head by angles that grow with the position (Su et al. 2021, equation 15).

    Pair i of a head turns at position p by the angle p / base^(2i / d), where d is how many channels of the head turn:
    (a, b) becomes (a cos − b sin, a sin + b cos). So the product of a query and a key depends on how far they are
    apart. `attention` turns its queries and keys with its own field `rotary`; this op is for those of
    `attention: {project: false}`, and for other layers.
    """

    keyword = "rotary"
    main = "heads"
    gives = Meaning.SCORES

    heads: Positive
    """The number of heads, which stand one after the other in the channels."""
    base: Base = BASE
    """The base of the wavelengths, which grow from 2π to 2π · base."""
    pairs: Pairs = "halves"
    """Which channels of a head turn together: those in the same place of both halves, or neighbours, as in the paper.
    """
    fraction: Fraction = 1.0
    """The part of the channels of a head that turns, the first ones; a part of a channel does not count."""
    start: Start = 0
    """The number of the first position."""

    def _resolve(self, inputs: Inputs) -> Self:
        rank = len(inputs[0].spatial)
        if rank != 1:
            raise Misfit(
                shapes.RANK,
                f"`rotary` counts along one axis; the input {inputs[0]} has {rank or 'none'}",
                help="make a sequence of the map: `reshape: [CHANNELS, -1]`"
                if rank
                else "a vector has no positions: put it before the layer that makes the vector",
            )
        channels = inputs[0].channels or 0
        check_divides("heads", channels, "channels", self.heads)
        check_turning(self.turning(channels // self.heads), self.fraction)
        return self

    def turning(self, size: int) -> Turning:
        """How a head of so many channels is turned."""
        return turning(size, self.base, self.pairs, self.fraction, self.start)


def turning(size: int, base: float, pairs: Pairs, fraction: float, start: int) -> Turning:
    """How a head of so many channels is turned."""
    # A fraction such as 0.29 of 100 channels is just below a whole number.
    return Turning(size, int(size * fraction + 1e-6), base, pairs, start)


def check_turning(turning: Turning, fraction: float) -> None:
    """Refuse heads of which no pairs of channels can be turned.

    Raises:
        Misfit: the number of channels that turn is odd, or 0.
    """
    size, turned = turning.size, turning.turned
    if turned % 2 == 0 and turned:
        return
    near = (turned - 1, turned + 1) if turned else (2,)
    even = [each for each in near if 2 <= each <= size]
    if not even:
        help_ = "give each head at least 2 channels: use fewer `heads`, or more channels"
    else:
        help_ = f"turn {' or '.join(f'{each} of them, `fraction: {_share(each, size)}`' for each in even)}"
    raise Misfit(
        shapes.ATTENTION,
        f"`rotary` turns channels in pairs; here {turned} of the {size} channels of each head would turn",
        "fraction" if fraction != 1 and even else "heads",
        help=help_,
    )


def _share(turned: int, size: int) -> float:
    """The shortest decimal number that is a fraction for so many of the channels of a head."""
    parts = 1
    while int(size * (found := -(-turned * parts // size) / parts) + 1e-6) != turned:
        parts *= 10
    return min(found, 1)
