"""Ops that keep the type of their input."""

from __future__ import annotations

from typing import Self

from netspec.ops.base import Inputs, Op
from netspec.ops.window import indices
from netspec.types import Type


class Pointwise(Op):
    """An op whose output has the type of its input, which holds numbers."""

    def resolve(self, inputs: Inputs) -> Self:
        if inputs[0].channels is None:
            raise indices(self, inputs[0])
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)
