"""The losses of a recipe: a loss per element, and the weight of each element. Channels last.

The loss of a batch is Σ w · l / Σ w over all its elements, also over those of other processes and of other parts of an
accumulated batch: a trainer forms the two sums and divides them. Outputs in half precision count as float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

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
from netspec_keras.framework import keras, ops


def elements(loss: Loss, outputs: Any, targets: Any, given: Any = None) -> tuple[Any, Any]:
    """The loss of each element, and its weight; None if all weights are 1.

    Targets that are numbers have their channels last, as outputs have. `given` has a weight per sample, (N,), or per
    position, (N, *spatial).
    """
    if _dtype(outputs) in ("float16", "bfloat16"):
        outputs = ops.cast(outputs, "float32")
    aligned = None if targets is None else _aligned(loss, outputs, targets)
    losses = EACH[type(loss)](loss, outputs, aligned)
    return losses, _weights(loss, losses, aligned, given)


def sums(losses: Any, weights: Any) -> tuple[Any, Any]:
    """Σ w · l and Σ w."""
    if weights is None:
        return ops.sum(losses), ops.cast(ops.size(losses), losses.dtype)
    return ops.sum(losses * weights), ops.sum(weights)


def mask(lengths: Any, steps: int, dtype: str) -> Any:
    """The weights of the steps of sequences with these lengths, (N, steps): 1 before the length, then 0."""
    lengths = ops.cast(lengths, "int32")
    return ops.cast(ops.arange(steps, dtype="int32") < ops.reshape(lengths, (-1, 1)), dtype)


def _dtype(tensor: Any) -> str:
    return str(keras.backend.standardize_dtype(tensor.dtype))


def _aligned(loss: Loss, outputs: Any, targets: Any) -> Any:
    """Class indices as (N, *spatial), or numbers in the shape and type of the outputs.

    Raises:
        ValueError: the targets have another shape. Keras would repeat them, or pair them in another order.
    """
    shape = tuple(outputs.shape)
    classes = loss.targets == "classes"
    wanted = shape[:-1] if classes else shape
    targets = ops.cast(targets, "int32" if classes else _dtype(outputs))
    # One channel need not be written.
    if not _alike(targets.shape, wanted) and shape[-1] == 1 and _alike(_bare(targets.shape), shape[1:-1]):
        targets = ops.reshape(targets, (-1, *wanted[1:]))
    if not _alike(targets.shape, wanted):
        raise ValueError(f"targets of {loss.kind} are {tuple(targets.shape)}, but must be {wanted}")
    return targets


def _alike(found: Any, wanted: tuple[int | None, ...]) -> bool:
    """Whether two shapes are equal, as far as they are known."""
    return len(found) == len(wanted) and all(
        one == other or one is None or other is None for one, other in zip(found, wanted, strict=True)
    )


def _bare(shape: Any) -> tuple[int | None, ...]:
    """The shape of a sample without a last axis of size 1."""
    sample = tuple(shape)[1:]
    return sample[:-1] if sample and sample[-1] == 1 else sample


def _weights(loss: Loss, losses: Any, targets: Any, given: Any) -> Any:
    dtype = _dtype(losses)
    parts = [] if given is None else [ops.cast(given, dtype)]
    ignore = getattr(loss, "ignore", None)
    if ignore is not None:
        parts.append(ops.cast(ops.not_equal(targets, ignore), dtype))
    if isinstance(loss, CrossEntropy) and loss.class_weights is not None:
        parts.append(_by_class(loss, dtype, targets))
    if not parts:
        return None
    weights = parts[0]
    for part in parts[1:]:
        weights = weights * part
    while len(weights.shape) < len(losses.shape):
        weights = ops.expand_dims(weights, -1)
    return ops.broadcast_to(weights, ops.shape(losses))


def _by_class(loss: CrossEntropy, dtype: str, targets: Any) -> Any:
    assert not isinstance(loss.class_weights, str), "frequencies are those of the data"
    table = ops.convert_to_tensor(np.array(loss.class_weights, dtype), dtype=dtype)
    if loss.soft:
        return ops.sum(targets * table, axis=-1)
    return ops.take(table, _counted(loss, targets))


def _counted(loss: Any, targets: Any) -> Any:
    """The class indices, with 0 for those that are ignored: they may be no index of a class."""
    if loss.ignore is None:
        return targets
    return ops.where(ops.equal(targets, loss.ignore), ops.zeros_like(targets), targets)


def _cross_entropy(loss: CrossEntropy, outputs: Any, targets: Any) -> Any:
    if loss.soft:
        shares = targets * (1 - loss.smoothing) + loss.smoothing / outputs.shape[-1]
        return -ops.sum(shares * ops.log_softmax(outputs, axis=-1), axis=-1)
    own = ops.sparse_categorical_crossentropy(_counted(loss, targets), outputs, from_logits=True)
    if not loss.smoothing:
        return own
    # Σ log softmax(x) over the classes, divided by their number.
    even = ops.logsumexp(outputs, axis=-1) - ops.mean(outputs, axis=-1)
    return own * (1 - loss.smoothing) + even * loss.smoothing


def _binary_cross_entropy(loss: BinaryCrossEntropy, outputs: Any, targets: Any) -> Any:
    if loss.smoothing:
        targets = targets * (1 - loss.smoothing) + loss.smoothing / 2
    likely, unlikely = ops.softplus(-outputs), ops.softplus(outputs)
    return targets * likely * loss.positive_weight + (1 - targets) * unlikely


def _focal(loss: Focal, outputs: Any, targets: Any) -> Any:
    labels = _counted(loss, targets)
    if outputs.shape[-1] == 1:
        positive = ops.cast(labels, _dtype(outputs))
        margin = outputs[..., 0] * (positive * 2 - 1)
        alpha = positive * loss.alpha + (1 - positive) * (1 - loss.alpha)
        return alpha * ops.exp(ops.softplus(margin) * -loss.gamma) * ops.softplus(-margin)
    # 1 − p of the true class is the sum over the others, which is never rounded to 0.
    own = _one_hot(labels, outputs)
    whole = ops.logsumexp(outputs, axis=-1)
    without = ops.where(ops.cast(own, "bool"), ops.full_like(outputs, float("-inf")), outputs)
    others = ops.logsumexp(without, axis=-1) - whole
    likely = ops.sum(outputs * own, axis=-1) - whole
    return ops.exp(others * loss.gamma) * likely * -loss.alpha


def _dice(loss: Dice, outputs: Any, targets: Any) -> Any:
    likely, own = _regions(outputs, targets)
    both = ops.sum(likely * own, axis=1)
    sizes = ops.sum((ops.square(likely) if loss.squared else likely) + own, axis=1)
    return 1 - (both * 2 + loss.smooth) / (sizes + loss.smooth)


def _overlap(loss: Overlap, outputs: Any, targets: Any) -> Any:
    likely, own = _regions(outputs, targets)
    both = ops.sum(likely * own, axis=1)
    return 1 - (both + loss.smooth) / (ops.sum(likely + own, axis=1) - both + loss.smooth)


def _regions(outputs: Any, targets: Any) -> tuple[Any, Any]:
    """Probabilities and targets as (N, positions, C)."""
    shape = (-1, prod(outputs.shape[1:-1]), outputs.shape[-1])
    if outputs.shape[-1] == 1:
        own = ops.cast(targets, _dtype(outputs))
        return ops.reshape(ops.sigmoid(outputs), shape), ops.reshape(own, shape)
    likely, own = ops.softmax(outputs, axis=-1), _one_hot(targets, outputs)
    return ops.reshape(likely, shape), ops.reshape(own, shape)


def _one_hot(labels: Any, outputs: Any) -> Any:
    return ops.one_hot(labels, outputs.shape[-1], dtype=_dtype(outputs))


def _squared_error(loss: SquaredError, outputs: Any, targets: Any) -> Any:
    return ops.square(outputs - targets)


def _absolute_error(loss: AbsoluteError, outputs: Any, targets: Any) -> Any:
    return ops.abs(outputs - targets)


def _huber(loss: Huber, outputs: Any, targets: Any) -> Any:
    error = outputs - targets
    far = (ops.abs(error) - loss.delta / 2) * loss.delta
    return ops.where(ops.abs(error) <= loss.delta, ops.square(error) * 0.5, far)


def _divergence(loss: Divergence, outputs: Any, targets: Any) -> Any:
    logarithms = ops.log(ops.where(targets > 0, targets, ops.ones_like(targets)))
    return ops.sum(targets * (logarithms - ops.log_softmax(outputs, axis=-1)), axis=-1)


def _distances(loss: Distances, outputs: Any, targets: Any) -> Any:
    own = ops.sum(outputs * _one_hot(targets, outputs), axis=-1)
    if loss.competition is None:
        return own
    rival = ops.full_like(outputs[..., :1], -loss.competition)
    return own + ops.logsumexp(ops.concatenate([-outputs, rival], axis=-1), axis=-1)


def _output(loss: OutputItself, outputs: Any, targets: None) -> Any:
    if prod(outputs.shape[1:]) != 1:
        raise ValueError(f"the output is {tuple(outputs.shape)}, but a loss is one number per sample")
    return ops.reshape(outputs, (-1,))


Each = Callable[[Any, Any, Any], Any]
EACH: Mapping[type[Loss], Each] = {
    CrossEntropy: _cross_entropy,
    BinaryCrossEntropy: _binary_cross_entropy,
    Focal: _focal,
    Dice: _dice,
    Overlap: _overlap,
    SquaredError: _squared_error,
    AbsoluteError: _absolute_error,
    Huber: _huber,
    Divergence: _divergence,
    Distances: _distances,
    OutputItself: _output,
}
REFUSALS: Mapping[type[Loss], str] = {}
"""The losses that Keras does not have, each with the reason."""
