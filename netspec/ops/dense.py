"""Fully connected layers."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Self

from pydantic import Field

from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Meaning, Op, Weight
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init, Initializer
from netspec.ops.reach import Reach
from netspec.types import Type

NORMAL = Initializer.model_construct(kind="normal", settings=(("std", 1.0),))


class Dense(Activated):
    """Every unit sees every channel; on a map it acts at every position. It does not flatten."""

    keyword: ClassVar[str] = "dense"
    width: ClassVar[str | None] = "units"
    gives: ClassVar[Meaning | None] = Meaning.SCORES
    main: ClassVar[str | None] = "units"

    units: Annotated[int, Field(ge=1)]
    """The channels of the output."""
    bias: bool = True
    """Whether a number is added to each unit."""
    init: Init = GLOROT_UNIFORM
    """How the matrix starts."""
    bias_init: Init = ZEROS
    """How the bias starts."""

    def _resolve(self, inputs: Inputs) -> Self:
        return self.replace(activation=self.resolve_activation(inputs[0].spatial))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.units, inputs[0].spatial),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        weight = Weight("weight", (self.units, inputs[0].channels or 0), "OI", self.init)
        return (weight, Weight("bias", (self.units,), "O", self.bias_init)) if self.bias else (weight,)

    def macs(self, inputs: Inputs) -> int | None:
        return self.units * (inputs[0].channels or 0) * prod(inputs[0].sizes)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)


class Rbf(Op):
    """The squared Euclidean distance from the channels to each unit's weights: Σ (x − w)² (LeCun et al. 1998).

    On a map it acts at every position.
    """

    keyword: ClassVar[str] = "rbf"
    width: ClassVar[str | None] = "units"
    gives: ClassVar[Meaning | None] = Meaning.DISTANCES
    main: ClassVar[str | None] = "units"

    units: Annotated[int, Field(ge=1)]
    """The channels of the output."""
    init: Init = NORMAL
    """How the weight vectors start."""

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.units, inputs[0].spatial),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("weight", (self.units, inputs[0].channels or 0), "OI", self.init),)

    def macs(self, inputs: Inputs) -> int | None:
        return self.units * (inputs[0].channels or 0) * prod(inputs[0].sizes)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)
