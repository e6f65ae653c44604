"""Metrics as data. Their formulas are in `netspec.scoring`, once for all backends; a backend gives tallies.

The tallies of parts of a set add up to those of the set; `scores` are put one after the other instead.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from netspec.dataclass import dataclass
from netspec.recipe.model import Count, Metric, Reading, family

SCORES = "scores"
"""The tally that is not added up."""
EXCLUSIVE: frozenset[Reading] = frozenset({"classes", "nearest", "shares"})


class Accuracy(Metric):
    """The fraction of elements whose largest output, the first of equals, is their class; of bits that are right."""

    kind: ClassVar[Literal["accuracy"]] = "accuracy"
    tally: ClassVar[str] = "right"


class TopK(Metric):
    """The fraction of elements whose class is among the k largest outputs, of equal ones those that come first."""

    kind: ClassVar[Literal["top_k"]] = "top_k"
    readings: ClassVar[frozenset[Reading]] = EXCLUSIVE
    tally: ClassVar[str] = "top"
    main: ClassVar[str | None] = "k"
    k: Count = 5

    @property
    def tallied(self) -> str:
        """A tally for each k."""
        return f"{self.tally}_{self.k}"


class ClassAccuracy(Metric):
    """The mean over classes of the fraction of their elements that are right, without classes that have none."""

    kind: ClassVar[Literal["class_accuracy"]] = "class_accuracy"


class PerClass(Metric):
    """The fraction of the elements of each class that are right; none for a class without an element."""

    kind: ClassVar[Literal["per_class"]] = "per_class"


class Precision(Metric):
    """Right / all that were assigned to the class (0 / 0 is 0); the mean over classes, or that of class 1 for bits.

    Classes without an element, true or assigned, are left out.
    """

    kind: ClassVar[Literal["precision"]] = "precision"


class Recall(Metric):
    """Right / all of the class (0 / 0 is 0); the mean over classes as of `precision`, or that of class 1 for bits."""

    kind: ClassVar[Literal["recall"]] = "recall"


class F1(Metric):
    """2 · right / (assigned + true) by class; the mean over classes as of `precision`, or that of class 1 for bits."""

    kind: ClassVar[Literal["f1"]] = "f1"


class Confusion(Metric):
    """The matrix of counts: a row per true class, a column per assigned class. Bits are the classes 0 and 1."""

    kind: ClassVar[Literal["confusion"]] = "confusion"


class AreaUnderCurve(Metric):
    """The area under the ROC curve of bits, exact: the share of pairs of a 0 and a 1 in order; ties count half."""

    kind: ClassVar[Literal["auc"]] = "auc"
    readings: ClassVar[frozenset[Reading]] = frozenset({"bits"})
    tally: ClassVar[str] = SCORES


class IntersectionOverUnion(Metric):
    """The mean over classes of intersection / union; classes that are in neither are left out."""

    kind: ClassVar[Literal["iou"]] = "iou"


class IouPerClass(Metric):
    """Intersection / union of each class; none for a class in neither."""

    kind: ClassVar[Literal["iou_per_class"]] = "iou_per_class"


class BoxIou(Metric):
    """The mean over samples of the IoU of one predicted box and its target, both (left, top, right, bottom).

    A box whose right or bottom is not beyond its left or top is empty. The IoU of two empty boxes is 0.
    """

    kind: ClassVar[Literal["box_iou"]] = "box_iou"
    readings: ClassVar[frozenset[Reading]] = frozenset({"numbers"})
    tally: ClassVar[str] = "overlap"


class Perplexity(Metric):
    """e to the mean cross-entropy, per element, without smoothing or weights of classes."""

    kind: ClassVar[Literal["perplexity"]] = "perplexity"
    readings: ClassVar[frozenset[Reading]] = frozenset({"classes"})
    tally: ClassVar[str] = "entropy"
    larger_is_better: ClassVar[bool] = False


class MeanAbsolute(Metric):
    """The mean of |x − t|."""

    kind: ClassVar[Literal["mae"]] = "mae"
    readings: ClassVar[frozenset[Reading]] = frozenset({"numbers"})
    tally: ClassVar[str] = "absolute"
    larger_is_better: ClassVar[bool] = False


class RootMeanSquare(Metric):
    """The root of the mean of (x − t)²."""

    kind: ClassVar[Literal["rmse"]] = "rmse"
    readings: ClassVar[frozenset[Reading]] = frozenset({"numbers"})
    tally: ClassVar[str] = "square"
    larger_is_better: ClassVar[bool] = False


METRICS: dict[str, type[Any]] = family(
    Accuracy,
    TopK,
    ClassAccuracy,
    PerClass,
    Precision,
    Recall,
    F1,
    Confusion,
    AreaUnderCurve,
    IntersectionOverUnion,
    IouPerClass,
    BoxIou,
    Perplexity,
    MeanAbsolute,
    RootMeanSquare,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric of one output and its target.

    Elements with the class index `ignore` do not count, nor do steps of sequences from their length on: `lengths` is
    the name of the input with the lengths. Both are those of the loss of the output.
    """

    name: str
    output: str
    target: str
    metric: Any
    reading: Reading = "classes"
    ignore: int | None = None
    lengths: str | None = None

    @property
    def key(self) -> str:
        """The name of its tally. Metrics of one output and target can have the same one."""
        return f"{self.output}/{self.target}/{self.metric.tallied}"
