"""The initialisers: named distributions as data. `weights.py` draws from them."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, Literal, cast

from netspec.model import BeforeValidator, Model, RefusedValue
from netspec.ops.fields import AuthorForm, behind_key, refusal, unknown_word
from netspec.ops.nested import Nested, nested, shape_of
from netspec.types import LARGEST_FLOAT

InitializerName = Literal[
    "zeros",
    "ones",
    "constant",
    "uniform",
    "normal",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "bilinear",
    "by_gate",
    "values",
]

# The settings of each initialiser with their defaults; a plain value sets the first one.
SETTINGS: dict[str, dict[str, float]] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": 0.0},
    "uniform": {"low": -0.05, "high": 0.05},
    "normal": {"std": 0.05, "mean": 0.0},
    "glorot_uniform": {},
    "glorot_normal": {},
    "he_uniform": {},
    "he_normal": {},
    "lecun_uniform": {},
    "lecun_normal": {},
    "orthogonal": {"gain": 1.0},
    "bilinear": {},
}


VALUES = "values"
"""The name for values that the spec gives."""

KNOWN = (*SETTINGS, VALUES)
"""The names that an author can write."""

MOST = 10_000
"""The most values that a spec gives a weight; they become a part of the graph and of the generated source."""


class Initializer(Model):
    """A named distribution and its settings, or the values themselves.

    glorot: variance 2/(fan_in + fan_out) (Glorot and Bengio 2010); he: 2/fan_in (He et al. 2015);
    lecun: 1/fan_in (LeCun et al. 1998); orthogonal: Saxe et al. 2014; bilinear: the kernel that interpolates
    linearly and connects each channel with itself (Long et al. 2015). The normal ones are not truncated.
    """

    kind: InitializerName
    settings: tuple[tuple[str, float], ...] = ()
    values: Nested | None = None
    """The values in the canonical layout, for `values`."""

    def __getitem__(self, name: str) -> float:
        return dict(self.settings).get(name, SETTINGS[self.kind][name])

    def __str__(self) -> str:
        if self.values is not None:
            return f"{self.kind}({self.values})"
        settings = ", ".join(f"{name}={value}" for name, value in self.settings)
        return f"{self.kind}({settings})" if settings else self.kind


def _initializer(value: object) -> object:
    """`he_normal`, `constant: 0.5` or `normal: {std: 0.01}`."""
    if isinstance(value, Initializer):
        return value
    kind: object = value
    written: object = {}
    if isinstance(value, dict) and (
        wrong := behind_key("initializer", "initialiser", value, KNOWN, "INITIALIZERS")
    ):
        raise wrong
    if isinstance(value, dict) and len(value) == 1:
        ((kind, written),) = value.items()
    if not isinstance(kind, str):
        raise refusal(
            "initializer",
            "an initialiser is a name or one `name: settings`",
            "write a name, such as `he_normal`",
        )
    if kind == VALUES:
        return _given(written)
    known = SETTINGS.get(kind)
    if known is None:
        at = () if kind is value else (kind,)
        raise unknown_word("initializer", "initialiser", kind, KNOWN, "INITIALIZERS", at)
    if written is None:
        written = {}
    if not isinstance(written, dict):
        if not known:
            raise refusal("initializer", f"`{kind}` has no settings", f"write `{kind}`")
        written = {next(iter(known)): written}
    settings = tuple((str(name), _number(kind, str(name), number)) for name, number in written.items())
    init = Initializer.model_construct(kind=cast(InitializerName, kind), settings=settings)
    if kind == "normal" and init["std"] < 0:
        raise RefusedValue("initializer", "`std` must be at least 0")
    if kind == "uniform" and init["low"] > init["high"]:
        raise RefusedValue("initializer", "`low` is larger than `high`")
    if kind == "uniform" and init["high"] - init["low"] > LARGEST_FLOAT:
        raise RefusedValue("initializer", "`high` − `low` is larger than the largest float32, 3.4e38")
    return init


def _given(written: object) -> Initializer:
    """The values of a weight, as they are."""
    if not isinstance(written, list | tuple):
        raise refusal(
            "initializer",
            "`values` takes lists of numbers, in each other as the axes of the weight",
            "give lists, [[1, 0], [0, 1]] for a weight of 2×2; one number for all is `constant: 0.5`",
            (VALUES,),
        )
    values = nested(written)
    count = prod(shape_of(values))
    if count > MOST:
        raise refusal(
            "initializer",
            f"{count:,} values are too many for a spec: {MOST:,} at most",
            "let it start otherwise, and load such weights from a file",
            (VALUES,),
        )
    return Initializer.model_construct(kind="values", settings=(), values=values)


def unknown_setting(kind: str, name: str, known: list[str]) -> RefusedValue:
    """The validation error for a setting that an initialiser does not have."""
    from netspec.ops.words import lead, values

    if not known:
        return refusal("initializer", f"`{kind}` has no settings", f"write `{kind}`")
    advice = lead(name, known, values.SETTINGS)
    help_ = advice.help if advice else f"its settings are {', '.join(f'`{setting}`' for setting in known)}"
    return refusal("initializer", f"`{kind}` does not have the setting `{name[:80]}`", help_, (kind, name))


def _number(kind: str, name: str, number: object) -> float:
    if name not in SETTINGS[kind]:
        raise unknown_setting(kind, name, list(SETTINGS[kind]))
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < float("inf"):
        raise RefusedValue(
            "initializer", "{text}", {"text": f"`{name}` must be a finite number, not {number!r}"}
        )
    return float(number)


def _schema() -> dict[str, Any]:
    number = {"type": "number"}
    properties: dict[str, Any] = {}
    for kind, settings in SETTINGS.items():
        several = {
            "type": "object",
            "properties": dict.fromkeys(settings, number),
            "additionalProperties": False,
        }
        properties[kind] = {"anyOf": [number, several]} if settings else {"type": "null"}
    properties[VALUES] = {"type": "array", "minItems": 1, "examples": [[[1.0, 0.0], [0.0, 1.0]]]}
    one = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "description": f"an initialiser: {', '.join(f'`{kind}`' for kind in SETTINGS)}; settings follow "
        "the name: `normal: {std: 0.01}`; or the values, `values: [[1, 0], [0, 1]]`",
        "anyOf": [{"enum": list(SETTINGS)}, {**one, "minProperties": 1, "maxProperties": 1}],
    }


Init = Annotated[Initializer, BeforeValidator(_initializer), AuthorForm(_schema)]

ZEROS = Initializer.model_construct(kind="zeros", settings=())
ONES = Initializer.model_construct(kind="ones", settings=())
GLOROT_UNIFORM = Initializer.model_construct(kind="glorot_uniform", settings=())


def lifted(init: Initializer, **lifts: float) -> tuple[Initializer, tuple[float, ...]]:
    """The start of a bias whose equal parts, one a gate, start at this initialiser plus a number each.

    Where the initialiser draws nothing, that is an initialiser of its own; else the numbers are added to what it draws.
    """
    values = {"zeros": 0.0, "ones": 1.0, "bilinear": 1.0}
    value = init["value"] if init.kind == "constant" else values.get(init.kind)
    if value is None:
        return init, tuple(lifts.values())
    return by_gate(**{name: value + lift for name, lift in lifts.items()}), ()


def by_gate(**values: float) -> Initializer:
    """A bias whose equal parts, one a gate, each start at a number. A spec says it in fields of its own."""
    return Initializer.model_construct(kind="by_gate", settings=tuple(values.items()))
