"""Augments training samples: the same numbers for every backend, drawn from the seed, the epoch and the sample.

An image is an array (channels, *axes); a mask has only the axes, and a box is (left, top, right, bottom) in pixels
from the edges of the image. Masks and boxes follow what moves the image. Whole numbers are changed as float64, then
rounded and limited to the range of their type (bytes: 0 … 255); floats keep their type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from netspec.data.fitting import crop_sizes, shape_after
from netspec.data.source import UNITS
from netspec.recipe.augmentation import (
    Brightness,
    Colour,
    Contrast,
    Cutout,
    Flip,
    PixelNoise,
    RandomCrop,
    RandomScale,
    Rotate,
    Shift,
)
from netspec.recipe.model import Augment

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Numbers = NDArray[np.float64]

Shape: TypeAlias = tuple[int, ...]
GREY = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in the luma of ITU-R BT.601."""
_STREAM = 0x617567
"""Keeps these draws apart from those of the order of samples, which has the same seed and epoch."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One image with the masks and boxes that lie on it. `outside` is the class of a mask beyond its edges."""

    image: Array
    masks: Mapping[str, Array] = field(default_factory=dict)
    boxes: Mapping[str, Array] = field(default_factory=dict)
    outside: int = 0

    @property
    def sizes(self) -> Shape:
        """The sizes of the axes of the image."""
        return tuple(self.image.shape[1:])

    def moved(
        self, move: Callable[[Array, float], Array], box: Callable[[Numbers], Numbers], fill: float
    ) -> Picture:
        """The sample after a move of the axes, the last ones of every array; `box` moves corners (4, 2) of x and y."""
        masks = {key: move(mask, self.outside) for key, mask in self.masks.items()}
        changed = replace(self, image=move(self.image, fill), masks=masks)
        boxes = {key: _around(box(_corners(each)), changed.sizes, each) for key, each in self.boxes.items()}
        return replace(changed, boxes=boxes)


