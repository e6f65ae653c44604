"""Random windows, and what it means that two say the same of one, for the tests against frameworks.

Every configuration is drawn from a generator seeded with the name of its test; a failure prints the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any

import pytest

from netspec.arithmetic import Pair

DIMENSIONS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Window:
    """A configuration, one entry per axis."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[Pair, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...] = ()

    def each(self, size: Callable[..., int], **options: Any) -> tuple[int, ...]:
        """What one of our functions says for every axis."""
        columns = [self.sizes, self.kernel, self.stride, self.pads, self.dilation]
        columns += [self.output_padding] if self.output_padding else []
        return tuple(size(*column, **options) for column in zip(*columns, strict=True))

    @property
    def symmetric(self) -> tuple[int, ...]:
        return tuple(lo for lo, _ in self.pads)

    @property
    def flat_pads(self) -> tuple[int, ...]:
        """As torch takes them: the last axis first."""
        return tuple(chain.from_iterable(reversed(self.pads)))


def draw(test: str, dimensions: int, count: int, **limits: Any) -> Iterator[Window]:
    rng = Random(f"{test} {dimensions}")
    for _ in range(count):
        yield _draw(rng, dimensions, **limits)


def _draw(
    rng: Random, n: int, pad: str = "any", dilate: bool = True, transposed: bool = False, largest: int = 24
) -> Window:
    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.randint(low, high) for _ in range(n))

    kernel, stride = several(1, 6), several(1, 5)
    dilation = several(1, 3) if dilate else (1,) * n
    pads: tuple[Pair, ...] = tuple((rng.randint(0, 5), rng.randint(0, 5)) for _ in range(n))
    if pad == "symmetric":
        pads = tuple((lo, lo) for lo, _ in pads)
    if pad == "half":  # all that PyTorch's pools allow
        pads = tuple((p, p) for k in kernel for p in [rng.randint(0, k // 2)])
    if pad == "none":
        pads = ((0, 0),) * n
    output_padding = tuple(rng.randint(0, s - 1) for s in stride) if transposed else ()
    return Window(several(1, largest), kernel, stride, pads, dilation, output_padding)


def check(case: Window, ours: tuple[int, ...], theirs: Callable[[], Any]) -> bool:
    """Equal sizes, or both refuse; returns whether there was a size."""
    if min(ours) < 1:
        with pytest.raises((RuntimeError, ValueError)):
            pytest.fail(f"{case}: {ours} by netspec, taken as {tuple(theirs())}")
        return False
    assert ours == tuple(theirs()), case
    return True
