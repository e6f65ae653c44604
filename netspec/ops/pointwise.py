"""Ops that keep the type of their input."""

from __future__ import annotations

from typing import ClassVar

from netspec.ops.base import Inputs, Moves, Op
from netspec.types import Type


class Pointwise(Op):
    """An op whose output has the type of its input, which holds numbers."""

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)


class Activation(Pointwise):
    """A function that can also be the `activation` of another layer."""

    squashes: ClassVar[Moves | None] = None
    """For a function that turns logits into probabilities: whether it works on single values or on positions."""
