"""Functions of single values: layers, and, if they are defined for every number, activations of other layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from netspec.model import Field, Info, field_validator
from netspec.ops.base import Meaning
from netspec.ops.fields import refusal
from netspec.ops.pointwise import Activation, Pointwise

Number = Annotated[float, Field(allow_inf_nan=False)]


class Exp(Activation):
    """eˣ. Above 88 (in float64, 709) it is infinite."""

    keyword = "exp"

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return Meaning.PROBABILITIES if inputs[0] is Meaning.LOGARITHMS else super().means(inputs)


class Log(Pointwise):
    """The natural logarithm. At 0 it is −∞, below 0 it is not a number (NaN)."""

    keyword = "log"

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # The softmax of the logarithms of probabilities that sum to 1 are these probabilities.
        return Meaning.LOGARITHMS if inputs[0] is Meaning.PROBABILITIES else super().means(inputs)


class Sqrt(Pointwise):
    """The square root. Below 0 it is not a number (NaN); at 0 its derivative is infinite."""

    keyword = "sqrt"


class Power(Pointwise):
    """x to the power of a constant. A negative x has a power only for a whole exponent."""

    keyword = "power"
    main = "exponent"

    exponent: Number
    """The exponent, not 0. With a negative one, the power of 0 is infinite."""

    @field_validator("exponent")
    @classmethod
    def _varies(cls, exponent: float, info: Info) -> float:
        if exponent == 0:
            text = "a power with the exponent 0 is 1 for every input"
            raise refusal("own", text, "write `power: 2`, or another exponent than 0")
        return exponent


class Square(Activation):
    """x · x."""

    keyword = "square"


class Abs(Activation):
    """|x|. At 0 its derivative is 0."""

    keyword = "abs"


class Clip(Activation):
    """min(max(x, min), max), or only one of the two. From bound to bound its derivative is 1, outside it is 0."""

    keyword = "clip"

    min: Number | None = None
    """The smallest output. Without it, there is no lower bound."""
    max: Annotated[Number | None, Field(validate_default=True)] = None
    """The largest output, above `min`. Without it, there is no upper bound."""

    @field_validator("max")
    @classmethod
    def _bounds(cls, most: float | None, info: Info) -> float | None:
        if "min" not in info.data:
            return most  # it is reported itself
        least = info.data["min"]
        if least is None and most is None:
            text = "without `min` and `max` it changes nothing"
            raise refusal("own", text, "write `{clip: {min: 0, max: 1}}`, or one of the two")
        if least is not None and most is not None and least >= most:
            text = f"it is {most:g}, which is not above `min`, {least:g}"
            raise refusal("own", text, f"use a `max` above {least:g}")
        return most

    @classmethod
    def sample(cls, type_: Any) -> dict[str, object]:
        return {"min": 0}


class Step(Activation):
    """1 where x > threshold, else 0; so it is 0 at the threshold. Its derivative is 0 everywhere.

    Layers before it do not learn through it.
    """

    keyword = "step"
    main = "threshold"
    gives = Meaning.INDEPENDENT

    threshold: Number = 0.0
    """The largest input whose output is 0."""


TOTAL: tuple[type[Activation], ...] = (Exp, Square, Abs, Clip, Step)
"""The functions that are defined for every number; log_softmax and softplus are in the module of softmax."""
