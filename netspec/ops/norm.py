"""Normalisations."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from netspec.ops.base import Inputs, Weight
from netspec.ops.initializers import ONES, ZEROS
from netspec.ops.pointwise import Pointwise


class BatchNorm(Pointwise):
    """Each channel to mean 0 and variance 1 over the batch and all positions, then scaled and shifted.

    Running statistics: running ← momentum · running + (1 − momentum) · batch, the variance unbiased
    (Ioffe and Szegedy 2015). With `trainable: false` the running statistics are used in training, too.
    """

    keyword: ClassVar[str] = "batch_norm"

    momentum: Annotated[float, Field(ge=0, le=1)] = 0.9
    """How much of the running statistics a step of training keeps."""
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5
    """Added to the variance, so that nothing is divided by 0."""

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (inputs[0].channels or 0,)
        return (
            Weight("weight", shape, "C", ONES),
            Weight("bias", shape, "C", ZEROS),
            Weight("running_mean", shape, "C", ZEROS, trainable=False, statistic=True),
            Weight("running_var", shape, "C", ONES, trainable=False, statistic=True),
        )
