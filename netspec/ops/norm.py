"""Normalisations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from netspec.diagnostics.codes import shapes, structure
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Weight
from netspec.ops.initializers import ONES, ZEROS, Init, Initializer
from netspec.ops.pointwise import Pointwise
from netspec.ops.reach import Reach
from netspec.ops.window import KERNEL_AXES
from netspec.types import LARGEST_FLOAT, in_full

Epsilon = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Normalisation(Pointwise):
    """The common part of trainable normalisations: one scale and one shift per channel, both optional."""

    epsilon: Epsilon = 1e-5
    """A constant that is added to the variance, to avoid a division by 0."""
    scale: bool = True
    """Whether each channel has a trainable factor."""
    center: bool = True
    """Whether each channel has a trainable shift."""

    def learnt(self, shape: tuple[int, ...], axes: str = "C") -> tuple[Weight, ...]:
        """The scale and the shift, if the layer has them."""
        weight = (Weight("weight", shape, axes, ONES),) if self.scale else ()
        bias = (Weight("bias", shape, axes, ZEROS),) if self.center else ()
        return weight + bias


def check_variance(op: Normalisation, count: int, field: str) -> None:
    """Refuse to normalise single values: each would become 0.

    Raises:
        Misfit: only one value is normalised together.
    """
    if count < 2:
        raise Misfit(
            shapes.SIZE, f"`{op.keyword}` would normalise each value by itself, and a single value has no variance",
            field, help="normalise more values together",
        )  # fmt: skip


class BatchNorm(Normalisation):
    """Normalises each channel to mean 0 and variance 1 over the batch and all positions, then scales and shifts it.

    Running statistics: running ← momentum · running + (1 − momentum) · batch, with the unbiased variance
    (Ioffe and Szegedy 2015). With `trainable: false`, training uses the running statistics, too.
    """

    keyword = "batch_norm"

    momentum: Annotated[float, Field(ge=0, le=1)] = 0.9
    """The fraction of the running statistics that a training step keeps."""

    def doubts(self) -> Sequence[Misfit]:
        if self.momentum >= 0.5:
            return ()
        kept, taken = in_full(self.momentum), in_full(round(1 - self.momentum, 12))
        message = (
            f"`momentum` is the fraction of the running statistics that a step keeps, and {kept} is small"
        )
        how = f"for PyTorch's {kept}, which is the fraction of the new batch, write `momentum: {taken}`"
        return (Misfit(structure.MOMENTUM, message, "momentum", help=how),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (inputs[0].channels or 0,)
        return (
            *self.learnt(shape),
            Weight("running_mean", shape, "C", ZEROS, trainable=False, statistic=True),
            Weight("running_var", shape, "C", ONES, trainable=False, statistic=True),
        )


class LayerNorm(Normalisation):
    """Normalises each sample to mean 0 and variance 1: over the channels of each position, or over all values.

    Ba et al. 2016. With `over: everything`, scale and shift have the shape of the sample.
    """

    keyword = "layer_norm"

    over: Literal["channels", "everything"] = "channels"
    """The values that are normalised together."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        count = inputs[0].channels if self.over == "channels" else inputs[0].elements
        check_variance(self, count or 0, "over")
        return self

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        if self.over == "channels" or not inputs[0].spatial:
            return self.learnt((inputs[0].channels or 0,))
        return self.learnt(inputs[0].shape, "C" + KERNEL_AXES[len(inputs[0].spatial)])

    def reach(self, inputs: Inputs) -> Reach | None:
        rank = len(inputs[0].spatial)
        return Reach.whole(rank, mixes=True) if self.over == "everything" else Reach.each(rank, mixes=True)


