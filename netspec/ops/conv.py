"""Convolutions: full, grouped, with a table of connections, depthwise, separable."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd, prod
from typing import Annotated, ClassVar, Self

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.activation import Activated
from netspec.ops.base import Inputs, Meaning, Misfit, Weight
from netspec.ops.fields import Table
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init
from netspec.ops.reach import Reach
from netspec.ops.window import KERNEL_AXES, Windowed, check_fit, spatial
from netspec.types import Type

WHOLE_MATRICES = ("orthogonal", "bilinear")
"""Initialisers that determine all weights between the channels together."""


class Convolution(Activated, Windowed):
    """The common part of convolutions: a window with weights, a bias, an activation.

    Output size along an axis: relationship 6 of Dumoulin and Visin 2016, with the dilated kernel of their
    section 5.1.
    """

    gives = Meaning.SCORES
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {"bias_init": ("bias", False)}

    bias: bool = True
    """Whether a bias is added to each output channel."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the kernel."""
    bias_init: Init = ZEROS
    """The initialiser of the bias."""

    def maps(self, channels: int) -> int:
        """The number of output channels for this number of input channels."""
        raise NotImplementedError

    def check_channels(self, type_: Type) -> None:
        """Refuse input channels that do not fit the fields."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self.check_channels(inputs[0])
        axes = self.spread(len(sizes), default_stride=(1,))
        pads = self.resolve_pads(sizes, **axes)
        op = self.padded(pads, **axes, activation=self.resolve_activation(inputs[0].spatial))
        check_fit(op, inputs[0])
        return op

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        axes = zip(inputs[0].sizes, self.kernel, self.strides, self.pads, self.dilation, strict=True)
        sizes = tuple(arithmetic.conv_size(*axis) for axis in axes)
        return (Type(self.maps(inputs[0].channels or 0), sizes),)

    @property
    def axes(self) -> str:
        """The letters of the kernel's spatial axes. The op must be resolved."""
        return KERNEL_AXES[len(self.kernel)]

    def with_bias(self, weights: tuple[Weight, ...], channels: int, name: str = "bias") -> tuple[Weight, ...]:
        """These weights, followed by the bias if there is one."""
        return (*weights, Weight(name, (channels,), "O", self.bias_init)) if self.bias else weights


