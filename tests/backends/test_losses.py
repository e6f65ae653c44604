"""The losses of both backends: their definitions, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netspec.model import Invalid
from netspec.recipe.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Dice, Focal, SquaredError
from netspec_keras import engine
from tests.training.losses import FLAT, ROWS, Row, lengths, targets

pytest.importorskip("torch")
pytest.importorskip("keras")
Array = np.ndarray[Any, np.dtype[Any]]
COUNT = 9
# Keras keeps float64 only on TensorFlow.
WIDE = engine.chosen() == "tensorflow"


def by_torch(row: Row, outputs: Array, target: Array | None, count: Array | None) -> tuple[Any, ...]:
    """Losses, weights, both sums."""
    import torch

    from netspec_torch.training.losses import elements, mask, sums

    steps = None if count is None else mask(torch.from_numpy(count), row.shape[1], torch.float64)
    given = None if target is None else torch.from_numpy(target)
    losses, weights = elements(row.loss, torch.from_numpy(outputs), given, steps)
    ones = torch.ones_like(losses) if weights is None else weights
    return losses.numpy(), ones.numpy(), *(float(each) for each in sums(losses, weights))


def by_keras(row: Row, outputs: Array, target: Array | None, count: Array | None) -> tuple[Any, ...]:
    from keras import ops

    from netspec_keras.engines import running
    from netspec_keras.training.losses import elements, mask, sums

    dtype = "float64" if WIDE else "float32"
    steps = None if count is None else mask(ops.convert_to_tensor(count), row.shape[1], dtype)
    last = ops.convert_to_tensor(np.moveaxis(outputs, 1, -1), dtype=dtype)
    given = None
    if target is not None:
        moved = np.moveaxis(target, 1, -1) if target.ndim == outputs.ndim else target
        given = ops.convert_to_tensor(moved, dtype=dtype if moved.dtype.kind == "f" else "int32")
    losses, weights = elements(row.loss, last, given, steps)
    found = [
        running().array(each) for each in (losses, ops.ones_like(losses) if weights is None else weights)
    ]
    if found[0].ndim == outputs.ndim and found[0].ndim > 2:
        found = [np.moveaxis(each, -1, 1) for each in found]
    return *found, *(float(each) for each in sums(losses, weights))


BACKENDS = pytest.mark.parametrize("backend", [by_torch, by_keras])


@BACKENDS
@pytest.mark.parametrize("row", [row for _, row in FLAT], ids=[name for name, _ in FLAT])
def test_losses_are_what_they_are_defined_as(row: Row, backend: Callable[..., Any]) -> None:
    draw = np.random.default_rng(3)
    outputs = draw.standard_normal((COUNT, *row.shape)) * 2
    target, count = targets(row, COUNT, draw), lengths(row, COUNT)
    losses, weights = row.definition(row.loss, outputs, target)
    if count is not None:
        here = np.arange(row.shape[1]) < count[:, None]
        weights = weights * (here if weights.ndim == 2 else here[:, None])
    found, own, total, whole = backend(row, outputs, target, count)
    far = 1e-12 if WIDE or backend is by_torch else 2e-5
    assert found.shape == losses.shape
    assert own == pytest.approx(weights, rel=far)
    assert found * (own > 0) == pytest.approx(losses * (weights > 0), rel=far, abs=far)
    assert (total, whole) == pytest.approx(((losses * weights).sum(), weights.sum()), rel=far)


def test_every_loss_has_a_row() -> None:
    from netspec_keras.training import losses as keras
    from netspec_torch.training import losses as torch

    assert set(ROWS) == set(LOSSES)
    for backend in (keras, torch):
        assert set(backend.EACH) | set(backend.REFUSALS) == set(LOSSES.values())
        assert not set(backend.EACH) & set(backend.REFUSALS)


STEEP = [
    Row(CrossEntropy(), (3,), "classes", lambda *_: None),
    Row(BinaryCrossEntropy(), (3,), "bits", lambda *_: None),
    Row(Focal(gamma=0.5), (3,), "classes", lambda *_: None),
    Row(Focal(gamma=0.5), (1,), "bit", lambda *_: None),
    Row(Dice(), (3, 2), "classes", lambda *_: None),
]


@pytest.mark.parametrize("row", STEEP, ids=lambda row: f"{row.loss.kind} {row.shape[0]}")
def test_gradients_are_finite_and_equal_where_a_network_is_certain(row: Row) -> None:
    import keras
    import torch

    import netspec_keras.training.losses as ours
    import netspec_torch.training.losses as theirs

    if not WIDE:
        pytest.skip("gradients are taken with TensorFlow")
    import tensorflow as tf

    draw = np.random.default_rng(5)
    outputs = draw.choice([-1000.0, 0.0, 1000.0], (64, *row.shape))
    target = targets(row, 64, draw)
    assert target is not None
    x = torch.from_numpy(outputs).requires_grad_()
    torch.sum(theirs.elements(row.loss, x, torch.from_numpy(target))[0]).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    last = tf.constant(np.moveaxis(outputs, 1, -1))
    with tf.GradientTape() as tape:
        tape.watch(last)
        loss = keras.ops.sum(ours.elements(row.loss, last, keras.ops.convert_to_tensor(target))[0])
    slope = np.moveaxis(tape.gradient(loss, last).numpy(), -1, 1)
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope, x.grad.numpy(), rtol=1e-12, atol=1e-15)


@BACKENDS
def test_targets_of_another_shape_are_refused(backend: Callable[..., Any]) -> None:
    outputs = np.zeros((4, 3, 2))
    for loss, target in (
        (SquaredError(), np.zeros((4, 3, 1))),
        (SquaredError(), np.zeros((4, 1, 2))),
        (CrossEntropy(), np.zeros((4, 3), int)),
        (CrossEntropy(), np.zeros((4,), int)),
    ):
        with pytest.raises(ValueError, match=f"targets of {loss.kind} are"):
            backend(Row(loss, (3, 2), "", lambda *_: None), outputs, target, None)
    with pytest.raises(ValueError, match="one number per sample"):
        backend(ROWS["output"][0], np.zeros((4, 3)), None, None)


@BACKENDS
def test_half_precision_counts_as_float32(backend: Callable[..., Any]) -> None:
    import keras
    import torch

    import netspec_keras.training.losses as ours
    import netspec_torch.training.losses as theirs

    outputs, target = np.linspace(-3, 3, 12).reshape(4, 3).astype("float16"), np.arange(4) % 3
    if backend is by_torch:
        found: Any = theirs.elements(CrossEntropy(), torch.from_numpy(outputs), torch.from_numpy(target))[0]
        assert found.dtype == torch.float32
    else:
        half = keras.ops.convert_to_tensor(outputs, dtype="float16")
        found = ours.elements(CrossEntropy(), half, keras.ops.convert_to_tensor(target))[0]
        assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(Invalid, match="`ignore` is a class index"):
        CrossEntropy(soft=True, ignore=3)
