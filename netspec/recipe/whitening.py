"""Whitening as data: a linear map that is measured on the training part, without augmentation, before the training."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from netspec.recipe.model import Named, Positive, family


class Zca(Named):
    """x ← U (Λ + ε)^(−1/2) Uᵀ (x − mean) over all numbers of a sample, with the covariance U Λ Uᵀ of the training part.

    Krizhevsky 2009, appendix A. It comes after `normalise` and before `pad`, whose zeros are then the mean. ε is
    `epsilon`. A sample has at most 4,096 numbers: the covariance takes 8 n² bytes, its decomposition four times that.
    """

    kind: ClassVar[Literal["zca"]] = "zca"
    main: ClassVar[str | None] = "epsilon"
    epsilon: Positive = 0.01


MOST = 4_096
"""The most numbers of a sample that is whitened."""

WHITENINGS: dict[str, type[Any]] = family(Zca)
