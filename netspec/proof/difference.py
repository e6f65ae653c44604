"""Compares tensors: which differ, by how much, between which backends, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays

NOISE = 1e-3
"""The floor of the denominator, as a fraction of the largest value of the same kind in the network."""

BackendPair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference between the tensors with one name on two backends, and its place.

    `what` is the first of the five properties that differs; every property except "values" makes `max_rel` infinite.
    """

    name: str
    backends: tuple[str, str]
    what: Literal["names", "shape", "dtype", "finite", "values"]
    max_rel: float
    detail: str = ""
    index: tuple[int, ...] | None = None

    def __str__(self) -> str:
        where = "" if self.index is None else f" at {list(self.index)}"
        return f"{self.name}: {' and '.join(self.backends)} differ in {self.what}{where}: {self.detail}"


def difference(
    name: str, a: Array | None, b: Array | None, floor: float, backends: tuple[str, str] = ("a", "b")
) -> Difference:
    """Compare two tensors: name, shape, dtype, finite, values, in this order.

    `max_rel` is max|a − b| / max(max|a|, max|b|, floor); it is 0 if both are 0. None stands for a tensor that a
    backend did not return.
    """
    import numpy as np

    if a is None or b is None:
        absent = " and ".join(each for each, array in zip(backends, (a, b), strict=True) if array is None)
        return Difference(name, backends, "names", inf, f"{absent} did not return it")
    if a.shape != b.shape:
        return Difference(name, backends, "shape", inf, f"{a.shape} and {b.shape}")
    if a.dtype != b.dtype:
        return Difference(name, backends, "dtype", inf, f"{a.dtype} and {b.dtype}")
    first, second = a.astype("float64"), b.astype("float64")
    strange = ~(np.isfinite(first) & np.isfinite(second))
    if strange.any():
        index = _index(strange.argmax(), a.shape)
        return Difference(name, backends, "finite", inf, _pair(first, second, index), index)
    if not a.size:
        return Difference(name, backends, "values", 0.0)
    apart = np.abs(first - second)
    index = _index(apart.argmax(), a.shape)
    scale = max(float(np.abs(first).max()), float(np.abs(second).max()), floor)
    max_rel = float(apart[index]) / scale if scale else 0.0
    return Difference(name, backends, "values", max_rel, _pair(first, second, index), index)


def _index(flat: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    import numpy as np

    return tuple(int(each) for each in np.unravel_index(flat, shape))


def _pair(a: Array, b: Array, index: tuple[int, ...]) -> str:
    return f"{float(a[index])!r} and {float(b[index])!r}"


def differences(names: Iterable[str], sides: Mapping[str, Arrays]) -> tuple[Difference, ...]:
    """The worst pair of backends for every tensor, in the order of `names`, followed by other tensors.

    Empty with fewer than two sides.
    """
    return farthest(pairwise(names, sides))


def pairwise(names: Iterable[str], sides: Mapping[str, Arrays]) -> dict[BackendPair, tuple[Difference, ...]]:
    """The difference of every tensor for every pair of backends, in the order of `names`, followed by other tensors."""
    wanted = list(dict.fromkeys(names))
    more = {name for arrays in sides.values() for name in arrays}.difference(wanted)
    floor = NOISE * max(
        (largest(array) for arrays in sides.values() for array in arrays.values()), default=0.0
    )
    return {
        (a, b): tuple(
            difference(name, sides[a].get(name), sides[b].get(name), floor, (a, b))
            for name in [*wanted, *sorted(more)]
        )
        for a, b in combinations(sides, 2)
    }


def larger(
    first: Mapping[BackendPair, Sequence[Difference]], second: Mapping[BackendPair, Sequence[Difference]]
) -> dict[BackendPair, tuple[Difference, ...]]:
    """For every pair of backends and every tensor, the larger of two differences; the first of equals."""
    return {
        pair: tuple(
            max(each, key=lambda found: found.max_rel) for each in zip(row, second[pair], strict=True)
        )
        for pair, row in first.items()
    }


def farthest(found: Mapping[BackendPair, Sequence[Difference]]) -> tuple[Difference, ...]:
    """For every tensor, the pair with the largest difference; the first of equals."""
    return tuple(max(each, key=lambda pair: pair.max_rel) for each in zip(*found.values(), strict=True))


def largest(array: Array) -> float:
    """The largest magnitude of the finite values."""
    import numpy as np

    magnitudes = np.abs(array.astype("float64"))
    return float(magnitudes.max(initial=0.0, where=np.isfinite(magnitudes)))


def over(found: Iterable[Difference], tolerance: float | None) -> list[Difference]:
    """The differences over the tolerance. Without a tolerance only infinite ones count: a missing name, a NaN."""
    if tolerance is None:
        return [each for each in found if each.max_rel == inf]
    return [each for each in found if not each.max_rel <= tolerance]


def worst(found: Sequence[Difference]) -> Difference | None:
    """The largest difference, the first of equals; None if nothing was compared."""
    return max(found, key=lambda each: each.max_rel, default=None)
