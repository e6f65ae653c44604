"""Optimisers for Keras whose mathematics is the canonical one, PyTorch's, to the last bit that matters."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from netspec.training.optimizers import Adam, Optimizer, Sgd
from netspec_keras.engine import load

if TYPE_CHECKING:
    from collections.abc import Callable


def native(spec: Optimizer) -> Any:
    """A `keras.optimizers.Optimizer` that does what the recipe says.

    Keras' own differ: they keep constants in single precision, put the learning rate inside the velocity, and
    add Adam's epsilon before the bias is corrected.
    """
    return _classes()[type(spec)](spec)


@cache
def _classes() -> dict[type[Optimizer], Callable[[Any], Any]]:
    keras = load()
    ops = keras.ops

    class Rate(keras.optimizers.schedules.LearningRateSchedule):
        """A learning rate that is not rounded to single precision on the way."""

        def __init__(self, value: float) -> None:
            self.value = value

        def __call__(self, step: Any) -> float:
            return self.value

        def get_config(self) -> dict[str, Any]:
            return {"value": self.value}

    class Canonical(keras.optimizers.Optimizer):
        """Keeps a tensor or two for each variable, and does its arithmetic in the variable's precision."""

        slots: tuple[str, ...] = ()

        def __init__(self, spec: Any) -> None:
            super().__init__(learning_rate=Rate(spec.learning_rate), name=spec.kind)
            self.spec = spec

        def build(self, variables: list[Any]) -> None:
            if self.built:
                return
            super().build(variables)
            for slot in self.slots:
                setattr(self, slot, [self.add_variable_from_reference(each, name=slot) for each in variables])

        def kept(self, slot: str, variable: Any) -> Any:
            """What is kept for a variable."""
            return getattr(self, slot)[self._get_variable_index(variable)]

        def get_config(self) -> dict[str, Any]:
            return self.spec.model_dump()

    class CanonicalSgd(Canonical):
        """v ← momentum · v + g; w ← w − rate · v, or w ← w − rate · (g + momentum · v)."""

        slots = ("velocity",)

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            gradient = ops.convert_to_tensor(gradient)
            momentum = self.spec.momentum
            if momentum:
                velocity = self.kept("velocity", variable)
                self.assign(velocity, velocity * momentum + gradient)
                gradient = gradient + velocity * momentum if self.spec.nesterov else ops.convert_to_tensor(velocity)
            self.assign_sub(variable, gradient * self.spec.learning_rate)

    class CanonicalAdam(Canonical):
        """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

        slots = ("first", "second")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            # Also densifies: the gradient of an embedding comes as rows, some of them twice.
            gradient = ops.convert_to_tensor(gradient)
            spec, first, second = self.spec, self.kept("first", variable), self.kept("second", variable)
            step = ops.cast(self.iterations + 1, variable.dtype)
            self.assign(first, first * spec.beta1 + gradient * (1 - spec.beta1))
            self.assign(second, second * spec.beta2 + ops.square(gradient) * (1 - spec.beta2))
            root = ops.sqrt(second) / ops.sqrt(_correction(spec.beta2, step)) + spec.epsilon
            self.assign_sub(variable, first * (spec.learning_rate / _correction(spec.beta1, step)) / root)

    def _correction(beta: float, step: Any) -> Any:
        """1 − betaᵗ, in a form that is exact in single precision, too."""
        return -ops.expm1(step * math.log(beta)) if beta else ops.ones_like(step)

    return {Sgd: CanonicalSgd, Adam: CanonicalAdam}
