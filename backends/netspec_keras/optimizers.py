"""Optimisers for Keras with the mathematics of PyTorch, which is canonical."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from netspec.recipe.optimizers import Adam, Optimizer, Sgd
from netspec_keras.framework import keras, ops


def native(spec: Optimizer) -> Any:
    """A `keras.optimizers.Optimizer` for a recipe.

    Keras' own optimisers differ: they keep constants in float32, include the learning rate in the velocity, and add
    Adam's epsilon before the bias correction.
    """
    return CLASSES[type(spec)](spec)


class Canonical(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Keeps one or two tensors per variable, and computes in the variable's precision.

    The learning rate comes from the recipe, because Keras passes it to `update_step` rounded to float32.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, spec: Any) -> None:
        super().__init__(learning_rate=spec.learning_rate, name=spec.kind)
        self.spec = spec

    def build(self, variables: list[Any]) -> None:
        """Create the tensors for each variable."""
        if self.built:
            return
        super().build(variables)
        self.kept = {
            slot: [self.add_variable_from_reference(each, name=slot) for each in variables]
            for slot in self.slots
        }

    def get_config(self) -> dict[str, Any]:
        """The settings of the recipe."""
        config: dict[str, Any] = self.spec.model_dump()
        return config


class CanonicalSgd(Canonical):
    """v ← momentum · v + g; w ← w − rate · v, or w ← w − rate · (g + momentum · v)."""

    slots = ("velocity",)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        gradient, momentum = ops.convert_to_tensor(gradient), self.spec.momentum
        if momentum:
            kept = self.kept["velocity"][self._get_variable_index(variable)]
            velocity = kept * momentum + gradient
            self.assign(kept, velocity)
            gradient = gradient + velocity * momentum if self.spec.nesterov else velocity
        self.assign_sub(variable, gradient * self.spec.learning_rate)


class CanonicalAdam(Canonical):
    """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

    slots = ("mean", "square")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        # As a whole tensor: the gradient of an embedding comes as rows, some of them twice.
        gradient, spec = ops.convert_to_tensor(gradient), self.spec
        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, variable.dtype)
        mean = self.kept["mean"][index] * spec.beta1 + gradient * (1 - spec.beta1)
        square = self.kept["square"][index] * spec.beta2 + ops.square(gradient) * (1 - spec.beta2)
        self.assign(self.kept["mean"][index], mean)
        self.assign(self.kept["square"][index], square)
        root = ops.sqrt(square) / ops.sqrt(_correction(spec.beta2, step)) + spec.epsilon
        self.assign_sub(variable, mean * (spec.learning_rate / _correction(spec.beta1, step)) / root)


def _correction(beta: float, step: Any) -> Any:
    """1 − betaᵗ, in a form that is exact in float32."""
    return -ops.expm1(step * math.log(beta)) if beta else ops.ones_like(step)


CLASSES: Mapping[type[Optimizer], type[Canonical]] = {Sgd: CanonicalSgd, Adam: CanonicalAdam}
