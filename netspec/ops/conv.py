"""Convolutions."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Self

from pydantic import Field

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Misfit, Weight
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init
from netspec.ops.window import Windowed, check_fit, spatial
from netspec.types import Type

KERNEL_AXES = {1: "T", 2: "HW", 3: "DHW"}


class Conv(Activated, Windowed):
    """A convolution (cross-correlation) over 1, 2 or 3 spatial axes; `groups` splits the channels.

    With g groups, output channels in block j see input channels in block j alone. Output size along an
    axis: relationship 6 of Dumoulin and Visin 2016, with the dilated kernel of their section 5.1.
    """

    keyword: ClassVar[str] = "conv"

    filters: Annotated[int, Field(ge=1)]
    """The channels of the output."""
    groups: Annotated[int, Field(ge=1)] = 1
    """Into how many blocks the channels are split; it divides the input's channels and `filters`."""
    bias: bool = True
    """Whether a number is added to each output channel."""
    init: Init = GLOROT_UNIFORM
    """How the kernel starts."""
    bias_init: Init = ZEROS
    """How the bias starts."""

    def resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self._check_groups(inputs[0])
        axes = self.spread(len(sizes), default_stride=(1,))
        pads = self.resolve_pads(sizes, **axes)
        op = self.replace(**axes, padding=pads, activation=self.resolve_activation(inputs[0].spatial))
        check_fit(op, inputs[0])
        return op

    def _check_groups(self, type_: Type) -> None:
        channels = type_.channels or 0
        for what, count in (("input channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(
                    shapes.GROUPS,
                    f"{count} {what} do not divide into {self.groups} groups",
                    "groups",
                    notes=(f"the input is {type_}, with {self.filters} filters",),
                    help=f"`groups` divides both; here {_common_divisors(channels, self.filters)} do",
                )

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        axes = zip(inputs[0].sizes, self.kernel, self.strides, self.pads, self.dilation, strict=True)
        return (Type(self.filters, tuple(arithmetic.conv_size(*axis) for axis in axes)),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = inputs[0].channels or 0
        shape = (self.filters, channels // self.groups, *self.kernel)
        weight = Weight("weight", shape, "OI" + KERNEL_AXES[len(self.kernel)], self.init)
        return (weight, Weight("bias", (self.filters,), "O", self.bias_init)) if self.bias else (weight,)

    def macs(self, inputs: Inputs) -> int | None:
        window = (inputs[0].channels or 0) // self.groups * prod(self.kernel)
        return self.outputs(inputs)[0].elements * window


def _common_divisors(a: int, b: int) -> str:
    found = [str(n) for n in range(1, min(a, b) + 1) if a % n == 0 and b % n == 0]
    return ", ".join(found[:8]) + (", …" if len(found) > 8 else "")
