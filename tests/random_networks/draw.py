"""Random choices, all from one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Fields = dict[str, Any]


class Draw(Random):
    """A seeded source of choices. The same seed gives the same network in every process."""

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random() < probability

    def weighted(self, weights: Mapping[T, float]) -> T:
        """A key, as often as its weight says."""
        return self.choices(list(weights), list(weights.values()))[0]

    def some(self, probability: float, **makers: Callable[[], Any]) -> Fields:
        """A value for each name that happens to be drawn."""
        return {name: make() for name, make in makers.items() if self.chance(probability)}

    def shuffled(self, values: Iterable[T]) -> list[T]:
        """The values in another order."""
        listed = list(values)
        self.shuffle(listed)
        return listed

    def one_or_each(self, rank: int, make: Callable[[int], int]) -> int | list[int]:
        """A number for all axes, or a list of one an axis; `make` takes the number of the axis."""
        return make(0) if self.chance(0.6) else [make(axis) for axis in range(rank)]

    def either(self, *options: T) -> T:
        """One of the options."""
        return self.choice(options)

    def part(self, values: Sequence[T], most: int) -> list[T]:
        """Some of the values, at least one, at most so many."""
        return self.sample(values, self.randint(1, min(most, len(values))))
