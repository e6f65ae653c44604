"""Optimisers as data. Their formulas are those of PyTorch on every backend."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from netspec.model import Field, Info, Model, Refusal, field_validator
from netspec.types import LARGEST_FLOAT

# Weights are float32: a number outside float32 would become 0 or infinite.
SMALLEST = 2.0**-126
PositiveFloat = Annotated[
    float, Field(ge=SMALLEST, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number above 0")
]
Fraction = Annotated[float, Field(ge=0, le=1 - 2.0**-24, description="a float32 number from 0 to below 1")]
Switch = Annotated[bool, Field(description="`true` or `false`")]


class Sgd(Model):
    """v ← momentum · v + g; w ← w − rate · v, or with Nesterov's look-ahead w ← w − rate · (g + momentum · v)."""

    kind: ClassVar[Literal["sgd"]] = "sgd"
    learning_rate: PositiveFloat = 0.01
    momentum: Fraction = 0.0
    nesterov: Switch = False

    @field_validator("nesterov")
    @classmethod
    def _looks_along_a_momentum(cls, nesterov: bool, info: Info) -> bool:
        if nesterov and info.data.get("momentum") == 0:
            raise Refusal("nesterov", "`nesterov` needs a momentum, but `momentum` is 0")
        return nesterov


class Adam(Model):
    """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

    kind: ClassVar[Literal["adam"]] = "adam"
    learning_rate: PositiveFloat = 0.001
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8


Optimizer = Sgd | Adam
OPTIMIZERS: dict[str, type[Sgd] | type[Adam]] = {each.kind: each for each in (Sgd, Adam)}
"""The optimisers by their names in a recipe."""
