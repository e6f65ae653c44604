"""Gated activations: one half of the channels decides how much of the other half passes."""

from __future__ import annotations

from typing import Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit, Op
from netspec.ops.reach import Reach
from netspec.types import Type

GateFunction = Literal["tanh", "sigmoid", "relu", "silu", "gelu", "none"]


class Gated(Op):
    """The first half of the channels, through `activation`, times the second half, through `gate`.

    `gated` is tanh · sigmoid (van den Oord et al. 2016); `gated: none` is the gated linear unit, GLU (Dauphin et al.
    2017). `gated: {activation: gelu, gate: none}` is GEGLU, with `silu` it is SwiGLU (Shazeer 2020).
    """

    keyword = "gated"
    main = "activation"
    gives = Meaning.SCORES

    activation: GateFunction = "tanh"
    """The function of the first half."""
    gate: GateFunction = "sigmoid"
    """The function of the second half."""

    def _resolve(self, inputs: Inputs) -> Self:
        channels = inputs[0].channels or 0
        if channels % 2:
            raise Misfit(
                shapes.GROUPS,
                f"{channels} channels cannot be divided into two halves",
                help=f"the input is {inputs[0]}: give the layer before it an even number of channels",
            )
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type((inputs[0].channels or 0) // 2, inputs[0].spatial),)

    def reach(self, inputs: Inputs) -> Reach | None:
        # Each channel depends on two of the input.
        return Reach.each(len(inputs[0].spatial), mixes=(inputs[0].channels == 2))
