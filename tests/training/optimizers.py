"""The table of optimisers for the tests: of each kind all forms, and the definition in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netspec.recipe.optimizers import Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop, Sgd

Array = np.ndarray[Any, np.dtype[Any]]
Slots = dict[str, Any]
"""What is kept of one weight."""

FORMS: dict[str, list[Optimizer]] = {
    "sgd": [
        Sgd(learning_rate=0.1),
        Sgd(learning_rate=0.1, momentum=0.9),
        Sgd(learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        Sgd(learning_rate=0.1, weight_decay=0.1),
    ],
    "adam": [
        Adam(learning_rate=0.01),
        Adam(learning_rate=0.1, beta1=0.0, beta2=0.5, epsilon=1e-3),
        Adam(learning_rate=0.01, weight_decay=0.1),
    ],
    "adamw": [
        AdamW(learning_rate=0.01),
        AdamW(learning_rate=0.01, beta1=0.8, beta2=0.9, epsilon=1e-4, weight_decay=0.2),
        AdamW(weight_decay=0),
    ],
    "rmsprop": [
        RMSprop(),
        RMSprop(rho=0.9, momentum=0.8, epsilon=1e-3),
        RMSprop(centered=True, weight_decay=0.05),
        RMSprop(centered=True, momentum=0.5),
    ],
    "adagrad": [Adagrad(), Adagrad(initial=0.1, epsilon=1e-3, weight_decay=0.1)],
    "adadelta": [Adadelta(), Adadelta(learning_rate=0.5, rho=0.8, epsilon=1e-4, weight_decay=0.1)],
}
EVERY = [form for forms in FORMS.values() for form in forms]


def sgd(spec: Sgd, kept: Slots, gradient: Array, rate: float) -> Any:
    kept["velocity"] = spec.momentum * kept.get("velocity", 0) + gradient
    velocity: Array = kept["velocity"]
    return rate * (gradient + spec.momentum * velocity if spec.nesterov else velocity)


def adam(spec: Adam | AdamW, kept: Slots, gradient: Array, rate: float) -> Any:
    kept["steps"] = step = kept.get("steps", 0) + 1
    kept["mean"] = spec.beta1 * kept.get("mean", 0) + (1 - spec.beta1) * gradient
    kept["square"] = spec.beta2 * kept.get("square", 0) + (1 - spec.beta2) * gradient**2
    mean, square = kept["mean"] / (1 - spec.beta1**step), kept["square"] / (1 - spec.beta2**step)
    return rate * mean / (np.sqrt(square) + spec.epsilon)


def rmsprop(spec: RMSprop, kept: Slots, gradient: Array, rate: float) -> Any:
    kept["square"] = spec.rho * kept.get("square", 0) + (1 - spec.rho) * gradient**2
    kept["mean"] = spec.rho * kept.get("mean", 0) + (1 - spec.rho) * gradient
    square = kept["square"] - kept["mean"] ** 2 if spec.centered else kept["square"]
    kept["velocity"] = spec.momentum * kept.get("velocity", 0) + gradient / (np.sqrt(square) + spec.epsilon)
    return rate * kept["velocity"]


def adagrad(spec: Adagrad, kept: Slots, gradient: Array, rate: float) -> Any:
    kept["sum"] = kept.get("sum", spec.initial) + gradient**2
    return rate * gradient / (np.sqrt(kept["sum"]) + spec.epsilon)


def adadelta(spec: Adadelta, kept: Slots, gradient: Array, rate: float) -> Any:
    kept["square"] = spec.rho * kept.get("square", 0) + (1 - spec.rho) * gradient**2
    before = kept.get("change", 0)
    step = np.sqrt(before + spec.epsilon) / np.sqrt(kept["square"] + spec.epsilon) * gradient
    kept["change"] = spec.rho * before + (1 - spec.rho) * step**2
    return rate * step


CHANGES: Mapping[str, Callable[[Any, Slots, Array, float], Array]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adam,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adadelta": adadelta,
}


def stepped(
    spec: Optimizer, weight: Array, kept: Slots, gradient: Array, rate: float, decay: float | None = None
) -> Array:
    """The weight after a step."""
    decay = spec.weight_decay if decay is None else decay
    if spec.kind == "adamw":
        return weight * (1 - rate * decay) - CHANGES[spec.kind](spec, kept, gradient, rate)
    return weight - CHANGES[spec.kind](spec, kept, gradient + decay * weight, rate)