class GroupNorm(Normalisation):
    """Normalises each group of channels of a sample to mean 0 and variance 1 over its positions (Wu and He 2018).

    With as many groups as channels, this is `instance_norm`.
    """

    keyword = "group_norm"
    main = "groups"

    groups: Annotated[int, Field(ge=1)] = 32
    """The number of groups of channels."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        channels = inputs[0].channels or 0
        if channels % self.groups:
            raise Misfit(
                shapes.GROUPS, f"{channels} channels cannot be divided into {self.groups} groups", "groups",
                help=f"the input is {inputs[0]}: use a divisor of {channels}",
            )  # fmt: skip
        check_variance(self, inputs[0].elements // self.groups, "groups")
        return self

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.learnt((inputs[0].channels or 0,))

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.whole(len(inputs[0].spatial))


class InstanceNorm(Normalisation):
    """Normalises each channel of a sample to mean 0 and variance 1 over its positions (Ulyanov et al. 2016).

    (x − mean) / √(variance + epsilon), with the variance of all positions, also outside training.
    """

    keyword = "instance_norm"

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        if not inputs[0].spatial:
            raise Misfit(
                shapes.RANK, f"`instance_norm` normalises over positions; its input {inputs[0]} is a vector",
                help="use `layer_norm`, which normalises over the channels",
            )  # fmt: skip
        if inputs[0].elements == inputs[0].channels:
            raise Misfit(
                shapes.SIZE,
                f"`instance_norm` would normalise each value by itself: {inputs[0]} has one position, and a single "
                "value has no variance",
                help="use `layer_norm`, which normalises over the channels",
            )
        return self

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return self.learnt((inputs[0].channels or 0,))

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.whole(len(inputs[0].spatial), mixes=False)


class RmsNorm(Pointwise):
    """Divides by the root of the mean of the squares: over the channels of each position, or over the whole sample.

    x / √(mean of x² + epsilon), then a trainable factor; it subtracts no mean (Zhang and Sennrich 2019, equation 4).
    Without an epsilon PyTorch takes that of its number type, about 1.2e-7 in float32; Keras takes 1e-6, as here. With
    `over: everything`, the factors have the shape of the sample.
    """

    keyword = "rms_norm"

    over: Literal["channels", "everything"] = "channels"
    """The values that are normalised together."""
    epsilon: Epsilon = 1e-6
    """A constant that is added to the mean of the squares, to avoid a division by 0."""
    scale: bool = True
    """Whether each channel has a trainable factor."""

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        if not self.scale:
            return ()
        if self.over == "channels" or not inputs[0].spatial:
            return (Weight("weight", (inputs[0].channels or 0,), "C", ONES),)
        return (Weight("weight", inputs[0].shape, "C" + KERNEL_AXES[len(inputs[0].spatial)], ONES),)

    def reach(self, inputs: Inputs) -> Reach | None:
        rank = len(inputs[0].spatial)
        return Reach.whole(rank, mixes=True) if self.over == "everything" else Reach.each(rank, mixes=True)


class LocalResponseNorm(Pointwise):
    """Divides each value by (bias + alpha · Σ x²)^beta, where the sum is over `size` neighbouring channels.

    This is the formula of Krizhevsky et al. 2012. Frameworks multiply alpha by the mean of the squares
    (`average: true`), so their alpha is `size` times that of the paper. The window of channel c is
    c − ⌊size/2⌋ … c + ⌊(size − 1)/2⌋; channels outside the input count as 0.
    """

    keyword = "local_response_norm"

    size: Annotated[int, Field(ge=1)] = 5
    """The number of neighbouring channels in the sum."""
    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-4
    """The factor of the sum, or mean, of the squares."""
    beta: Finite = 0.75
    """The exponent of the divisor."""
    bias: Epsilon = 2.0
    """The constant that is added before the exponent is applied; k in the paper."""
    average: bool = False
    """Whether alpha multiplies the mean of the squares (as in frameworks) instead of their sum (as in the paper)."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        if not self.average and self.alpha * self.size > LARGEST_FLOAT:
            raise Misfit(
                shapes.TOO_LARGE,
                f"alpha · size, which is the alpha of frameworks, is {self.alpha * self.size:g}; the largest "
                "number of float32 is 3.4e38",
                "alpha",
                help="use a smaller number",
            )
        return self


TWENTY = Initializer.model_construct(kind="constant", settings=(("value", 20.0),))


class L2Norm(Pointwise):
    """Scales the channels of each position to length 1, then each channel by a trainable factor (Liu et al. 2015).

    x / √(Σ x² + epsilon).
    """

    keyword = "l2_norm"

    epsilon: Epsilon = 1e-12
    """A constant that is added to the sum of the squares, to avoid a division by 0."""
    init: Init = TWENTY
    """The initialiser of the factors."""

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("weight", (inputs[0].channels or 0,), "C", self.init),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)
