"""What the ops on heads of attention check in common."""

from __future__ import annotations

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Misfit
from netspec.ops.roles import LENGTHS
from netspec.types import Type


def check_divides(field: str, number: int, what: str, parts: int, otherwise: str = "") -> None:
    """Refuse a number of heads that does not divide a number of channels.

    Raises:
        Misfit: it does not.
    """
    if number % parts == 0:
        return
    near = _near_divisors(number, parts)
    raise Misfit(
        shapes.ATTENTION,
        f"{number} {what} cannot be divided into {parts} heads",
        field,
        help=f"use a divisor of {number}, such as {' or '.join(map(str, near))}{', ' * bool(otherwise)}{otherwise}",
    )


SEARCHED = 1000
"""How many numbers on either side are tried: a report does not take longer for a larger number."""


def _near_divisors(number: int, parts: int) -> list[int]:
    """The divisors of a number next to one that is none; far from it, 1 and the number itself."""
    top = min(parts, number)
    below = next((each for each in range(top, max(top - SEARCHED, 0), -1) if number % each == 0), 1)
    above = next((each for each in range(parts + 1, parts + SEARCHED) if number % each == 0), number)
    return [below, above] if above > parts else [below]


def check_sequence(name: str, type_: Type) -> None:
    """Refuse a memory that is not a sequence.

    Raises:
        Misfit: it has no axis, or several.
    """
    if len(type_.spatial) != 1:
        raise Misfit(
            shapes.RANK,
            f"the `{name}` of attention are a sequence; here they are {type_}",
            help="make a sequence of it: `reshape: [CHANNELS, -1]`",
        )


def check_key_lengths(lengths: Type, keys: Type) -> None:
    """Refuse lengths that do not say how many of the keys of each sample count.

    Raises:
        Misfit: they do not.
    """
    if len(keys.spatial) > 1:
        raise Misfit(
            shapes.ATTENTION,
            f"`{LENGTHS.name}` says how many keys of a sequence count; here they are a map, {keys}",
            help="leave the lengths out, or make a sequence of the map: `reshape: [CHANNELS, -1]`",
        )
    if lengths.spatial:
        raise Misfit(
            shapes.ATTENTION,
            f"`{LENGTHS.name}` is one whole number for each sample; it gets {lengths}",
            help="give that input `shape: []`",
        )
    count = keys.sizes[0]
    if (lengths.vocabulary or 0) > count + 1:
        raise Misfit(
            shapes.ATTENTION,
            f"`{LENGTHS.name}` goes up to {(lengths.vocabulary or 0) - 1}, and there are {count} keys",
            help=f"give that input `vocabulary: {count + 1}`: its numbers are then 0 to {count}",
        )
