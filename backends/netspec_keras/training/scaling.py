"""The factor of losses in float16, in which small gradients would be 0: that of PyTorch's `GradScaler`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netspec_keras.framework import keras, ops

FIRST = 2.0**16
STEPS = 2000
"""After so many steps with finite gradients, the factor is doubled."""


class Scaler:
    """Scales losses, and gradients back.

    A step whose gradients are not finite changes nothing, and halves the factor.
    """

    def __init__(self) -> None:
        self.factor = keras.Variable(FIRST, dtype="float32", trainable=False, name="scale")
        self.finite_steps = keras.Variable(0, dtype="int32", trainable=False, name="finite_steps")

    @property
    def variables(self) -> list[Any]:
        """What changes in a step."""
        return [self.factor, self.finite_steps]

    def back(self, slopes: Sequence[Any]) -> tuple[list[Any], Any]:
        """The gradients of the loss itself, and whether all of them are finite."""
        factor = ops.convert_to_tensor(self.factor)
        found = [ops.convert_to_tensor(each) / factor for each in slopes]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(each)) for each in found]))
        return found, finite

    def update(self, finite: Any) -> None:
        """Choose the factor of the next step."""
        count = ops.where(finite, self.finite_steps + 1, 0)
        grows = ops.equal(count, STEPS)
        factor = ops.convert_to_tensor(self.factor)
        self.factor.assign(ops.where(grows, factor * 2, ops.where(finite, factor, factor * 0.5)))
        self.finite_steps.assign(ops.where(grows, 0, count))
