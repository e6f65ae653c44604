"""Batches: the same ones on every call, every sample once an epoch, scaled as the recipe says."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest

from netspec.data.batches import Batches
from netspec.data.datasets import load
from netspec.data.samples import Dataset, checked
from netspec.recipe import Normalise, Recipe
from netspec.recipe.names import EMBEDDED


def counted(train: int = 10, test: int = 7, channels: int = 1) -> Dataset:
    """Images that are all their own number, which is their label too."""
    arrays: list[Any] = []
    for size in (train, test):
        labels = np.arange(size)
        arrays += [np.tile(labels.astype(np.uint8)[:, None, None, None], (1, channels, 2, 3)), labels]
    return checked("counted", *arrays, where="here")


def order(batches: Batches, epoch: int) -> list[list[int]]:
    return [labels.tolist() for _, labels in batches.train(epoch)]


def test_the_order_is_decided_by_seed_and_epoch_alone() -> None:
    first = Batches(counted(), 4, seed=1)
    assert order(first, 1) == order(Batches(counted(), 4, seed=1), 1)
    assert order(first, 1) == order(first, 1)
    assert order(first, 1) != order(first, 2)
    assert order(first, 1) != order(Batches(counted(), 4, seed=2), 1)


def test_the_order_never_changes() -> None:
    """A new version of netspec or NumPy must give the same training."""
    assert order(Batches(counted(), 4, seed=0), 1) == ORDER


ORDER = [[9, 1, 3, 8], [7, 6, 0, 4], [2, 5]]


def test_an_epoch_has_every_sample_once() -> None:
    batches = Batches(counted(), 4, seed=3)
    assert batches.steps == 3
    assert [len(each) for each in order(batches, 5)] == [4, 4, 2]
    assert sorted(chain.from_iterable(order(batches, 5))) == list(range(10))


def test_images_stay_with_their_labels() -> None:
    for images, labels in Batches(counted(channels=3), 4, seed=0).train(1):
        assert images.dtype == np.float32
        assert labels.dtype == np.int64
        assert images.shape == (len(labels), 3, 2, 3)
        assert np.array_equal(images[:, 1, 1, 2], labels.astype(np.float32) / np.float32(255))


def test_the_test_set_keeps_its_order() -> None:
    assert [labels.tolist() for _, labels in Batches(counted(), 3, seed=0).test()] == [
        [0, 1, 2],
        [3, 4, 5],
        [6],
    ]


def test_padding_looks_like_black() -> None:
    normal = Normalise(mean=(0.5,), std=(0.25,))
    images, _ = next(Batches(counted(), 4, seed=0, pad=2, normalise=normal).test())
    assert images.shape == (4, 1, 6, 7)
    for edge in (images[:, :, :2], images[:, :, -2:], images[:, :, :, :2], images[:, :, :, -2:]):
        assert np.all(edge == -2)
    assert np.allclose(images[3, 0, 2:4, 2:5], (3 / 255 - 0.5) / 0.25, rtol=1e-6, atol=0)


def test_normalises_by_channel() -> None:
    normal = Normalise(mean=(0.0, 1.0), std=(1.0, 2.0))
    images, _ = next(Batches(counted(channels=2), 1, seed=0, normalise=normal).test())
    assert images[0, :, 0, 0].tolist() == [0.0, -0.5]


def test_floats_are_not_scaled() -> None:
    images = np.full((2, 1, 2, 2), 0.75)
    own = checked("own", images, np.array([0, 1]), images, np.array([0, 1]), where="here")
    assert np.all(next(Batches(own, 2, seed=0).test())[0] == np.float32(0.75))


def test_a_recipe_limits_both_parts() -> None:
    batches = Batches.of(counted(), Recipe(batch=2, train_size=5, test_size=3))
    assert sorted(chain.from_iterable(order(batches, 1))) == [0, 1, 2, 3, 4]
    assert [labels.tolist() for _, labels in batches.test()] == [[0, 1], [2]]


@pytest.mark.parametrize(("pad", "shape"), [(0, (1, 28, 28)), (2, (1, 32, 32))])
def test_the_embedded_set(pad: int, shape: tuple[int, ...]) -> None:
    batches = Batches.of(load(EMBEDDED), Recipe(pad=pad))
    images, labels = next(batches.train(1))
    assert batches.shape == images.shape[1:] == shape
    assert (float(images.min()), float(images.max())) == (0, 1)
    assert set(labels.tolist()) <= set(range(10))
