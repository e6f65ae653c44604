"""Positions as rotations: pairs of channels, turned by angles that grow with the number of the position."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from netspec.dataclass import dataclass
from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator, Field, Invalid, Model, RefusedValue
from netspec.ops.base import Inputs, Meaning, Misfit
from netspec.ops.fields import AuthorForm, Positive, refusal
from netspec.ops.heads import check_divides
from netspec.ops.pointwise import Pointwise
from netspec.ops.tensors import BASE, Base

Pairs = Literal["halves", "neighbours"]
Fraction = Annotated[float, Field(gt=0, le=1)]
MOST = 2**24
"""The largest number of a first position: float32 has all whole numbers up to this one."""
Start = Annotated[int, Field(ge=0, le=MOST)]


@dataclass(frozen=True, slots=True)
class TurnedHead:
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


class Turn(Model):
    """How `attention` turns its queries and keys: the fields of `rotary`, without its heads."""

    base: Base = BASE
    pairs: Pairs = "halves"
    fraction: Fraction = 1.0
    start: Start = 0

    def turning(self, size: int) -> TurnedHead:
        """How a head of so many channels is turned."""
        return turning(size, self.base, self.pairs, self.fraction, self.start)

    def settings(self) -> dict[str, object]:
        """The fields that do not have their defaults."""
        fields = type(self).model_fields
        return {name: value for name in fields if (value := getattr(self, name)) != fields[name].default}

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.settings().items())
        return f"rotary({settings})" if settings else "rotary"


_TAKEN = {
    "base": "a number above 1",
    "pairs": "`halves` or `neighbours`",
    "fraction": "a number above 0, up to 1",
    "start": f"a whole number from 0 to {MOST:,}",
}
"""What each field takes, in words."""


def _turn(value: object) -> object:
    """`true`, or a mapping of fields; `false` for none."""
    if value is None or isinstance(value, Turn):
        return value
    if isinstance(value, bool):
        return Turn() if value else None
    if not isinstance(value, Mapping):
        raise refusal(
            "own", "it must be `true`, or a mapping of fields", "write `true`, or `{fraction: 0.5}`"
        )
    known = Turn.model_fields
    for name in value:
        if name not in known:
            raise _unknown(str(name), known)
    try:
        return Turn.model_validate(dict(value))
    except Invalid as error:
        first = error.details[0]
        field = str(first["loc"][0])
        default = known[field].default
        shown = f"{default:g}" if isinstance(default, float) else default
        help_ = f"leave `{field}` out for the default, `{shown}`"
        raise refusal("own", f"`{field}` is {_TAKEN[field]}", help_, (field,)) from None


def _unknown(name: str, known: Collection[str]) -> RefusedValue:
    """The validation error for a field that the rotation does not have."""
    from netspec.ops.words import fields, lead

    advice = lead(name, known, fields.for_op(Rotary.keyword, known))
    help_ = advice.help if advice else f"its fields are {', '.join(f'`{each}`' for each in known)}"
    return refusal("own", f"`rotary` does not have the field `{name[:80]}`", help_, (name,))


def _schema() -> dict[str, Any]:
    fields = {
        "base": {"type": "number", "exclusiveMinimum": 1},
        "pairs": {"enum": ["halves", "neighbours"]},
        "fraction": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "start": {"type": "integer", "minimum": 0, "maximum": MOST},
    }
    several = {"type": "object", "properties": fields, "additionalProperties": False}
    return {
        "description": "`true`, or the fields of `rotary`: `base`, `pairs`, `fraction`, `start`",
        "anyOf": [{"type": "boolean"}, several],
    }


TurnField = Annotated[Turn | None, BeforeValidator(_turn), AuthorForm(_schema)]


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
        check_turning(self.turning(channels // self.heads), "heads" if self.fraction == 1 else "fraction")
        return self

    def turning(self, size: int) -> TurnedHead:
        """How a head of so many channels is turned."""
        return turning(size, self.base, self.pairs, self.fraction, self.start)


def turning(size: int, base: float, pairs: Pairs, fraction: float, start: int) -> TurnedHead:
    """How a head of so many channels is turned."""
    # A fraction such as 0.29 of 100 channels is just below a whole number.
    return TurnedHead(size, int(size * fraction + 1e-6), base, pairs, start)


def check_turning(turning: TurnedHead, field: str, written: str = "fraction: {}") -> None:
    """Refuse heads of which no pairs of channels can be turned.

    `written` is how the author writes a fraction.

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
        help_ = (
            f"turn {' or '.join(f'{each} of them, `{written.format(_share(each, size))}`' for each in even)}"
        )
    raise Misfit(
        shapes.ATTENTION,
        f"`rotary` turns channels in pairs; here {turned} of the {size} channels of each head would turn",
        field,
        help=help_,
    )


def _share(turned: int, size: int) -> float:
    """The shortest decimal number that is a fraction for so many of the channels of a head."""
    parts = 1
    while int(size * (found := -(-turned * parts // size) / parts) + 1e-6) != turned:
        parts *= 10
    return min(found, 1)
