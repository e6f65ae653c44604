"""Optimisers as data; their mathematics is PyTorch's on every backend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Sgd(BaseModel):
    """v ← momentum · v + g; w ← w − rate · v, or with Nesterov's look-ahead w ← w − rate · (g + momentum · v)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    kind: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.01
    momentum: Fraction = 0.0
    nesterov: bool = False


class Adam(BaseModel):
    """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    kind: Literal["adam"] = "adam"
    learning_rate: Positive = 0.001
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8


Optimizer = Sgd | Adam
