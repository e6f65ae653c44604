"""What a comparison starts from, and how long its steps are: so that everything is seen and rounding stays rounding."""

from __future__ import annotations

from dataclasses import replace
from math import floor, inf, log2
from typing import TYPE_CHECKING

from netspec.graph import Graph, Node
from netspec.ops.base import Weight
from netspec.ops.initializers import Initializer
from netspec.ops.norm import Normalisation
from netspec.recipe.optimizers import Adam, Optimizer, Sgd
from netspec.weights import drawn

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float

SGD_RATE, ADAM_RATE = 2**-7, 2**-10
"""The largest rates."""
EPSILON = 1e-3
"""Adam's. Large, because a gradient that is truly zero (a bias before batch norm) is noise, which Adam would
otherwise blow up to its rate."""


def _between(low: float, high: float) -> Initializer:
    return Initializer.model_construct(kind="uniform", settings=(("low", low), ("high", high)))


SHIFT, SCALE = _between(1 / 4, 1 / 2), _between(1 / 8, 3 / 8)
"""In place of a spec's zeros, and of its ones."""
ALONE = _between(1.0, 2.0)
"""In place of the zeros that shift a normalisation without a scale."""


def start(graph: Graph, seed: int, dtype: Float) -> dict[str, Array]:
    """The weights that a comparison starts from: as `initialise`, but for what a spec lets start as zeros and ones.

    A backend that forgot a bias of 0 or a scale of 1 would agree with one that did not. So these are drawn, too;
    and drawn so that what a normalisation gives is mostly positive. Behind one that starts at 0 and 1 a relu cuts
    half of every map off, and such a network, deep and not trained, is chaotic: from layer to layer it multiplies
    every difference, rounding included, by up to √(π / (π − 1)) ≈ 1.21 (docs/proof.md). Statistics start as they
    do everywhere.
    """
    return {
        weight.name: drawn(replace(weight, init=_init(node, weight)), seed).astype(dtype)
        for node in graph.nodes
        if node.shares is None
        for weight in node.weights
    }


def _init(node: Node, weight: Weight) -> Initializer:
    """What a weight is drawn from; its own initialiser, if that tells one number from another."""
    if weight.statistic or weight.init.kind not in ("zeros", "ones"):
        return weight.init
    if weight.init.kind == "ones":
        return SCALE
    alone = isinstance(node.op, Normalisation) and not node.op.scale
    return ALONE if alone else SHIFT


def at(rate: float) -> tuple[Optimizer, ...]:
    """SGD of this rate, and Adam of an eighth of it."""
    return _optimizers(rate, rate * ADAM_RATE / SGD_RATE)


def suited(loss: float, gradients: Arrays) -> tuple[Optimizer, ...]:
    """SGD and Adam, each with the largest power of two for a rate that fits the network.

    It fits when the first step, by the slope alone, promises to lower the loss by no more than there is of it:
    rate · |g|² ≤ loss for SGD, rate · Σ g² / (|g| + ε) ≤ loss for Adam. A network that has not learnt yet can be so
    steep that a fixed rate throws its weights to where two runs on one machine, an ulp apart at the start, share a
    few digits after three steps (docs/proof.md).
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
