"""How long the steps of a comparison are: as long as they may be without blowing rounding up."""

from __future__ import annotations

from math import floor, inf, log2
from typing import TYPE_CHECKING

from netspec.training.optimizers import Adam, Optimizer, Sgd

if TYPE_CHECKING:
    from netspec.backend import Arrays

SGD_RATE, ADAM_RATE = 2**-7, 2**-10
"""The largest rates."""
EPSILON = 1e-3
"""Adam's. Large, because a gradient that is truly zero (a bias before batch norm) is noise, which Adam would
otherwise blow up to its rate."""


def at(rate: float) -> tuple[Optimizer, ...]:
    """SGD of this rate, and Adam of an eighth of it."""
    return _optimizers(rate, rate * ADAM_RATE / SGD_RATE)


def suited(loss: float, gradients: Arrays) -> tuple[Optimizer, ...]:
    """SGD and Adam, each with the largest power of two for a rate that fits the network.

    It fits when the first step, by the slope alone, promises to lower the loss by no more than there is of it:
    rate · |g|² ≤ loss for SGD, rate · Σ g² / (|g| + ε) ≤ loss for Adam. A deep network that has not learnt yet can
    be so steep that a fixed rate throws its weights to where two runs on one machine, an ulp apart at the start,
    share a few digits after three steps (docs/proof.md).
    """
    import numpy as np

    # Also of what is no number: what is wrong with it, the comparison tells.
    with np.errstate(invalid="ignore", over="ignore"):
        steep = [abs(each.astype("float64")) for each in gradients.values()]
        sgd = sum(float((each * each).sum()) for each in steep)
        adam = sum(float((each * (each / (each + EPSILON))).sum()) for each in steep)
    return _optimizers(_fitting(sgd and loss / sgd, SGD_RATE), _fitting(adam and loss / adam, ADAM_RATE))


def _fitting(rate: float, most: float) -> float:
    """The largest power of two up to both; `most` when `rate` is no number above 0."""
    return min(most, 2.0 ** floor(log2(rate))) if 0 < rate < inf else most


def _optimizers(sgd: float, adam: float) -> tuple[Optimizer, ...]:
    """Their constants are those that float32 holds exactly: frameworks keep some of them so."""
    return (
        Sgd(learning_rate=sgd, momentum=0.875),
        Adam(learning_rate=adam, beta1=0.875, beta2=0.96875, epsilon=EPSILON),
    )
