"""Noise that is there in training alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from netspec.ops.base import Inputs, Moves
from netspec.ops.pointwise import Pointwise


class Noise(Pointwise):
    """An op that changes numbers at random in training, and passes them on elsewhere."""

    def moves(self, inputs: Inputs) -> Moves | None:
        still = all(getattr(self, name) == value for name, value in self.quiet.items())
        return "positions" if still else None


class Dropout(Noise):
    """In training each value is 0 with probability `rate`, the others are divided by 1 − rate.

    Srivastava et al. 2014, with the scaling moved to training. Elsewhere it does nothing.
    """

    keyword: ClassVar[str] = "dropout"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a value becomes 0."""


class SpatialDropout(Noise):
    """As `dropout`, but whole channels at a time (Tompson et al. 2015)."""

    keyword: ClassVar[str] = "spatial_dropout"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a channel becomes 0."""


class GaussianNoise(Noise):
    """In training adds normal noise of mean 0 and this standard deviation."""

    keyword: ClassVar[str] = "gaussian_noise"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "std"
    quiet: ClassVar[Mapping[str, object]] = {"std": 0.0}

    std: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """The standard deviation of the noise."""


class MaskInput(Noise):
    """In training each value is 0 with probability `rate`, the others stay as they are.

    The corruption of denoising autoencoders (Vincent et al. 2008).
    """

    keyword: ClassVar[str] = "mask_input"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "rate"
    quiet: ClassVar[Mapping[str, object]] = {"rate": 0.0}

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a value becomes 0."""
