"""Tallies of metrics, on the device: sums that `netspec.scoring` turns into figures. Channels last.

Counts are int32 and sums have the precision of the outputs: a trainer adds up the tallies of many batches in wider
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from netspec.dataclass import dataclass
from netspec.recipe.losses import CrossEntropy
from netspec.recipe.metrics import SCORES, Measured
from netspec_keras.framework import keras, ops
from netspec_keras.training.losses import elements, sums

Tensors = Mapping[str, Any]


def tallies(
    metrics: Iterable[Measured], outputs: Tensors, targets: Tensors, given: Tensors | None = None
) -> dict[str, Any]:
    """The tallies of a batch, by their keys. Targets that are numbers have their channels last.

    `given` has for the inputs with lengths a weight per step, (N, steps): steps of weight 0 do not count.
    """
    found: dict[str, Any] = {}
    for measured in metrics:
        if measured.key not in found:
            weights = None if measured.lengths is None or given is None else given[measured.lengths]
            read = _read(measured, outputs[measured.output], targets[measured.target], weights)
            found[measured.key] = TALLIES[measured.metric.tally](measured, read)
    return found


@dataclass(frozen=True, eq=False)
class _Read:
    """Outputs as scores, targets as class indices or numbers, and which elements count."""

    outputs: Any
    targets: Any
    counted: Any

    @property
    def dtype(self) -> str:
        return str(keras.backend.standardize_dtype(self.outputs.dtype))

    def classes(self, bits: bool) -> Any:
        """The classes of the outputs."""
        return ops.cast(self.outputs > 0 if bits else ops.argmax(self.outputs, axis=-1), "int32")


def _read(measured: Measured, outputs: Any, targets: Any, given: Any) -> _Read:
    outputs, targets = ops.stop_gradient(outputs), ops.convert_to_tensor(targets)
    if keras.backend.standardize_dtype(outputs.dtype) in ("float16", "bfloat16"):
        outputs = ops.cast(outputs, "float32")
    if measured.reading in ("bits", "numbers"):
        targets = ops.cast(targets, outputs.dtype if measured.reading == "numbers" else "int32")
        targets = ops.reshape(targets, (-1, *outputs.shape[1:]))
    elif measured.reading == "shares":
        targets = ops.cast(ops.argmax(targets, axis=-1), "int32")
    else:
        targets = ops.reshape(ops.cast(targets, "int32"), (-1, *outputs.shape[1:-1]))
    counted = ops.ones_like(targets, dtype="bool")
    if given is not None:
        here = given > 0
        counted = counted & (here if len(here.shape) == len(counted.shape) else ops.expand_dims(here, -1))
    if measured.ignore is not None:
        counted = counted & ops.not_equal(targets, measured.ignore)
        targets = ops.where(counted, targets, ops.zeros_like(targets))
    return _Read(-outputs if measured.reading == "nearest" else outputs, targets, counted)


def _counts(hits: Any, counted: Any) -> Any:
    return ops.stack([ops.sum(ops.cast(each, "int32")) for each in (hits & counted, counted)])


def _right(measured: Measured, read: _Read) -> Any:
    return _counts(ops.equal(read.classes(measured.reading == "bits"), read.targets), read.counted)


def _confusion(measured: Measured, read: _Read) -> Any:
    bits = measured.reading == "bits"
    classes = 2 if bits else read.outputs.shape[-1]
    cells = ops.reshape(read.targets * classes + read.classes(bits), (-1,))
    counted = ops.reshape(ops.cast(read.counted, "int32"), (-1,))
    counts = ops.segment_sum(counted, cells, num_segments=classes * classes)
    return ops.reshape(counts, (classes, classes))


def _top(measured: Measured, read: _Read) -> Any:
    classes = read.outputs.shape[-1]
    labels = ops.expand_dims(read.targets, -1)
    own = ops.take_along_axis(read.outputs, labels, axis=-1)
    earlier = ops.arange(classes, dtype="int32") < labels
    before = (read.outputs > own) | (ops.equal(read.outputs, own) & earlier)
    rank = ops.sum(ops.cast(before, "int32"), axis=-1)
    return _counts(rank < measured.metric.k, read.counted)


def _entropy(measured: Measured, read: _Read) -> Any:
    counted = ops.cast(read.counted, read.dtype)
    return ops.stack(list(sums(*elements(CrossEntropy(), read.outputs, read.targets, counted))))


def _mean(losses: Any, counted: Any, dtype: str) -> Any:
    kept = ops.where(counted, losses, ops.zeros_like(losses))
    return ops.stack([ops.sum(kept), ops.sum(ops.cast(counted, dtype))])


def _absolute(measured: Measured, read: _Read) -> Any:
    return _mean(ops.abs(read.outputs - read.targets), read.counted, read.dtype)


def _square(measured: Measured, read: _Read) -> Any:
    return _mean(ops.square(read.outputs - read.targets), read.counted, read.dtype)


def _overlap(measured: Measured, read: _Read) -> Any:
    found, true = read.outputs, read.targets
    start, end = ops.maximum(found[:, :2], true[:, :2]), ops.minimum(found[:, 2:], true[:, 2:])
    both = _product(end - start)
    whole = _product(found[:, 2:] - found[:, :2]) + _product(true[:, 2:] - true[:, :2]) - both
    safe = ops.where(whole > 0, whole, ops.ones_like(whole))
    shares = ops.where(whole > 0, both / safe, ops.zeros_like(whole))
    return _mean(shares, read.counted[:, 0], read.dtype)


def _product(sides: Any) -> Any:
    return ops.prod(ops.relu(sides), axis=1)


def _scores(measured: Measured, read: _Read) -> Any:
    columns = (read.outputs, ops.cast(read.targets, read.dtype), ops.cast(read.counted, read.dtype))
    return ops.stack([ops.reshape(each, (-1,)) for each in columns], axis=1)


TALLIES: Mapping[str, Callable[[Measured, _Read], Any]] = {
    "right": _right,
    "confusion": _confusion,
    "top": _top,
    "entropy": _entropy,
    "absolute": _absolute,
    "square": _square,
    "overlap": _overlap,
    SCORES: _scores,
}
