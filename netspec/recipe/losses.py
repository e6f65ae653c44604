"""Losses as data. A loss is Σ w · l / Σ w over all elements of the batch: samples, and positions of maps and sequences.

`x` are the network's outputs (logits where the loss says so), `t` the targets. All have a `weight` in the sum of the
losses of a recipe. With `lengths`, the name of an input of the network, the steps of a sequence from its length on have
w = 0. Class indices have the shape of the output without its channels; numbers have the shape of the output.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from netspec.model import BeforeValidator, Field, Info, RefusedValue, field_validator
from netspec.recipe.model import (
    Flag,
    Fraction,
    Loss,
    NotNegative,
    Positive,
    Reading,
    Targets,
    Whole,
    Word,
    family,
    listed,
)


class CrossEntropy(Loss):
    """−Σ q log softmax(x) over the classes, with q = (1 − smoothing) · t + smoothing / classes; of logits.

    Targets are class indices, one per element, or with `soft` a distribution over the classes. Elements with the index
    `ignore` have the weight 0. With `class_weights`, an element has the weight of its class, in both sums; with `soft`,
    w = Σ t · weight over the classes. `median_frequency` is Eigen and Fergus 2015: the median of the classes'
    frequencies in the training part, divided by the frequency of the class, which is its share of the elements of the
    samples that contain it (of all samples, if a sample is one element). A class without an element has the weight 0.
    """

    kind: ClassVar[Literal["cross_entropy"]] = "cross_entropy"
    of_logits: ClassVar[bool] = True
    smoothing: Fraction = 0.0
    soft: Flag = False
    ignore: Annotated[Whole | None, Field(description="a class index from 0, in the targets")] = None
    class_weights: Annotated[
        Literal["median_frequency"] | Annotated[tuple[NotNegative, ...], BeforeValidator(listed)] | None,
        Field(description="`median_frequency`, or a list with one number per class"),
    ] = None

    @property
    def targets(self) -> Targets:  # type: ignore[override]
        """A distribution is numbers."""
        return "numbers" if self.soft else "classes"

    def reading(self, channels: int) -> Reading | None:
        """The classes are exclusive, also if there is one."""
        return "shares" if self.soft else "classes"

    @field_validator("ignore")
    @classmethod
    def _ignores_an_index(cls, ignore: int | None, info: Info) -> int | None:
        if ignore is not None and info.data.get("soft"):
            raise RefusedValue(
                "one_of",
                "`ignore` is a class index, but with `soft` a target is a distribution",
                {"help": "remove `ignore` or `soft`"},
            )
        return ignore

    lengths: Annotated[Word | None, Field(description="the name of an input")] = None


class BinaryCrossEntropy(Loss):
    """−(p · q · log σ(x) + (1 − q) · log(1 − σ(x))) for every number, with p = `positive_weight`; of logits.

    q = (1 − smoothing) · t + smoothing / 2.
    """

    kind: ClassVar[Literal["binary_cross_entropy"]] = "binary_cross_entropy"
    of_logits: ClassVar[bool] = True
    positive_weight: Positive = 1.0
    smoothing: Fraction = 0.0
    lengths: Annotated[Word | None, Field(description="the name of an input")] = None

    def reading(self, channels: int) -> Reading | None:
        """Every number is a bit."""
        return "bits"


class Focal(Loss):
    """−α_t · (1 − p_t)^gamma · log p_t, with p_t the probability of the true class. Lin et al. 2017.

    Of logits: one number per class for class indices (`alpha` applies to all), one number for binary targets (`alpha`
    for 1, 1 − `alpha` for 0).
    """

    kind: ClassVar[Literal["focal"]] = "focal"
    of_logits: ClassVar[bool] = True
    targets: ClassVar[Targets | None] = "classes"
    gamma: NotNegative = 2.0
    alpha: Annotated[float, Field(gt=0, le=1, description="a number above 0, at most 1")] = 0.25
    ignore: Annotated[Whole | None, Field(description="a class index from 0, in the targets")] = None


class Dice(Loss):
    """1 − (2 · Σ p · t + smooth) / (Σ p + Σ t + smooth), by sample and class, then the mean. Milletari et al. 2016.

    Of logits: p is a softmax over the classes of a map, or a sigmoid for one channel. With `squared`, Σ p² + Σ t² is in
    the denominator, as in the paper. `smooth` keeps 0 / 0 out.
    """

    kind: ClassVar[Literal["dice"]] = "dice"
    of_logits: ClassVar[bool] = True
    targets: ClassVar[Targets | None] = "classes"
    smooth: Positive = 1.0
    squared: Flag = False


class Overlap(Loss):
    """1 − (Σ p · t + smooth) / (Σ p + Σ t − Σ p · t + smooth), by sample and class, the mean of them: soft IoU."""

    kind: ClassVar[Literal["iou"]] = "iou"
    of_logits: ClassVar[bool] = True
    targets: ClassVar[Targets | None] = "classes"
    smooth: Positive = 1.0


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
    of_logits: ClassVar[bool] = True

    def reading(self, channels: int) -> Reading | None:
        """A target is a distribution."""
        return "shares"


class Distances(Loss):
    """Of distances d to the codes of the classes (`rbf`), LeCun et al. 1998, equations 8 and 9.

    d_t, and with `competition` j: d_t + log(e^−j + Σ e^−d over the classes).
    """

    kind: ClassVar[Literal["distances"]] = "distances"
    targets: ClassVar[Targets | None] = "classes"
    competition: Annotated[Positive | None, Field(description="a float32 number above 0")] = None

    def reading(self, channels: int) -> Reading | None:
        """The nearest class is the answer."""
        return "nearest"


class OutputItself(Loss):
    """The output of the network is the loss: one number per sample; the mean over samples. There is no target."""

    kind: ClassVar[Literal["output"]] = "output"
    targets: ClassVar[Targets | None] = None


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
