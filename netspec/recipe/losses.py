"""Losses as data. A loss is Σ w · l / Σ w over all elements of the batch: samples, and positions of maps and sequences.

`x` are the network's outputs (logits where the loss says so), `t` the targets. All have a `weight` in the sum of the
losses of a recipe.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from netspec.recipe.model import (
    Flag,
    Fraction,
    Named,
    NotNegative,
    Number,
    Positive,
    Whole,
    Word,
    family,
    listed,
)


class Loss(Named):
    """What all losses have."""

    weight: Positive = 1.0
    target: Annotated[Word | None, Field(description="the name of a target of the data")] = None


class CrossEntropy(Loss):
    """−Σ q log softmax(x) over the classes, with q = (1 − smoothing) · t + smoothing / classes; of logits.

    Targets are class indices, one per element, or with `soft` a distribution over the classes. Elements with the index
    `ignore` have the weight 0. With `class_weights`, elements have their class's weight, in the sum of weights too;
    `median_frequency` is Eigen and Fergus 2015: the median of the classes' frequencies in the training part, divided by
    the frequency of the class. With `lengths`, the name of an input of the network, steps from the length on have the
    weight 0.
    """

    kind: ClassVar[Literal["cross_entropy"]] = "cross_entropy"
    smoothing: Fraction = 0.0
    soft: Flag = False
    ignore: Annotated[Whole | None, Field(description="a class index from 0, in the targets")] = None
    class_weights: Annotated[
        Literal["median_frequency"] | Annotated[tuple[NotNegative, ...], BeforeValidator(listed)] | None,
        Field(description="`median_frequency`, or a list with one number per class"),
    ] = None
    lengths: Annotated[Word | None, Field(description="the name of an input")] = None


class BinaryCrossEntropy(Loss):
    """−(p · t · log σ(x) + (1 − t) · log(1 − σ(x))) for every number; of logits. `p` is `positive_weight`."""

    kind: ClassVar[Literal["binary_cross_entropy"]] = "binary_cross_entropy"
    positive_weight: Positive = 1.0
    smoothing: Fraction = 0.0
    lengths: Annotated[Word | None, Field(description="the name of an input")] = None


class Focal(Loss):
    """−α_t · (1 − p_t)^gamma · log p_t, with p_t the probability of the true class. Lin et al. 2017.

    Of logits: one number per class for class indices (`alpha` applies to all), one number for binary targets (`alpha`
    for 1, 1 − `alpha` for 0).
    """

    kind: ClassVar[Literal["focal"]] = "focal"
    gamma: NotNegative = 2.0
    alpha: Annotated[float, Field(gt=0, le=1, description="a number above 0, at most 1")] = 0.25
    ignore: Annotated[Whole | None, Field(description="a class index from 0, in the targets")] = None


class Dice(Loss):
    """1 − (2 · Σ p · t + smooth) / (Σ p + Σ t + smooth), by sample and class, then the mean. Milletari et al. 2016.

    Of logits: p is a softmax over the classes of a map, or a sigmoid for one channel.
    """

    kind: ClassVar[Literal["dice"]] = "dice"
    smooth: NotNegative = 1.0
    squared: Flag = False
    """Σ p² + Σ t² in the denominator, as in the paper."""


class Overlap(Loss):
    """1 − (Σ p · t + smooth) / (Σ p + Σ t − Σ p · t + smooth), by sample and class, the mean of them: soft IoU."""

    kind: ClassVar[Literal["iou"]] = "iou"
    smooth: NotNegative = 1.0


class SquaredError(Loss):
    """(x − t)², the mean over all numbers."""

    kind: ClassVar[Literal["mse"]] = "mse"
    lengths: Annotated[Word | None, Field(description="the name of an input")] = None


class AbsoluteError(Loss):
    """|x − t|, the mean over all numbers."""

    kind: ClassVar[Literal["mae"]] = "mae"
    lengths: Annotated[Word | None, Field(description="the name of an input")] = None


class Huber(Loss):
    """(x − t)² / 2 up to `delta`, else delta · (|x − t| − delta / 2); the mean over all numbers. Huber 1964."""

    kind: ClassVar[Literal["huber"]] = "huber"
    delta: Positive = 1.0


class Divergence(Loss):
    """Σ t · (log t − log softmax(x)) over the classes: KL(t ‖ p); of logits, the mean over elements. 0 · log 0 is 0."""

    kind: ClassVar[Literal["kl"]] = "kl"


class Distances(Loss):
    """Of distances d to the codes of the classes (`rbf`), LeCun et al. 1998, equations 8 and 9.

    d_t, and with `competition` j: d_t + log(e^−j + Σ e^−d over the classes).
    """

    kind: ClassVar[Literal["distances"]] = "distances"
    competition: Annotated[Number | None, Field(description="a number j above 0")] = None


class OutputItself(Loss):
    """The output of the network is the loss: one number a sample; the mean over samples. There is no target."""

    kind: ClassVar[Literal["output"]] = "output"


AnyLoss = (
    CrossEntropy
    | BinaryCrossEntropy
    | Focal
    | Dice
    | Overlap
    | SquaredError
    | AbsoluteError
    | Huber
    | Divergence
    | Distances
    | OutputItself
)
LOSSES: dict[str, type[Any]] = family(
    CrossEntropy,
    BinaryCrossEntropy,
    Focal,
    Dice,
    Overlap,
    SquaredError,
    AbsoluteError,
    Huber,
    Divergence,
    Distances,
    OutputItself,
)
