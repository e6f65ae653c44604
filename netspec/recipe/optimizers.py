"""Optimisers as data. Their formulas are those of PyTorch on every backend.

`g` is the gradient, `w` the weight, `rate` the learning rate of the step. A coupled decay adds `weight_decay · w` to
the gradient; a decoupled one (AdamW) takes `rate · weight_decay · w` from the weight before the step.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from netspec.model import Info, RefusedValue, field_validator
from netspec.recipe.model import SMALLEST, Flag, Fraction, Named, NotNegative, Positive, family

__all__ = ["OPTIMIZERS", "SMALLEST", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "Sgd"]


class Sgd(Named):
    """v ← momentum · v + g; w ← w − rate · v, or with Nesterov's look-ahead w ← w − rate · (g + momentum · v)."""

    kind: ClassVar[Literal["sgd"]] = "sgd"
    learning_rate: Positive = 0.01
    momentum: Fraction = 0.0
    nesterov: Flag = False
    weight_decay: NotNegative = 0.0
    """Coupled."""

    @field_validator("nesterov")
    @classmethod
    def _looks_along_a_momentum(cls, nesterov: bool, info: Info) -> bool:
        if nesterov and info.data.get("momentum") == 0:
            raise RefusedValue("nesterov", "`nesterov` needs a momentum, but `momentum` is 0")
        return nesterov


class Adam(Named):
    """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

    kind: ClassVar[Literal["adam"]] = "adam"
    learning_rate: Positive = 0.001
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8
    weight_decay: NotNegative = 0.0
    """Coupled."""


class AdamW(Named):
    """Loshchilov and Hutter 2019, algorithm 2: Adam with decoupled weight decay."""

    kind: ClassVar[Literal["adamw"]] = "adamw"
    learning_rate: Positive = 0.001
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8
    weight_decay: NotNegative = 0.01
    """Decoupled."""


class RMSprop(Named):
    """s ← rho · s + (1 − rho) · g²; w ← w − rate · g / (√s + epsilon). Tieleman and Hinton 2012, lecture 6e.

    With `centered`, the variance s − m² takes the place of s, where m ← rho · m + (1 − rho) · g. With `momentum`, the
    step is v ← momentum · v + g / (√s + epsilon); w ← w − rate · v.
    """

    kind: ClassVar[Literal["rmsprop"]] = "rmsprop"
    learning_rate: Positive = 0.01
    rho: Fraction = 0.99
    momentum: Fraction = 0.0
    centered: Flag = False
    epsilon: Positive = 1e-8
    weight_decay: NotNegative = 0.0
    """Coupled."""


class Adagrad(Named):
    """a ← a + g²; w ← w − rate · g / (√a + epsilon); a starts as `initial`. Duchi, Hazan, Singer 2011."""

    kind: ClassVar[Literal["adagrad"]] = "adagrad"
    learning_rate: Positive = 0.01
    initial: NotNegative = 0.0
    epsilon: Positive = 1e-10
    weight_decay: NotNegative = 0.0
    """Coupled."""


class Adadelta(Named):
    """Zeiler 2012, algorithm 1, with a learning rate: w ← w − rate · √(u + epsilon) / √(s + epsilon) · g."""

    kind: ClassVar[Literal["adadelta"]] = "adadelta"
    learning_rate: Positive = 1.0
    rho: Fraction = 0.9
    epsilon: Positive = 1e-6
    weight_decay: NotNegative = 0.0
    """Coupled."""


Optimizer = Sgd | Adam | AdamW | RMSprop | Adagrad | Adadelta
OPTIMIZERS: dict[str, type[Any]] = family(Sgd, Adam, AdamW, RMSprop, Adagrad, Adadelta)
"""The optimisers by their names in a recipe."""
