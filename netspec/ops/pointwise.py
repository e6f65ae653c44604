"""Ops that keep the type of their input."""

from __future__ import annotations

from netspec.ops.base import Inputs, Op
from netspec.types import Type


class Pointwise(Op):
    """An op whose output has the type of its input, which holds numbers."""

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)
