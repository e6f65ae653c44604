"""Figures of tensors: their ranges, what is not finite, and the differences between two files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, nan, sqrt
from typing import TYPE_CHECKING, Literal, TypeAlias

from netspec.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

_BLOCK = 1 << 20
"""The values that are converted to float64 at a time, so that a file needs no multiple of its size."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The finite values of a tensor: range, mean and standard deviation, NaN if it has none; and the other values."""

    count: int
    size: int
    low: float
    high: float
    mean: float
    std: float
    not_finite: int


def figures(array: Array) -> Figures:
    """The figures of a tensor, calculated in float64."""
    import numpy as np

    count, total, low, high = 0, 0.0, inf, -inf
    for block in _blocks(array):
        finite = block[np.isfinite(block)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            total += float(finite.sum())
            count += finite.size
    if not count:
        return Figures(array.size, array.nbytes, nan, nan, nan, nan, array.size)
    mean = total / count
    squares = 0.0
    for block in _blocks(array):
        squares += float(((block[np.isfinite(block)] - mean) ** 2).sum())
    return Figures(array.size, array.nbytes, low, high, mean, sqrt(squares / count), array.size - count)


def _blocks(array: Array) -> Iterator[NDArray[np.float64]]:
    flat = array.reshape(-1)
    return (flat[start : start + _BLOCK].astype("float64") for start in range(0, flat.size, _BLOCK))


@dataclass(frozen=True, slots=True)
class Differing:
    """Two tensors of one name. `absolute` is the largest difference, `relative` that by the largest value of both.

    NaN is equal to NaN in the same place; any other value that is not finite is an infinite difference.
    """

    name: str
    what: Literal["equal", "values", "shape", "only in A", "only in B"]
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    absolute: float | None = None
    relative: float | None = None


def differences(first: Mapping[str, Array], second: Mapping[str, Array]) -> list[Differing]:
    """Every name of two files, in the order of the first one, with what differs."""
    found = []
    for name, array in first.items():
        other = second.get(name)
        if other is None:
            found.append(Differing(name, "only in A", (array.shape, None)))
        elif other.shape != array.shape:
            found.append(Differing(name, "shape", (array.shape, other.shape)))
        else:
            absolute, relative = _distance(array, other)
            what: Literal["equal", "values"] = "values" if absolute else "equal"
            found.append(Differing(name, what, (array.shape, other.shape), absolute, relative))
    absent = (name for name in second if name not in first)
    return found + [Differing(name, "only in B", (None, second[name].shape)) for name in absent]


def _distance(one: Array, other: Array) -> tuple[float, float]:
    """The largest absolute difference, and the same relative to the largest value."""
    import numpy as np

    if one.dtype.kind in "iu" and other.dtype.kind in "iu":
        # float64 does not have all whole numbers of 64 bits.
        pairs = [(int(a), int(b)) for a, b in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)]
        apart = max((abs(a - b) for a, b in pairs), default=0)
        return float(apart), apart / max((max(abs(a), abs(b)) for a, b in pairs), default=1) if apart else 0.0
    largest, absolute = 0.0, 0.0
    for a, b in zip(_blocks(one), _blocks(other), strict=True):
        both = np.isfinite(a) & np.isfinite(b)
        strange = ~both & ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if strange.any():
            return inf, inf
        if both.any():
            absolute = max(absolute, float(abs(a[both] - b[both]).max()))
            largest = max(largest, float(abs(a[both]).max()), float(abs(b[both]).max()))
    return absolute, absolute / largest if largest else 0.0
