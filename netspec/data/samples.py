"""A loaded data set, and the checks that apply to all data sets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netspec.data.idx import DataError
from netspec.data.labels import class_indices
from netspec.data.parts import Parts
from netspec.data.source import in_memory
from netspec.dataclass import dataclass
from netspec.recipe.names import Shape
from netspec.types import AXES, Type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_AXES = 2 + max(AXES)
"""Axes of an array of samples: the samples, their channels, and the spatial axes."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples (N, channels, *spatial) as uint8 or float32, labels (N,) as int64 from 0, for training and test.

    `classes` is the number of classes of a named set; for the user's own data it is the largest label plus 1.
    """

    name: str
    train_images: Array
    train_labels: NDArray[np.int64]
    test_images: Array
    test_labels: NDArray[np.int64]
    classes: int
    own: bool = True
    """Whether it is the user's own data, not a named set of netspec."""

    @classmethod
    def of(cls, parts: Parts, keys: tuple[str, str] | None = None) -> Dataset:
        """The set of parts with one input and one target of labels; `keys` says which, if there are more.

        Raises:
            DataError: there is no test part, there are no labels, or the labels are wrong.
        """
        if parts.test is None:
            raise DataError(f"{parts.where}: has no test part", "this version trains with a test part")
        if not parts.targets:
            raise DataError(f"{parts.where}: has no labels")
        samples, labels = (parts.inputs[0], parts.targets[0]) if keys is None else keys
        known = parts.classes.get(labels)
        train, test = in_memory(parts.train), in_memory(parts.test)
        arrays = [source.column(key) for source in (train, test) for key in (samples, labels)]
        whole = [array for array in arrays if array is not None]
        classes = known.count if known is not None and not parts.own else None
        return checked(parts.name, *whole, where=parts.where, classes=classes, keys=(samples, labels))

    @property
    def shape(self) -> Shape:
        """The shape of one sample, channels first."""
        return tuple(self.train_images.shape[1:])

    def limited(self, train: int | None, test: int | None) -> Dataset:
        """The set with only the first samples of each part; None keeps all."""
        return replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )

    def seen_as(self, wanted: Shape) -> Dataset:
        """The set for a network with this input: samples without a channel axis get one.

        Samples with two axes have channels and time if the network takes sequences; else they are one-channel images.
        """
        axes = len(self.shape)
        if len(wanted) == axes + 1 or (axes == 2 and len(wanted) != 2):
            return self.with_channel()
        return self

    def with_channel(self) -> Dataset:
        """The set with a channel axis of size 1 before the other axes."""
        return replace(self, train_images=self.train_images[:, None], test_images=self.test_images[:, None])


def checked(
    name: str,
    train_images: Array,
    train_labels: Array,
    test_images: Array,
    test_labels: Array,
    *,
    where: str,
    classes: int | None = None,
    keys: tuple[str, str] = ("images", "labels"),
) -> Dataset:
    """A data set of these arrays; messages call them by `keys`.

    Raises:
        DataError: types, sizes or values are inconsistent; `where` starts the message.
    """
    image, label = keys
    train = _samples(train_images, f"train_{image}", where)
    test = _samples(test_images, f"test_{image}", where)
    if train.shape[1:] != test.shape[1:]:
        raise DataError(f"{where}: training samples are {_size(train)}, test samples {_size(test)}")
    found = []
    for part, samples, labels in (("train", train, train_labels), ("test", test, test_labels)):
        found.append(class_indices(labels, f"{part}_{label}", where))
        if len(samples) != len(labels):
            raise DataError(f"{where}: {len(samples):,} {part} {image} and {len(labels):,} {label}")
    largest = max(int(labels.max()) for labels in found)
    if classes is not None and largest >= classes:
        raise DataError(f"{where}: there is a label {largest}, and {name} has {classes} classes, from 0")
    own = classes is None
    return Dataset(name, train, found[0], test, found[1], largest + 1 if classes is None else classes, own)


def _samples(images: Array, key: str, where: str) -> Array:
    """The samples as bytes, 16-bit numbers or float32; other whole numbers are not scaled.

    Raises:
        DataError: the samples have another type, or a float is too large for float32.
    """
    import numpy as np

    if not 2 <= images.ndim <= MOST_AXES:
        shape = "×".join(map(str, images.shape)) or "a single number"
        raise DataError(
            f"{where}: {key} is {shape}", "samples are N × channels, with up to three spatial axes after them"
        )
    if not images.size:
        raise DataError(f"{where}: {key} holds nothing")
    if images.dtype in (np.uint8, np.uint16):
        return images
    if images.dtype.kind not in "fiub" or _are_bytes(images):
        raise DataError(f"{where}: {key} holds {images.dtype}", _as_pixels(images))
    if images.dtype.kind != "f":
        return images.astype(np.float32)
    if not np.isfinite(images).all():
        raise DataError(f"{where}: {key} holds numbers that are not finite")
    with np.errstate(over="ignore"):
        converted = images.astype(np.float32)
    if not np.isfinite(converted).all():
        largest = images.flat[int(np.abs(images).argmax())]
        raise DataError(
            f"{where}: {key} holds {largest:g}, but training uses float32, which ends at 3.4e38",
            "scale the samples before you save them",
        )
    return converted


def _are_bytes(images: Array) -> bool:
    """Whether these are images of whole numbers that bytes can hold: stored as bytes, they would be scaled."""
    return bool(
        images.dtype.kind in "iu" and images.ndim > 2 and images.min() >= 0 and 1 < images.max() <= 255
    )


def _as_pixels(images: Array) -> str:
    """Advice to save samples of another type."""
    if images.dtype.kind in "iu":
        return "pixels are bytes: save `images.astype('uint8')`"
    return "samples are bytes (uint8), or floats already scaled"


def _size(images: Array) -> str:
    return str(Type(images.shape[1], images.shape[2:]))
