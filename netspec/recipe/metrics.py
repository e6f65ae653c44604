"""Metrics as data. Their formulas are in `netspec.scoring`, once for all backends; a backend gives additive tallies."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from netspec.recipe.model import Count, Named, Word, family


class Metric(Named):
    """What all metrics have. `output` is the head that is measured; by default the first whose targets fit."""

    output: Annotated[Word | None, Field(description="the name of a head")] = None
    larger_is_better: ClassVar[bool] = True


class Accuracy(Metric):
    """The fraction of elements whose largest output is their class (for one number: whose sign is right)."""

    kind: ClassVar[Literal["accuracy"]] = "accuracy"


class TopK(Metric):
    """The fraction of elements whose class is among the k largest outputs."""

    kind: ClassVar[Literal["top_k"]] = "top_k"
    main: ClassVar[str | None] = "k"
    k: Count = 5


class ClassAccuracy(Metric):
    """The mean over classes of the fraction of their elements that are right ("class accuracy" of a segmentation)."""

    kind: ClassVar[Literal["class_accuracy"]] = "class_accuracy"


class PerClass(Metric):
    """The accuracy of each class."""

    kind: ClassVar[Literal["per_class"]] = "per_class"


class Precision(Metric):
    """Right / all that were assigned to the class; the mean over classes, or that of class 1 for binary targets."""

    kind: ClassVar[Literal["precision"]] = "precision"


class Recall(Metric):
    """Right / all of the class; the mean over classes, or that of class 1 for binary targets."""

    kind: ClassVar[Literal["recall"]] = "recall"


class F1(Metric):
    """2 · precision · recall / (precision + recall) by class; the mean over classes, or that of class 1."""

    kind: ClassVar[Literal["f1"]] = "f1"


class Confusion(Metric):
    """The matrix of counts: a row per true class, a column per assigned class."""

    kind: ClassVar[Literal["confusion"]] = "confusion"


class AreaUnderCurve(Metric):
    """The area under the ROC curve of the scores of binary targets, exact; ties count half."""

    kind: ClassVar[Literal["auc"]] = "auc"


class IntersectionOverUnion(Metric):
    """The mean over classes of intersection / union; classes that are in neither are left out."""

    kind: ClassVar[Literal["iou"]] = "iou"


class IouPerClass(Metric):
    """Intersection / union of each class."""

    kind: ClassVar[Literal["iou_per_class"]] = "iou_per_class"


class BoxIou(Metric):
    """The mean over samples of the IoU of one predicted box and its target, both (left, top, right, bottom)."""

    kind: ClassVar[Literal["box_iou"]] = "box_iou"


class Perplexity(Metric):
    """e to the mean cross-entropy, per element, without smoothing or weights of classes."""

    kind: ClassVar[Literal["perplexity"]] = "perplexity"
    larger_is_better: ClassVar[bool] = False


class MeanAbsolute(Metric):
    """The mean of |x − t|."""

    kind: ClassVar[Literal["mae"]] = "mae"
    larger_is_better: ClassVar[bool] = False


class RootMeanSquare(Metric):
    """The root of the mean of (x − t)²."""

    kind: ClassVar[Literal["rmse"]] = "rmse"
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
