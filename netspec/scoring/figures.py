"""The formula of every metric. A figure that is not defined, such as that of no element, is None."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from netspec.recipe.metrics import (
    F1,
    SCORES,
    Accuracy,
    AreaUnderCurve,
    BoxIou,
    ClassAccuracy,
    Confusion,
    IntersectionOverUnion,
    IouPerClass,
    MeanAbsolute,
    Measured,
    PerClass,
    Perplexity,
    Precision,
    Recall,
    RootMeanSquare,
    TopK,
)
from netspec.recipe.model import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Numbers = NDArray[np.float64]

LARGEST = math.log(sys.float_info.max)

Figure: TypeAlias = "float | list[float | None] | list[list[int]] | None"


def figure(measured: Measured, tally: Array) -> Figure:
    """The figure of a metric from its tally over a whole part of a set."""
    return FIGURES[type(measured.metric)](tally, measured.reading == "bits")


def joined(key: str, before: Array | None, found: Array) -> Array:
    """A tally of two parts of a set."""
    import numpy as np

    if before is None:
        return found
    if key.endswith(f"/{SCORES}"):
        return np.concatenate([before, found])
    return np.add(before, found)


def _mean(tally: Array, bits: bool) -> float | None:
    total, count = tally.tolist()
    return total / count if count else None


def _root(tally: Array, bits: bool) -> float | None:
    mean = _mean(tally, bits)
    return None if mean is None else math.sqrt(mean)


def _perplexity(tally: Array, bits: bool) -> float | None:
    mean = _mean(tally, bits)
    if mean is None:
        return None
    return math.exp(mean) if mean < LARGEST else math.inf


def _counts(confusion: Array) -> tuple[Numbers, Numbers, Numbers]:
    """By class: right, assigned and true elements."""
    matrix = confusion.astype("float64")
    return matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)


def _shares(part: Numbers, whole: Numbers) -> list[float | None]:
    return [one / all_ if all_ else None for one, all_ in zip(part.tolist(), whole.tolist(), strict=True)]


def _average(figures: list[float | None]) -> float | None:
    known = [each for each in figures if each is not None]
    return math.fsum(known) / len(known) if known else None


def _per_class(tally: Array, bits: bool) -> list[float | None]:
    right, _, true = _counts(tally)
    return _shares(right, true)


def _class_accuracy(tally: Array, bits: bool) -> float | None:
    return _average(_per_class(tally, bits))


def _by_class(part: Numbers, whole: Numbers, tally: Array, bits: bool) -> float | None:
    """The mean over the classes with an element, true or assigned; of bits that of the ones."""
    _, assigned, true = _counts(tally)
    present = assigned + true > 0
    shares = [each or 0.0 for each in _shares(part, whole)]
    if bits:
        return shares[1] if present.any() else None
    return _average([share for share, here in zip(shares, present.tolist(), strict=True) if here])


def _precision(tally: Array, bits: bool) -> float | None:
    right, assigned, _ = _counts(tally)
    return _by_class(right, assigned, tally, bits)


def _recall(tally: Array, bits: bool) -> float | None:
    right, _, true = _counts(tally)
    return _by_class(right, true, tally, bits)


def _f1(tally: Array, bits: bool) -> float | None:
    right, assigned, true = _counts(tally)
    return _by_class(2 * right, assigned + true, tally, bits)


def _confusion(tally: Array, bits: bool) -> list[list[int]]:
    matrix: list[list[int]] = tally.astype("int64").tolist()
    return matrix


def _iou_per_class(tally: Array, bits: bool) -> list[float | None]:
    right, assigned, true = _counts(tally)
    return _shares(right, assigned + true - right)


def _iou(tally: Array, bits: bool) -> float | None:
    return _average(_iou_per_class(tally, bits))


def _auc(tally: Array, bits: bool) -> float | None:
    """The share of pairs of a 0 and a 1 whose scores are in order: from the sum of the ranks of the ones."""
    import numpy as np

    scores, ones, counted = tally.astype("float64").T
    scores, ones = scores[counted > 0], ones[counted > 0] > 0
    positive, negative = int(ones.sum()), int((~ones).sum())
    if not positive or not negative or not np.isfinite(scores).all():
        return None
    _, at, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # equal scores share the mean of their ranks
    return float((ranks[at][ones].sum() - positive * (positive + 1) / 2) / (positive * negative))


FIGURES: Mapping[type[Metric], Callable[[Any, bool], Figure]] = {
    Accuracy: _mean,
    TopK: _mean,
    ClassAccuracy: _class_accuracy,
    PerClass: _per_class,
    Precision: _precision,
    Recall: _recall,
    F1: _f1,
    Confusion: _confusion,
    AreaUnderCurve: _auc,
    IntersectionOverUnion: _iou,
    IouPerClass: _iou_per_class,
    BoxIou: _mean,
    Perplexity: _perplexity,
    MeanAbsolute: _mean,
    RootMeanSquare: _root,
}
"""From a tally, and whether its elements are bits."""
