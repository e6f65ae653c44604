"""The initial weights of a comparison and its learning rates, chosen so that faults show and rounding does not grow."""

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
"""The largest learning rates."""
EPSILON = 1e-3
"""Adam's epsilon. It is large because Adam would otherwise scale the noise of a gradient that is zero in theory (a bias
before a batch norm) up to its learning rate."""


def _between(low: float, high: float) -> Initializer:
    return Initializer.model_construct(kind="uniform", settings=(("low", low), ("high", high)))


SHIFT, SCALE = _between(1 / 4, 1 / 2), _between(1 / 8, 3 / 8)
"""The distributions in place of the zeros and of the ones of a spec."""
ALONE = _between(1.0, 2.0)
"""The distribution in place of zeros for the shift of a normalisation without a scale."""


def start(graph: Graph, seed: int, dtype: Float) -> dict[str, Array]:
    """The initial weights of a comparison: those of `initialise`, except for zeros and ones.

    A backend that ignores a bias of 0 or a scale of 1 would agree with a correct one. So these weights are also drawn,
    and in such a way that the output of a normalisation is mostly positive. With shift 0 and scale 1, a following relu
    cuts off half of every map. Such a network, if it is deep and not trained, is chaotic: each layer multiplies every
    difference, including rounding errors, by up to √(π / (π − 1)) ≈ 1.21 (docs/proof.md). Running statistics start
    as usual.
    """
    return {
        weight.name: drawn(replace(weight, init=_init(node, weight)), seed).astype(dtype)
        for node in graph.nodes
        if node.shares is None
        for weight in node.weights
    }


def _init(node: Node, weight: Weight) -> Initializer:
    """The initialiser of a weight in a comparison; its own one, unless that is constant."""
    if weight.statistic or weight.init.kind not in ("zeros", "ones"):
        return weight.init
    if weight.init.kind == "ones":
        return SCALE
    alone = isinstance(node.op, Normalisation) and not node.op.scale
    return ALONE if alone else SHIFT


def at(rate: float) -> tuple[Optimizer, ...]:
    """SGD with this learning rate, and Adam with an eighth of it."""
    return _optimizers(rate, rate * ADAM_RATE / SGD_RATE)


def suited(loss: float, gradients: Arrays) -> tuple[Optimizer, ...]:
    """SGD and Adam, each with the largest power of two as a learning rate that fits the network.

    A rate fits if the first step, by its linear estimate, does not lower the loss by more than the loss itself:
    rate · |g|² ≤ loss for SGD, rate · Σ g² / (|g| + ε) ≤ loss for Adam. The loss of an untrained network can be so
    steep that with a fixed rate, two runs on one machine that start one ulp apart share only a few digits after three
    steps (docs/proof.md).
    """
    import numpy as np

    # Also for NaN: the comparison reports what is wrong.
    with np.errstate(invalid="ignore", over="ignore"):
        steep = [abs(each.astype("float64")) for each in gradients.values()]
        sgd = sum(float((each * each).sum()) for each in steep)
        adam = sum(float((each * (each / (each + EPSILON))).sum()) for each in steep)
    return _optimizers(_fitting(sgd and loss / sgd, SGD_RATE), _fitting(adam and loss / adam, ADAM_RATE))


def _fitting(rate: float, most: float) -> float:
    """The largest power of two that is at most `rate` and `most`; `most` if `rate` is not a number above 0."""
    return min(most, 2.0 ** floor(log2(rate))) if 0 < rate < inf else most


def _optimizers(sgd: float, adam: float) -> tuple[Optimizer, ...]:
    """The optimisers with constants that are exact in float32, because frameworks store some of them in float32."""
    return (
        Sgd(learning_rate=sgd, momentum=0.875),
        Adam(learning_rate=adam, beta1=0.875, beta2=0.96875, epsilon=EPSILON),
    )
