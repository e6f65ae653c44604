"""The table of losses for the tests: of each kind all forms, with outputs, targets, and the definition in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from netspec.recipe.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Distances,
    Divergence,
    Focal,
    Huber,
    OutputItself,
    Overlap,
    SquaredError,
)
from netspec.recipe.model import Loss

Array = np.ndarray[Any, np.dtype[Any]]
Definition = Callable[[Any, Array, Any], Any]
"""From the loss, outputs (N, C, *space) and targets, the losses of the elements and their weights."""


class Row(NamedTuple):
    """A loss, the shape of a sample of its outputs, what its targets are, and its definition."""

    loss: Loss
    shape: tuple[int, ...]
    targets: str
    definition: Definition
    lengths: bool = False


def softmax(x: Array) -> Array:
    powers = np.exp(x)
    whole: Array = powers / powers.sum(1, keepdims=True)
    return whole


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def one_hot(targets: Array, classes: int) -> Array:
    """(N, C, *space); nothing for an index that is no class."""
    return np.moveaxis((targets[..., None] == np.arange(classes)).astype(float), -1, 1)


def space(x: Array) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


def cross_entropy(loss: CrossEntropy, x: Array, t: Array) -> Any:
    classes = x.shape[1]
    shares = t if loss.soft else one_hot(t, classes)
    weights = np.ones((len(x), *x.shape[2:]))
    if loss.class_weights is not None:
        weights = np.einsum("nc...,c->n...", shares, np.array(loss.class_weights))
    if loss.ignore is not None:
        weights = weights * (t != loss.ignore)
    shares = shares * (1 - loss.smoothing) + loss.smoothing / classes
    return -(shares * np.log(softmax(x))).sum(1), weights


def binary(loss: BinaryCrossEntropy, x: Array, t: Array) -> Any:
    t = t.reshape(x.shape) * (1 - loss.smoothing) + loss.smoothing / 2
    p = sigmoid(x)
    return -(loss.positive_weight * t * np.log(p) + (1 - t) * np.log(1 - p)), np.ones(x.shape)


def focal(loss: Focal, x: Array, t: Array) -> Any:
    if x.shape[1] == 1:
        p = sigmoid(x[:, 0])
        likely, alpha = np.where(t == 1, p, 1 - p), np.where(t == 1, loss.alpha, 1 - loss.alpha)
    else:
        likely, alpha = (softmax(x) * one_hot(t, x.shape[1])).sum(1), np.full(t.shape, loss.alpha)
    weights = np.ones(t.shape) if loss.ignore is None else (t != loss.ignore).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = -alpha * (1 - likely) ** loss.gamma * np.log(likely)
    return np.where(weights > 0, losses, 0), weights


def regions(x: Array, t: Array) -> tuple[Array, Array]:
    return (sigmoid(x), t[:, None].astype(float)) if x.shape[1] == 1 else (softmax(x), one_hot(t, x.shape[1]))


def dice(loss: Dice, x: Array, t: Array) -> Any:
    p, own = regions(x, t)
    power = 2 if loss.squared else 1
    sizes = (p**power).sum(space(x)) + (own**power).sum(space(x))
    found = 1 - (2 * (p * own).sum(space(x)) + loss.smooth) / (sizes + loss.smooth)
    return found, np.ones(found.shape)


def overlap(loss: Overlap, x: Array, t: Array) -> Any:
    p, own = regions(x, t)
    both = (p * own).sum(space(x))
    found = 1 - (both + loss.smooth) / (p.sum(space(x)) + own.sum(space(x)) - both + loss.smooth)
    return found, np.ones(found.shape)


def squared(loss: SquaredError, x: Array, t: Array) -> Any:
    return (x - t) ** 2, np.ones(x.shape)


def absolute(loss: AbsoluteError, x: Array, t: Array) -> Any:
    return np.abs(x - t), np.ones(x.shape)


def huber(loss: Huber, x: Array, t: Array) -> Any:
    error = np.abs(x - t)
    return np.where(error <= loss.delta, error**2 / 2, loss.delta * (error - loss.delta / 2)), np.ones(
        x.shape
    )


def divergence(loss: Divergence, x: Array, t: Array) -> Any:
    found = (np.where(t > 0, t * np.log(np.where(t > 0, t, 1)), 0) - t * np.log(softmax(x))).sum(1)
    return found, np.ones(found.shape)


def distances(loss: Distances, x: Array, t: Array) -> Any:
    found = (x * one_hot(t, x.shape[1])).sum(1)
    if loss.competition is not None:
        found = found + np.log(np.exp(-loss.competition) + np.exp(-x).sum(1))
    return found, np.ones(found.shape)


def output(loss: OutputItself, x: Array, t: None) -> Any:
    return x.reshape(-1), np.ones(len(x))


VECTOR, MAP, SEQUENCE, ONE, ONE_MAP = (4,), (3, 4, 5), (3, 7), (1,), (1, 4, 5)
WEIGHTS = (0.5, 2.0, 0.0)

ROWS: dict[str, list[Row]] = {
    "cross_entropy": [
        Row(CrossEntropy(), VECTOR, "classes", cross_entropy),
        Row(CrossEntropy(), MAP, "classes", cross_entropy),
        Row(CrossEntropy(smoothing=0.125, ignore=255), MAP, "classes", cross_entropy),
        Row(CrossEntropy(soft=True), VECTOR, "shares", cross_entropy),
        Row(CrossEntropy(soft=True, smoothing=0.25, class_weights=WEIGHTS), MAP, "shares", cross_entropy),
        Row(CrossEntropy(smoothing=0.1, class_weights=WEIGHTS, ignore=1), MAP, "classes", cross_entropy),
        Row(CrossEntropy(lengths="n", class_weights=WEIGHTS), SEQUENCE, "classes", cross_entropy, True),
        Row(CrossEntropy(lengths="n", ignore=0), SEQUENCE, "classes", cross_entropy, True),
    ],
    "binary_cross_entropy": [
        Row(BinaryCrossEntropy(), VECTOR, "bits", binary),
        Row(BinaryCrossEntropy(), ONE, "bit", binary),
        Row(BinaryCrossEntropy(positive_weight=3.0, smoothing=0.1), ONE_MAP, "bit", binary),
        Row(BinaryCrossEntropy(lengths="n"), SEQUENCE, "bits", binary, True),
    ],
    "focal": [
        Row(Focal(), VECTOR, "classes", focal),
        Row(Focal(gamma=0.5, alpha=1.0, ignore=255), MAP, "classes", focal),
        Row(Focal(gamma=0.0), ONE, "bit", focal),
        Row(Focal(ignore=255), ONE_MAP, "bit", focal),
    ],
    "dice": [
        Row(Dice(), MAP, "classes", dice),
        Row(Dice(squared=True, smooth=0.01), MAP, "classes", dice),
        Row(Dice(smooth=0.5), ONE_MAP, "bit", dice),
    ],
    "iou": [Row(Overlap(), MAP, "classes", overlap), Row(Overlap(smooth=0.1), ONE_MAP, "bit", overlap)],
    "mse": [
        Row(SquaredError(), VECTOR, "numbers", squared),
        Row(SquaredError(lengths="n"), SEQUENCE, "numbers", squared, True),
    ],
    "mae": [
        Row(AbsoluteError(), MAP, "numbers", absolute),
        Row(AbsoluteError(lengths="n"), SEQUENCE, "numbers", absolute, True),
    ],
    "huber": [Row(Huber(), VECTOR, "numbers", huber), Row(Huber(delta=0.3), MAP, "numbers", huber)],
    "kl": [Row(Divergence(), VECTOR, "shares", divergence), Row(Divergence(), MAP, "shares", divergence)],
    "distances": [
        Row(Distances(), VECTOR, "classes", distances),
        Row(Distances(competition=0.1), VECTOR, "classes", distances),
    ],
    "output": [Row(OutputItself(), ONE, "none", output)],
}
FLAT = [(f"{kind} {number}", row) for kind, rows in ROWS.items() for number, row in enumerate(rows)]


def targets(row: Row, count: int, draw: np.random.Generator) -> Array | None:
    """Targets of a row, as a data set has them: without the channels of one channel; shares can be 0."""
    channels, *rest = row.shape
    ignore = getattr(row.loss, "ignore", None)
    if row.targets == "none":
        return None
    if row.targets == "numbers":
        return draw.standard_normal((count, *row.shape))
    if row.targets == "shares":
        shares = draw.integers(0, 3, (count, *row.shape)) + np.eye(channels)[0].reshape(
            -1, *(1 for _ in rest)
        )
        whole: Array = shares / shares.sum(1, keepdims=True)
        return whole
    if row.targets == "bits":
        return draw.integers(0, 2, (count, *row.shape))
    found: Array = draw.integers(0, 2 if row.targets == "bit" else channels, (count, *rest))
    if ignore is not None:
        found[draw.random(found.shape) < 0.3] = ignore
    return found


def lengths(row: Row, count: int) -> Array | None:
    """From no step to all."""
    return np.arange(count) % (row.shape[1] + 1) if row.lengths else None
