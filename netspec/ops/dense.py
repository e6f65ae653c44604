"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, ClassVar, Self

from netspec.model import Field
from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Meaning, Op, Weight
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init, Initializer
from netspec.ops.reach import Reach
from netspec.types import Type

NORMAL = Initializer.model_construct(kind="normal", settings=(("std", 1.0),))


class Dense(Activated):
    """Connects every unit with every channel. On a map it acts at every position; it does not flatten."""

    keyword = "dense"
    width = "units"
    gives = Meaning.SCORES
    main = "units"
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {"bias_init": ("bias", False)}

    units: Annotated[int, Field(ge=1)]
    """The number of output channels."""
    bias: bool = True
    """Whether a bias is added to each unit."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the matrix."""
    bias_init: Init = ZEROS
    """The initialiser of the bias."""

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

    keyword = "rbf"
    width = "units"
    gives = Meaning.DISTANCES
    main = "units"

    units: Annotated[int, Field(ge=1)]
    """The number of output channels."""
    init: Init = NORMAL
    """The initialiser of the weight vectors."""

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.units, inputs[0].spatial),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("weight", (self.units, inputs[0].channels or 0), "OI", self.init),)

    def macs(self, inputs: Inputs) -> int | None:
        return self.units * (inputs[0].channels or 0) * prod(inputs[0].sizes)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)
