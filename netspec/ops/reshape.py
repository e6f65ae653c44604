"""Ops that move values about, or leave them alone."""

from __future__ import annotations

from typing import ClassVar, Self

from netspec.ops.base import WHOLE, Inputs, Op, Reach
from netspec.ops.window import indices
from netspec.types import Type


class Flatten(Op):
    """A map becomes a vector, channels first: channel by channel, then row by row."""

    keyword: ClassVar[str] = "flatten"

    def resolve(self, inputs: Inputs) -> Self:
        if inputs[0].channels is None:
            raise indices(self, inputs[0])
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].elements),)

    def reach(self, inputs: Inputs) -> tuple[Reach, ...] | str | None:
        return WHOLE


class Identity(Op):
    """Its input, unchanged: a place to hang a name on."""

    keyword: ClassVar[str] = "identity"

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)
