"""Ops on indices of a vocabulary."""

from __future__ import annotations

from typing import Annotated, Self

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Meaning, Misfit, Op, Weight, check_no_kernel
from netspec.ops.initializers import GLOROT_UNIFORM, Init
from netspec.ops.reach import Reach
from netspec.ops.roles import Role
from netspec.types import Type

INDICES = Role("indices", takes=("indices",))


def vocabulary(type_: Type) -> int:
    """The number of different indices of a tensor of indices."""
    assert type_.vocabulary is not None
    return type_.vocabulary


class Embedding(Op):
    """A trainable vector for each index of the vocabulary: indices @ sizes → units @ sizes.

    The vectors are the rows of `weight`, which is that of a `dense` without a bias from `units` channels to the
    vocabulary: `dense: {units: …, bias: false}` with `share: NAME` beside it uses them (Press and Wolf 2017).
    """

    keyword = "embedding"
    inputs = (INDICES,)
    width = "units"
    gives = Meaning.SCORES
    main = "units"

    units: Annotated[int, Field(ge=1)]
    """The length of each vector: the number of output channels."""
    padding_index: Annotated[int, Field(ge=0)] | None = None
    """An index whose vector starts at 0, and does not learn from where it is looked up."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the vectors."""

    def _resolve(self, inputs: Inputs) -> Self:
        check_no_kernel(self.init)
        count = vocabulary(inputs[0])
        if self.padding_index is not None and self.padding_index >= count:
            raise Misfit(
                shapes.SIZE,
                f"`padding_index: {self.padding_index}` is outside of the vocabulary: indices go from 0 to {count - 1}",
                "padding_index",
                help=f"use an index from 0 to {count - 1}, or a vocabulary of {self.padding_index + 1}",
            )
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.units, inputs[0].spatial),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (vocabulary(inputs[0]), self.units)
        return (Weight("weight", shape, "IO", self.init, zero=self.padding_index),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)


class OneHot(Op):
    """A channel for each index of the vocabulary: 1 in the channel of the index, 0 in all others."""

    keyword = "one_hot"
    inputs = (INDICES,)
    gives = Meaning.PROBABILITIES

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(vocabulary(inputs[0]), inputs[0].spatial),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)
