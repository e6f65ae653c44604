"""What a data set is once it is loaded, and the laws that hold for every one, wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netspec.training.idx import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images (N, channels, height, width) as uint8 or float32, labels (N,) as int64 from 0, for training and test.

    `classes` is what a set with a name has; for one's own it is the largest label and one.
    """

    name: str
    train_images: Array
    train_labels: NDArray[np.int64]
    test_images: Array
    test_labels: NDArray[np.int64]
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, channels first."""
        return tuple(self.train_images.shape[1:])

    def limited(self, train: int | None, test: int | None) -> Dataset:
        """The first so many samples of each part; None keeps all."""
        return replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def checked(
    name: str,
    train_images: Array,
    train_labels: Array,
    test_images: Array,
    test_labels: Array,
    *,
    where: str,
    classes: int | None = None,
) -> Dataset:
    """A data set of these arrays. Images without an axis of channels have one channel.

    Raises:
        DataError: kinds, sizes or numbers contradict each other; `where` starts the message.
    """
    train, test = _images(train_images, "train_images", where), _images(test_images, "test_images", where)
    if train.shape[1:] != test.shape[1:]:
        raise DataError(f"{where}: training images are {_size(train)}, test images {_size(test)}")
    found = []
    for part, images, labels in (("train", train, train_labels), ("test", test, test_labels)):
        found.append(_labels(labels, f"{part}_labels", where))
        if len(images) != len(labels):
            raise DataError(f"{where}: {len(images):,} {part} images and {len(labels):,} labels")
    largest = max(int(labels.max()) for labels in found)
    if classes is not None and largest >= classes:
        raise DataError(f"{where}: there is a label {largest}, and {name} has {classes} classes, from 0")
    return Dataset(name, train, found[0], test, found[1], largest + 1 if classes is None else classes)


def _images(images: Array, key: str, where: str) -> Array:
    import numpy as np

    if images.ndim not in (3, 4):
        shape = "×".join(map(str, images.shape)) or "a single number"
        raise DataError(
            f"{where}: {key} is {shape}", "images are N × height × width, or N × channels × height × width"
        )
    if not images.size:
        raise DataError(f"{where}: {key} holds nothing")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DataError(
            f"{where}: {key} holds {images.dtype}", "pixels are bytes (uint8), or floats already scaled"
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise DataError(f"{where}: {key} holds numbers that are not finite")
    images = images if images.ndim == 4 else images[:, None]
    return images if images.dtype == np.uint8 else images.astype(np.float32)


def _labels(labels: Array, key: str, where: str) -> NDArray[np.int64]:
    import numpy as np

    if labels.ndim != 1:
        raise DataError(f"{where}: {key} has {labels.ndim} axes", "labels are one whole number a sample")
    if not labels.size:
        raise DataError(f"{where}: {key} holds nothing")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{where}: {key} holds {labels.dtype}", "labels are whole numbers from 0")
    if int(labels.min()) < 0:
        raise DataError(f"{where}: {key} holds {int(labels.min())}", "labels are whole numbers from 0")
    return labels.astype(np.int64)


def _size(images: Array) -> str:
    return f"{images.shape[1]}@" + "×".join(map(str, images.shape[2:]))
