"""Ops that scale their input, by trainable factors or by a constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from netspec.model import Field
from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Meaning, Weight
from netspec.ops.initializers import ONES, ZEROS, Init
from netspec.ops.pointwise import Pointwise


class Scale(Activated, Pointwise):
    """Multiplies each channel by a trainable factor and adds a bias: the trainable part of LeNet-5's subsampling."""

    keyword = "scale"
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {"bias_init": ("bias", False)}

    bias: bool = True
    """Whether a bias is added to each channel."""
    init: Init = ONES
    """The initialiser of the factors."""
    bias_init: Init = ZEROS
    """The initialiser of the biases."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        return self.replace(activation=self.resolve_activation(inputs[0].spatial))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (inputs[0].channels or 0,)
        weight = Weight("weight", shape, "C", self.init)
        return (weight, Weight("bias", shape, "C", self.bias_init)) if self.bias else (weight,)


class ScaleBy(Pointwise):
    """Multiplies all values by a constant; Inception-ResNet scales its residuals this way (Szegedy et al. 2016)."""

    keyword = "scale_by"
    main = "factor"

    factor: Annotated[float, Field(allow_inf_nan=False)]
    """The constant factor."""

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # The nearest class has the largest negated distance; a negative factor reverses the order.
        if self.factor < 0 and inputs[0] is Meaning.DISTANCES:
            return Meaning.NEARNESS
        return inputs[0] if self.factor > 0 else super().means(inputs)
