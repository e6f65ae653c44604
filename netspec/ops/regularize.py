"""Noise that is there in training alone."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from netspec.ops.pointwise import Pointwise


class Dropout(Pointwise):
    """In training each value is 0 with probability `rate`, the others are divided by 1 − rate.

    Srivastava et al. 2014, with the scaling moved to training. Elsewhere it does nothing.
    """

    keyword: ClassVar[str] = "dropout"
    main: ClassVar[str | None] = "rate"

    rate: Annotated[float, Field(ge=0, lt=1)]
    """The probability that a value becomes 0."""
