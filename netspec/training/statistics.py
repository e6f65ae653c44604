"""What is measured on the training part before a training: the weights of classes, the scale of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netspec.data.source import SampleSource
from netspec.fit import Conversion, Whitening

if TYPE_CHECKING:
    from netspec.data.augmentation import Augmentation

BLOCK, SMALLEST = 256, 1e-6


def median_frequencies(source: SampleSource, key: str, classes: int, loss: Any) -> tuple[float, ...]:
    """Eigen and Fergus 2015: the median of the frequencies of the classes, divided by the frequency of each.

    The frequency of a class is its share of the elements of the samples that contain it; of all samples, if a sample is
    one element. A class without an element has the weight 0.
    """
    import numpy as np

    own, whole = np.zeros(classes), np.zeros(classes)
    for batch in _blocks(source):
        for labels in batch[key]:
            counted = labels[labels != loss.ignore] if loss.ignore is not None else labels
            counts = np.bincount(np.ravel(counted).astype(np.int64), minlength=classes)[:classes]
            own += counts
            whole += counts.sum() * ((counts > 0) if np.size(labels) > 1 else 1)
    there = own > 0
    shares = own[there] / whole[there]
    weights = np.zeros(classes)
    weights[there] = np.median(shares) / shares
    return tuple(float(np.float32(each)) for each in weights)


def _blocks(source: SampleSource) -> Iterator[Mapping[str, Any]]:
    import numpy as np

    for at in range(0, len(source), BLOCK):
        yield source.take(np.arange(at, min(at + BLOCK, len(source))))


def measured_scale(
    source: SampleSource, key: str, unit: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over a part, without padding; a constant channel has deviation 1."""
    import numpy as np

    total = square = np.zeros(())
    count_ = 0
    for batch in _blocks(source):
        values = batch[key].astype(np.float64) / unit
        axes = (0, *range(2, values.ndim))
        total, square = total + values.sum(axes), square + np.square(values).sum(axes)
        count_ += values.size // values.shape[1]
    mean = total / count_
    std = np.sqrt(np.maximum(square / count_ - np.square(mean), 0))
    std[std < SMALLEST] = 1.0
    return tuple(float(np.float32(each)) for each in mean), tuple(float(np.float32(each)) for each in std)


def whitening(
    source: SampleSource, key: str, conversion: Conversion, changes: Augmentation | None, epsilon: float
) -> Whitening:
    """The ZCA of the samples of a part as they are converted, cut as crops cut them where nothing is drawn.

    Blocks of samples are read one after the other. Beside a block, the memory holds the covariance in float64, and its
    decomposition, which takes about four times as much.
    """
    import numpy as np

    shift: Any = None
    total: Any = 0.0
    products: Any = 0.0
    for batch in _blocks(source):
        cut = batch if changes is None else changes.still(batch)
        flat = _converted(cut[key], conversion).reshape(len(cut[key]), -1)
        # Deviations from about the mean: sums of squares around 0 would lose digits.
        shift = flat.mean(axis=0) if shift is None else shift
        flat -= shift
        total, products = total + flat.sum(axis=0), products + flat.T @ flat
    mean = total / len(source)
    values, vectors = np.linalg.eigh(products / len(source) - np.outer(mean, mean))
    scaled = vectors / np.sqrt(np.maximum(values, 0) + epsilon)
    return Whitening((shift + mean).astype(np.float32), (scaled @ vectors.T).astype(np.float32))


def _converted(array: Any, conversion: Conversion) -> Any:
    """The floats of a conversion in float64, without padding."""
    import numpy as np

    x = array.astype(np.float64) / conversion.unit
    by_channel = (-1, *(1,) * (x.ndim - 2))
    if conversion.sample:
        axes = tuple(range(1, x.ndim))
        deviation = x.std(axes, keepdims=True)
        x = (x - x.mean(axes, keepdims=True)) / np.where(deviation < conversion.CONSTANT, 1.0, deviation)
    if conversion.mean:
        x = x - np.reshape(conversion.mean, by_channel)
    return x / np.reshape(conversion.std, by_channel) if conversion.std else x
