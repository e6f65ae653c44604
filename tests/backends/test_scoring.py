"""The figures of all metrics: those of scikit-learn, from the tallies of each backend, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS, Measured
from netspec.recipe.model import Reading
from netspec.scoring import Figure, figure, joined
from netspec_keras import engine

torch = pytest.importorskip("torch")
pytest.importorskip("keras")
Array = np.ndarray[Any, np.dtype[Any]]
SEEN = 60
"""Samples, in three batches of other sizes."""
CUTS = (25, 26)
# Keras keeps float64 only on TensorFlow.
WIDE = engine.chosen() == "tensorflow"
FAR = 1e-12 if WIDE else 1e-5


class Sample:
    """Outputs, targets and labels; of many classes or of bits; with an absent class, ignored labels, and ties."""

    def __init__(self, reading: Reading, channels: int, space: Sequence[int] = (), ignore: int | None = None):
        draw = np.random.default_rng(4)
        self.reading, self.ignore, self.channels = reading, ignore, channels
        shape = (SEEN, channels, *space)
        # With few values: equal scores are common.
        self.outputs: Array = draw.integers(-6, 7, shape) / 2 + (0 if reading == "bits" else 0.25)
        if reading != "bits":
            self.outputs += draw.permuted(
                np.linspace(0, 0.1, channels * SEEN).reshape(SEEN, channels), axis=1
            )[(..., *(None,) * len(space))]
        plain = (SEEN, *space)
        if reading == "bits":
            self.targets: Array = draw.integers(0, 2, shape)
        elif reading == "shares":
            self.targets = np.moveaxis(draw.dirichlet([0.5] * channels, plain), -1, 1)
        elif reading == "numbers":
            self.targets = draw.standard_normal(shape)
        else:
            self.targets = draw.integers(0, max(channels - 1, 1), plain)  # no element of the last class
        if ignore is not None:
            self.targets[draw.random(self.targets.shape) < 0.3] = ignore

    @property
    def counted(self) -> Array:
        return np.ones(self.targets.shape, bool) if self.ignore is None else self.targets != self.ignore

    @property
    def true(self) -> Array:
        labels: Array = self.targets.argmax(1) if self.reading == "shares" else self.targets
        return labels[self.counted] if self.reading != "shares" else labels.ravel()

    @property
    def found(self) -> Array:
        if self.reading == "bits":
            return (self.outputs > 0).astype(int)[self.counted]
        sign = -1 if self.reading == "nearest" else 1
        classes: Array = (self.outputs * sign).argmax(1)
        return classes.ravel() if self.reading == "shares" else classes[self.counted]

    @property
    def scores(self) -> Array:
        """(elements, channels) of the elements that count."""
        rows = np.moveaxis(self.outputs, 1, -1)
        return rows.reshape(-1, self.channels) if self.reading == "shares" else rows[self.counted]


CLASSES = Sample("classes", 5)
RARE = Sample("classes", 4, (3,), ignore=255)
MAPS = Sample("classes", 3, (2, 3), ignore=1)
NEAREST = Sample("nearest", 4)
SHARES = Sample("shares", 3, (2,))
BIT = Sample("bits", 1)
BITS = Sample("bits", 3, (4,), ignore=7)
NUMBERS = Sample("numbers", 4)
BOXES = Sample("numbers", 4)
BOXES.outputs = np.random.default_rng(1).random((SEEN, 4)) * [0.5, 0.5, 1, 1]
BOXES.targets = np.random.default_rng(2).random((SEEN, 4)) * [0.5, 0.5, 1, 1]
BOXES.targets[3] = BOXES.outputs[3] = [0.5, 0.5, 0.5, 0.5]


def macro(function: Callable[..., Any]) -> Callable[[Sample], float]:
    def called(sample: Sample) -> float:
        one = sample.reading == "bits"
        return float(
            function(sample.true, sample.found, average="binary" if one else "macro", zero_division=0)
        )

    return called


def by_class(function: Callable[..., Any], sample: Sample, known: Array) -> list[float | None]:
    labels = range(2 if sample.reading == "bits" else sample.channels)
    every = function(sample.true, sample.found, average=None, labels=labels, zero_division=0)
    return [float(each) if each_known else None for each, each_known in zip(every, known, strict=True)]


def present(sample: Sample, *parts: Array) -> Array:
    labels = np.arange(2 if sample.reading == "bits" else sample.channels)
    return np.isin(labels, np.concatenate(parts))


def jaccard(sample: Sample) -> list[float | None]:
    return by_class(sk.jaccard_score, sample, present(sample, sample.true, sample.found))


def recalls(sample: Sample) -> list[float | None]:
    return by_class(sk.recall_score, sample, present(sample, sample.true))


def confusion(sample: Sample) -> list[list[int]]:
    labels = range(2 if sample.reading == "bits" else sample.channels)
    matrix: list[list[int]] = sk.confusion_matrix(sample.true, sample.found, labels=list(labels)).tolist()
    return matrix


def mean(numbers: list[float | None]) -> float:
    known = [each for each in numbers if each is not None]
    return sum(known) / len(known)


def top(k: int) -> Callable[[Sample], float]:
    def called(sample: Sample) -> float:
        sign = -1 if sample.reading == "nearest" else 1
        labels = range(sample.channels)
        return float(sk.top_k_accuracy_score(sample.true, sample.scores * sign, k=k, labels=list(labels)))

    return called


def entropy(sample: Sample) -> float:
    shares = np.exp(sample.scores)
    shares /= shares.sum(1, keepdims=True)
    return math.exp(sk.log_loss(sample.true, shares, labels=range(sample.channels)))


def box_iou(sample: Sample) -> float:
    found = []
    for (a, b, c, d), (e, f, g, h) in zip(sample.outputs, sample.targets, strict=True):
        both = max(0, min(c, g) - max(a, e)) * max(0, min(d, h) - max(b, f))
        whole = max(0, c - a) * max(0, d - b) + max(0, g - e) * max(0, h - f) - both
        found.append(both / whole if whole else 0)
    return sum(found) / len(found)


Row = tuple[Sample, Callable[[Sample], Any]]
MANY = (CLASSES, RARE, MAPS, NEAREST, SHARES, BIT, BITS)
ROWS: dict[str, list[Row]] = {
    "accuracy": [(each, lambda s: sk.accuracy_score(s.true, s.found)) for each in MANY],
    "top_k": [(each, top(2)) for each in (CLASSES, RARE, MAPS, NEAREST, SHARES)],
    "class_accuracy": [(each, lambda s: mean(recalls(s))) for each in MANY],
    "per_class": [(each, recalls) for each in MANY],
    "precision": [(each, macro(sk.precision_score)) for each in MANY],
    "recall": [(each, macro(sk.recall_score)) for each in MANY],
    "f1": [(each, macro(sk.f1_score)) for each in MANY],
    "confusion": [(each, confusion) for each in MANY],
    "auc": [(each, lambda s: sk.roc_auc_score(s.true, s.outputs[s.counted])) for each in (BIT, BITS)],
    "iou": [(each, lambda s: mean(jaccard(s))) for each in MANY],
    "iou_per_class": [(each, jaccard) for each in MANY],
    "box_iou": [(BOXES, box_iou)],
    "perplexity": [(each, entropy) for each in (CLASSES, RARE, MAPS)],
    "mae": [(NUMBERS, lambda s: sk.mean_absolute_error(s.targets, s.outputs))],
    "rmse": [(NUMBERS, lambda s: math.sqrt(sk.mean_squared_error(s.targets, s.outputs)))],
}
SETTINGS = {"top_k": {"k": 2}}


def measured(kind: str, sample: Sample, **settings: Any) -> Measured:
    metric = METRICS[kind](**{**SETTINGS.get(kind, {}), **settings})
    assert sample.reading in metric.readings
    return Measured(kind, "y", "t", metric, sample.reading, sample.ignore)


def by_torch(each: Measured, outputs: Array, targets: Array, given: Array | None = None) -> Array:
    from netspec_torch.training.tallies import tallies

    weights = None if given is None else {"n": torch.from_numpy(given)}
    found = tallies([each], {"y": torch.from_numpy(outputs)}, {"t": torch.from_numpy(targets)}, weights)
    array: Array = found[each.key].numpy()
    return array


def by_keras(each: Measured, outputs: Array, targets: Array, given: Array | None = None) -> Array:
    from keras import ops

    from netspec_keras.engines import running
    from netspec_keras.training.tallies import tallies

    dtype = "float64" if WIDE else "float32"
    last = np.moveaxis(outputs, 1, -1)
    if each.reading in ("bits", "numbers", "shares"):
        targets = np.moveaxis(targets, 1, -1)
    kind = dtype if targets.dtype.kind == "f" else "int32"
    weights = None if given is None else {"n": ops.convert_to_tensor(given, dtype=dtype)}
    found = tallies(
        [each],
        {"y": ops.convert_to_tensor(last, dtype=dtype)},
        {"t": ops.convert_to_tensor(targets, dtype=kind)},
        weights,
    )
    return running().array(found[each.key])


BACKENDS = pytest.mark.parametrize("tally", [by_torch, by_keras])


def scored(tally: Callable[..., Array], each: Measured, sample: Sample) -> Figure:
    parts = zip(
        *(np.split(array, np.cumsum(CUTS)) for array in (sample.outputs, sample.targets)), strict=True
    )
    whole = None
    for outputs, targets in parts:
        whole = joined(each.key, whole, tally(each, outputs, targets))
    assert whole is not None
    return figure(each, whole)


def close(found: Any, wanted: Any) -> None:
    if isinstance(wanted, list):
        assert isinstance(found, list)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            close(one, other)
    elif wanted is None:
        assert found is None
    else:
        assert found == pytest.approx(wanted, rel=FAR, abs=FAR / 10)


@BACKENDS
@pytest.mark.parametrize("kind", METRICS)
def test_figures_are_those_of_scikit_learn(kind: str, tally: Callable[..., Array]) -> None:
    for sample, wanted in ROWS[kind]:
        each = measured(kind, sample)
        close(scored(tally, each, sample), wanted(sample))


def test_every_reading_is_measured() -> None:
    readings = {sample.reading for rows in ROWS.values() for sample, _ in rows}
    said = {LOSSES[kind]().reading(channels) for kind in LOSSES for channels in (1, 3)} | {
        LOSSES["cross_entropy"](soft=True).reading(3)
    }
    assert readings == said - {None}
    assert {LOSSES[kind]().reading(1) for kind in ("focal", "dice", "iou")} == {"bits"}


@BACKENDS
def test_steps_beyond_a_length_do_not_count(tally: Callable[..., Array]) -> None:
    outputs = np.array([[[1.0, 5.0, 1.0], [2.0, 1.0, 0.0]]])  # classes 1, 0, 0
    given = np.array([[1.0, 1.0, 0.0]])
    each = Measured("accuracy", "y", "t", METRICS["accuracy"](), lengths="n")
    assert tally(each, outputs, np.array([[1, 1, 0]]), given).tolist() == [1, 2]
    bits = Measured("accuracy", "y", "t", METRICS["accuracy"](), "bits", lengths="n")
    assert tally(bits, outputs - 3, np.array([[[0, 1, 1], [0, 0, 1]]]), given).tolist() == [4, 4]


@BACKENDS
def test_of_equal_outputs_the_first_counts_more(tally: Callable[..., Array]) -> None:
    outputs = np.array([[3.0, 7.0, 7.0, 1.0]] * 4)
    targets = np.arange(4)
    for k, right in ((1, 1), (2, 2), (3, 3), (9, 4)):
        each = Measured("top", "y", "t", METRICS["top_k"](k=k))
        assert tally(each, outputs, targets).tolist() == [right, 4]
    assert tally(Measured("a", "y", "t", METRICS["accuracy"]()), outputs, targets).tolist() == [1, 4]


def test_a_figure_of_nothing_is_none() -> None:
    for kind, metric in METRICS.items():
        tally = {"confusion": np.zeros((2, 2), int), "scores": np.ones((3, 3))}.get(metric.tally, np.zeros(2))
        (reading, *_) = sorted(metric.readings)
        found = figure(Measured(kind, "y", "t", metric(), reading), tally)
        assert found in (None, [None, None], [[0, 0], [0, 0]]), kind


def test_a_perplexity_can_be_infinite() -> None:
    assert figure(Measured("p", "y", "t", METRICS["perplexity"]()), np.array([4e4, 4.0])) == math.inf


def test_settings_have_tallies_of_their_own() -> None:
    keys = {Measured("x", "y", "t", METRICS["top_k"](k=k)).key for k in (1, 5)}
    assert keys == {"y/t/top_1", "y/t/top_5"}
    assert Measured("x", "y", "t", METRICS["iou"]()).key == Measured("z", "y", "t", METRICS["f1"]()).key