@dataclass(frozen=True, eq=False)
class Augmentation:
    """The changes of a recipe. `image` is the key of the images, `masks` and `boxes` those of what lies on them."""

    changes: Sequence[Augment]
    seed: int
    image: str
    masks: Sequence[str] = ()
    boxes: Sequence[str] = ()
    outside: int = 0

    def batch(self, arrays: Mapping[str, Array], chosen: NDArray[np.int64], epoch: int) -> dict[str, Array]:
        """The arrays of a batch of samples with these indices, changed as in this epoch (from 1)."""
        draws = (np.random.default_rng([self.seed, _STREAM, epoch, int(index)]) for index in chosen)
        return self._each(arrays, [partial(self._changed, draw=draw) for draw in draws])

    def still(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The arrays of a batch that is not augmented, in the size that the crops give: their centre."""
        crops = [each for each in self.changes if isinstance(each, RandomCrop) and each.size is not None]
        if not crops:
            return dict(arrays)

        def centred(sample: Picture) -> Picture:
            for crop in crops:
                sizes = crop_sizes(crop, sample.sizes)
                sample = _cut(
                    sample, [(has - size) // 2 for has, size in zip(sample.sizes, sizes, strict=True)], sizes
                )
            return sample

        return self._each(arrays, [centred] * len(arrays[self.image]))

    def shape(self, shape: Shape) -> Shape:
        """The shape of an augmented image (channels, *axes) of this shape.

        Raises:
            DataError: a change does not suit such images.
        """
        return shape_after(self.changes, shape)

    def _changed(self, sample: Picture, draw: Generator) -> Picture:
        for each in self.changes:
            # Always drawn, so that the probability of one change has no influence on the draws of the next.
            happens = isinstance(each, Shift) or draw.random() < each.probability
            inner = np.random.default_rng(draw.integers(2**63))
            if happens:
                sample = CHANGES[type(each)](each, sample, inner)
            elif isinstance(each, RandomCrop) and each.size is not None:
                sizes = crop_sizes(each, sample.sizes)
                sample = _cut(
                    sample, [(has - size) // 2 for has, size in zip(sample.sizes, sizes, strict=True)], sizes
                )
        return sample

    def _each(
        self, arrays: Mapping[str, Array], changes: Sequence[Callable[[Picture], Picture]]
    ) -> dict[str, Array]:
        found = []
        for index, change in enumerate(changes):
            masks = {key: arrays[key][index] for key in self.masks if key in arrays}
            boxes = {key: arrays[key][index] for key in self.boxes if key in arrays}
            found.append(change(Picture(arrays[self.image][index], masks, boxes, self.outside)))
        changed: dict[str, Array] = dict(arrays)
        if found:
            changed[self.image] = np.stack([each.image for each in found])
            for key in found[0].masks:
                changed[key] = np.stack([each.masks[key] for each in found])
            for key in found[0].boxes:
                changed[key] = np.stack([each.boxes[key] for each in found])
        return changed


def _flip(spec: Flip, sample: Picture, draw: Generator) -> Picture:
    axes = len(sample.sizes)
    axis = spec.axis - axes if spec.axis >= 0 else spec.axis
    size = sample.sizes[axis]

    def corners(points: Numbers) -> Numbers:
        moved = points.copy()
        moved[:, -1 - axis] = size - points[:, -1 - axis]
        return moved

    return sample.moved(lambda array, _: np.flip(array, axis), corners, 0)


def _shift(spec: Shift, sample: Picture, draw: Generator) -> Picture:
    for axis in range(-1, -1 - len(sample.sizes), -1):
        if spec.uniform:
            by = int(draw.integers(-spec.by, spec.by + 1))
        else:
            drawn = draw.random()
            by = -spec.by if drawn < spec.probability else spec.by if drawn < 2 * spec.probability else 0
        if by:
            sample = _along(sample, axis, by, spec.fill)
    return sample


def _along(sample: Picture, axis: int, by: int, fill: float) -> Picture:
    size = sample.sizes[axis]
    kept = max(size - abs(by), 0)
    source, target = (
        (slice(0, kept), slice(size - kept, size)) if by > 0 else (slice(size - kept, size), slice(0, kept))
    )

    def move(array: Array, fill: float) -> Array:
        moved = np.full_like(array, fill)
        rest: tuple[Any, ...] = (slice(None),) * (-1 - axis)
        there: tuple[Any, ...] = (..., target, *rest)
        here: tuple[Any, ...] = (..., source, *rest)
        moved[there] = array[here]
        return moved

    def corners(points: Numbers) -> Numbers:
        moved = points.copy()
        moved[:, -1 - axis] += by
        return moved

    return sample.moved(move, corners, fill)


def _crop(spec: RandomCrop, sample: Picture, draw: Generator) -> Picture:
    sizes = crop_sizes(spec, sample.sizes)
    if spec.pad:
        sample = _padded(sample, spec.pad, spec.fill)
    starts = [int(draw.integers(has - size + 1)) for has, size in zip(sample.sizes, sizes, strict=True)]
    return _cut(sample, starts, sizes)


def _padded(sample: Picture, pad: int, fill: float) -> Picture:
    def move(array: Array, fill: float) -> Array:
        still = array.ndim - len(sample.sizes)
        sides = ((0, 0),) * still + ((pad, pad),) * len(sample.sizes)
        return np.pad(array, sides, constant_values=fill)

    return sample.moved(move, lambda points: points + pad, fill)


def _cut(sample: Picture, starts: Sequence[int], sizes: Shape) -> Picture:
    parts: tuple[Any, ...] = (
        ...,
        *(slice(start, start + size) for start, size in zip(starts, sizes, strict=True)),
    )
    offset = np.array(list(reversed(starts))[:2], float)
    return sample.moved(lambda array, _: array[parts], lambda points: points - offset, 0)


def _rotate(spec: Rotate, sample: Picture, draw: Generator) -> Picture:
    angle = radians(draw.uniform(-spec.degrees, spec.degrees))
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    return _resampled(sample, turn, spec.fill)


def _scale(spec: RandomScale, sample: Picture, draw: Generator) -> Picture:
    return _resampled(sample, np.eye(len(sample.sizes)) * draw.uniform(spec.least, spec.most), spec.fill)


def _resampled(sample: Picture, forward: Numbers, fill: float) -> Picture:
    """The sample after a linear map of its axes about the centre: bilinear for the image, nearest for masks."""
    back = np.linalg.inv(forward)
    sizes = sample.sizes
    centre = (np.array(sizes, float) - 1) / 2
    grid = np.stack(np.meshgrid(*(np.arange(size, dtype=float) for size in sizes), indexing="ij"))
    shape = (-1,) + (1,) * len(sizes)
    at = np.tensordot(back, grid - centre.reshape(shape), 1) + centre.reshape(shape)

    def move(array: Array, fill: float) -> Array:
        return _nearest(array, at, fill) if array.ndim == len(sizes) else _linear(array, at, fill)

    def corners(points: Numbers) -> Numbers:
        middle = np.array(sizes[::-1][:2], float) / 2
        plane = forward[-2:, -2:] if len(sizes) > 1 else forward
        moved: Numbers = (points[:, ::-1] - middle[::-1]) @ plane.T
        return moved[:, ::-1] + middle

    return sample.moved(move, corners, fill)


def _nearest(array: Array, at: Numbers, fill: float) -> Array:
    # floor(x + 0.5), because rint takes the even neighbour of a half.
    places = np.floor(at + 0.5).astype(np.int64)
    inside = _inside(places, array.shape)
    found = array[tuple(np.clip(each, 0, size - 1) for each, size in zip(places, array.shape, strict=True))]
    chosen: Array = np.where(inside, found, array.dtype.type(fill))
    return chosen


def _linear(array: Array, at: Numbers, fill: float) -> Array:
    sizes = array.shape[1:]
    low = np.floor(at).astype(np.int64)
    part = at - low
    total = np.zeros(array.shape, float)
    for corner in np.ndindex(*(2,) * len(sizes)):
        places = low + np.array(corner).reshape((-1,) + (1,) * len(sizes))
        weight = np.prod([p if c else 1 - p for c, p in zip(corner, part, strict=True)], axis=0)
        clipped = tuple(np.clip(each, 0, size - 1) for each, size in zip(places, sizes, strict=True))
        total += weight * np.where(_inside(places, sizes), array[(slice(None), *clipped)].astype(float), fill)
    return _typed(total, array)


def _inside(places: NDArray[np.int64], sizes: Sequence[int]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.logical_and.reduce(
        [(each >= 0) & (each < size) for each, size in zip(places, sizes, strict=True)]
    )
    return inside


def _brightness(spec: Brightness, sample: Picture, draw: Generator) -> Picture:
    factor = draw.uniform(1 - spec.strength, 1 + spec.strength)
    return replace(sample, image=_typed(sample.image.astype(float) * factor, sample.image))


def _contrast(spec: Contrast, sample: Picture, draw: Generator) -> Picture:
    image = sample.image.astype(float)
    factor, mean = draw.uniform(1 - spec.strength, 1 + spec.strength), image.mean()
    return replace(sample, image=_typed(mean + factor * (image - mean), sample.image))


def _colour(spec: Colour, sample: Picture, draw: Generator) -> Picture:
    image = sample.image.astype(float)
    factor, grey = draw.uniform(1 - spec.strength, 1 + spec.strength), np.tensordot(GREY, image, 1)
    return replace(sample, image=_typed(grey + factor * (image - grey), sample.image))


def _noise(spec: PixelNoise, sample: Picture, draw: Generator) -> Picture:
    unit = UNITS.get(str(sample.image.dtype), 1.0)
    noise = draw.standard_normal(sample.image.shape) * (spec.deviation * unit)
    return replace(sample, image=_typed(sample.image.astype(float) + noise, sample.image))


def _cutout(spec: Cutout, sample: Picture, draw: Generator) -> Picture:
    centres = [int(draw.integers(size)) for size in sample.sizes]
    starts = [centre - spec.size // 2 for centre in centres]
    image = sample.image.copy()
    image[(slice(None), *(slice(max(start, 0), max(start + spec.size, 0)) for start in starts))] = spec.fill
    return replace(sample, image=image)


def _typed(values: Numbers, like: Array) -> Array:
    """The values in the type of an image: those of whole numbers are rounded and limited to its range."""
    if like.dtype.kind == "f":
        return values.astype(like.dtype)
    least, most = (0, 1) if like.dtype.kind == "b" else _range(like.dtype)
    return np.clip(np.floor(values + 0.5), least, most).astype(like.dtype)


def _range(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _corners(box: Array) -> Numbers:
    left, top, right, bottom = (float(each) for each in box)
    return np.array([[left, top], [right, top], [left, bottom], [right, bottom]])


def _around(corners: Numbers, sizes: Shape, like: Array) -> Array:
    """The smallest box around four corners, inside the image."""
    limits = np.array(sizes[::-1][:2], float)
    low, high = (np.clip(each, 0, limits) for each in (corners.min(axis=0), corners.max(axis=0)))
    return np.concatenate([low, high]).astype(like.dtype)


CHANGES: Mapping[type[Augment], Callable[[Any, Picture, Generator], Picture]] = {
    Flip: _flip,
    Shift: _shift,
    RandomCrop: _crop,
    Rotate: _rotate,
    RandomScale: _scale,
    Brightness: _brightness,
    Contrast: _contrast,
    Colour: _colour,
    PixelNoise: _noise,
    Cutout: _cutout,
}
