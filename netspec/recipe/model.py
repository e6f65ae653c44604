"""What all settings of a recipe have in common: the base of the models, kinds of numbers, families of named models."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from netspec.types import LARGEST_FLOAT

# Weights are float32: a number outside float32 would become 0 or infinite.
SMALLEST = 2.0**-126


def listed(value: object) -> object:
    """Turn a single value into a list."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class Settings(BaseModel):
    """Settings with defaults; an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Named(Settings):
    """One of a family of models, chosen by its name: `sgd`, or `{sgd: {momentum: 0.9}}`."""

    kind: ClassVar[str]
    main: ClassVar[str | None] = None
    """The setting that a plain value stands for: `crop: 24` for `crop: {size: 24}`."""


Count = Annotated[int, Field(ge=1, le=2**31 - 1, description="a whole number from 1")]
Whole = Annotated[int, Field(ge=0, le=2**31 - 1, description="a whole number from 0")]
Limit = Annotated[Count | None, Field(description="a whole number from 1")]
Pixels = Annotated[int, Field(ge=0, le=10_000, description="a whole number of pixels from 0")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 2³² − 1")]
Number = Annotated[
    float, Field(ge=-LARGEST_FLOAT, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number")
]
Positive = Annotated[
    float, Field(ge=SMALLEST, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number above 0")
]
NotNegative = Annotated[
    float, Field(ge=0, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number from 0")
]
Fraction = Annotated[float, Field(ge=0, le=1 - 2.0**-24, description="a float32 number from 0 to below 1")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1")]
Flag = Annotated[bool, Field(description="`true` or `false`")]
Word = Annotated[str, Field(min_length=1, description="a name")]
Numbers = Annotated[
    tuple[Number, ...],
    BeforeValidator(listed),
    Field(min_length=1, description="a float32 number, or a list of them"),
]


def family(*models: type[Any]) -> dict[str, type[Any]]:
    """The models of a family by their names."""
    return {each.kind: each for each in models}