class Conv(Convolution):
    """A convolution (cross-correlation) over 1, 2 or 3 spatial axes.

    With `groups: g`, the output channels in block j are connected only to the input channels in block j. A `table`
    has one list per filter: filter j is connected to the input channels in its list (LeCun et al. 1998, table I).
    There are weights only for these connections, filter by filter.
    """

    keyword = "conv"
    width = "filters"

    filters: Annotated[int, Field(ge=1)]
    """The number of output channels."""
    groups: Annotated[int, Field(ge=1)] = 1
    """The number of blocks of channels; it divides the input channels and `filters`."""
    table: Table | None = None
    """For each filter, the input channels that it is connected to, counted from 0."""

    def maps(self, channels: int) -> int:
        return self.filters

    def check_channels(self, type_: Type) -> None:
        check_groups(self.groups, type_, self.filters)
        if self.table is not None:
            self._check_table(self.table, type_)

    def _check_table(self, table: Table, type_: Type) -> None:
        channels = type_.channels or 0
        if self.groups > 1:
            raise Misfit(
                shapes.GROUPS,
                "`table` and `groups` both choose the inputs of a filter",
                "table",
                help="keep one",
            )
        if len(table) != self.filters:
            raise Misfit(
                shapes.TABLE,
                f"`table` has {len(table)} lists for {self.filters} filters",
                "table",
                help="write one list per filter",
            )
        for row, sees in enumerate(table):
            if not sees or len(set(sees)) < len(sees) or max(sees) >= channels:
                raise Misfit(
                    shapes.TABLE,
                    f"filter {row} of `table` has the channels {list(sees)}; the input has 0 to {channels - 1}",
                    "table",
                    help="list each channel of the filter once, counted from 0",
                )
        if self.init.kind in WHOLE_MATRICES:
            raise Misfit(
                shapes.TABLE,
                f"`init: {self.init.kind}` needs all connections, and `table` leaves some out",
                "init",
                help="use an initialiser that draws each weight independently, such as `glorot_uniform`",
            )

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = inputs[0].channels or 0
        if self.table is None:
            shape = (self.filters, channels // self.groups, *self.kernel)
            weight = Weight("weight", shape, "OI" + self.axes, self.init, groups=self.groups)
            return self.with_bias((weight,), self.filters)
        count = sum(map(len, self.table))
        window = prod(self.kernel)
        fans = (Fraction(count * window, self.filters), Fraction(count * window, channels))
        weight = Weight("weight", (count, *self.kernel), "N" + self.axes, self.init, fans=fans)
        return self.with_bias((weight,), self.filters)

    def macs(self, inputs: Inputs) -> int | None:
        channels = inputs[0].channels or 0
        sees = self.filters * channels // self.groups if self.table is None else sum(map(len, self.table))
        return prod(self.outputs(inputs)[0].sizes) * sees * prod(self.kernel)

    def reach(self, inputs: Inputs) -> Reach | None:
        if self.table is None:
            return self.windows(mixes=self.groups == 1)
        # The channels of a row exist and are unique, so their number shows whether the row has all of them.
        channels = inputs[0].channels or 0
        mixes = all(len(sees) == channels for sees in self.table)
        return self.windows(
            mixes=mixes, splits=len({each for sees in self.table for each in sees}) < channels
        )


class DepthwiseConv(Convolution):
    """Convolves each input channel with `multiplier` kernels of its own; channel c gives c·multiplier and following."""

    keyword = "depthwise_conv"
    main = "kernel"

    multiplier: Annotated[int, Field(ge=1)] = 1
    """The number of output channels of the depthwise part for each input channel."""

    def maps(self, channels: int) -> int:
        return channels * self.multiplier

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = inputs[0].channels or 0
        maps = self.maps(channels)
        weight = Weight("weight", (maps, 1, *self.kernel), "OI" + self.axes, self.init, groups=channels)
        return self.with_bias((weight,), maps)

    def macs(self, inputs: Inputs) -> int | None:
        return self.outputs(inputs)[0].elements * prod(self.kernel)


class SeparableConv(Convolution):
    """A depthwise convolution without bias, followed by a 1×1 convolution over the channels (Chollet 2016)."""

    keyword = "separable_conv"
    width = "filters"

    filters: Annotated[int, Field(ge=1)]
    """The number of output channels."""
    multiplier: Annotated[int, Field(ge=1)] = 1
    """The number of output channels of the depthwise part for each input channel."""

    def maps(self, channels: int) -> int:
        return self.filters

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = inputs[0].channels or 0
        between = channels * self.multiplier
        one = (1,) * len(self.kernel)
        shape = (between, 1, *self.kernel)
        weights = (
            Weight("depthwise.weight", shape, "OI" + self.axes, self.init, groups=channels),
            Weight("pointwise.weight", (self.filters, between, *one), "OI" + self.axes, self.init),
        )
        return self.with_bias(weights, self.filters, "pointwise.bias")

    def macs(self, inputs: Inputs) -> int | None:
        between = (inputs[0].channels or 0) * self.multiplier
        return prod(self.outputs(inputs)[0].sizes) * between * (prod(self.kernel) + self.filters)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.windows(mixes=True)


def check_groups(groups: int, type_: Type, filters: int) -> None:
    """Refuse groups that do not divide both the input channels and the filters.

    Raises:
        Misfit: the groups do not fit.
    """
    channels = type_.channels or 0
    for what, count in (("input channels", channels), ("filters", filters)):
        if count % groups:
            raise Misfit(
                shapes.GROUPS,
                f"{count} {what} cannot be divided into {groups} groups",
                "groups",
                notes=(f"the input is {type_}, with {filters} filters",),
                help=_fitting_groups(channels, filters),
            )


def _fitting_groups(channels: int, filters: int) -> str:
    """Advice with some valid values of `groups`: only the smallest, because finding all can take long."""
    common = gcd(channels, filters)
    found = [n for n in range(1, min(common, 1000) + 1) if common % n == 0]
    written = " or ".join(f"`groups: {n}`" for n in found[:4])
    more = ", …" if len(found) > 4 or common > 1000 else ""
    return f"use {written}{more}: it must divide the input channels and the filters"
