"""Ops that scale what they are given: by learnt numbers, or by a constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field

from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Meaning, Weight
from netspec.ops.initializers import ONES, ZEROS, Init
from netspec.ops.pointwise import Pointwise


class Scale(Activated, Pointwise):
    """Each channel times a learnt number, plus a learnt bias: the trainable part of LeNet-5's subsampling."""

    keyword: ClassVar[str] = "scale"

    bias: bool = True
    """Whether a learnt number is added to each channel."""
    init: Init = ONES
    """How the coefficients start."""
    bias_init: Init = ZEROS
    """How the biases start."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        return self.replace(activation=self.resolve_activation(inputs[0].spatial))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (inputs[0].channels or 0,)
        weight = Weight("weight", shape, "C", self.init)
        return (weight, Weight("bias", shape, "C", self.bias_init)) if self.bias else (weight,)


class ScaleBy(Pointwise):
    """Everything times a constant: how Inception-ResNet calms its residuals (Szegedy et al. 2016)."""

    keyword: ClassVar[str] = "scale_by"
    main: ClassVar[str | None] = "factor"

    factor: Annotated[float, Field(allow_inf_nan=False)]
    """The constant."""

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # The nearest has the largest of the negated distances, until these are negated, too.
        if self.factor < 0 and inputs[0] is Meaning.DISTANCES:
            return Meaning.NEARNESS
        return inputs[0] if self.factor > 0 else super().means(inputs)
