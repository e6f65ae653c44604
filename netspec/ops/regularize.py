"""Noise ops, which are active only in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from netspec.model import Field
from netspec.ops.base import Inputs, Moves
from netspec.ops.pointwise import Pointwise


class Noise(Pointwise):
    """An op that changes values randomly in training; otherwise it does nothing."""

    def moves(self, inputs: Inputs) -> Moves | None:
        still = all(getattr(self, name) == value for name, value in self.quiet.items())
        return "positions" if still else None


class Dropout(Noise):
    """In training, sets each value to 0 with probability `rate` and divides the others by 1 − rate.

    Srivastava et al. 2014, with the scaling in training. Outside training it does nothing.
    """

    keyword: ClassVar[str] = "dropout"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a value becomes 0."""


class SpatialDropout(Noise):
    """Like `dropout`, but for whole channels (Tompson et al. 2015)."""

    keyword: ClassVar[str] = "spatial_dropout"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a channel becomes 0."""


class DropPath(Noise):
    """In training, sets whole samples to 0 with probability `rate` and divides the others by 1 − rate.

    At the end of a branch of an `add`, this is stochastic depth (Huang et al. 2016): the sample skips the
    branch. Each sample is drawn by itself, and the scaling takes place in training. Outside training it does nothing.
    """

    keyword: ClassVar[str] = "drop_path"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a sample becomes 0."""


class GaussianNoise(Noise):
    """In training, adds normal noise with mean 0 and standard deviation `std`."""

    keyword: ClassVar[str] = "gaussian_noise"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "std"
    quiet: ClassVar[Mapping[str, object]] = {"std": 0.0}

    std: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """The standard deviation of the noise."""


class MaskInput(Noise):
    """In training, sets each value to 0 with probability `rate` and does not change the others.

    This is the corruption of denoising autoencoders (Vincent et al. 2008).
    """

    keyword: ClassVar[str] = "mask_input"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a value becomes 0."""
