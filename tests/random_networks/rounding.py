"""Whether a difference is rounding: as large as what moving the weights by some units in the last place makes.

A normalisation of values that are all equal, three times over, gives rounding of any size: each divides by the
square root of epsilon. What two backends then disagree in, one of them disagrees in with itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tests.random_networks.equal import apart

if TYPE_CHECKING:
    from tests.random_networks.native import Array, Arrays

DRAWS = 3
MOVE = 1e-15
"""How far each weight is moved, relative to itself."""
FACTOR = 30
"""How many times what such a move makes a difference may be."""


class Rounding:
    """What values one side gives for weights that are nearly the same.

    Args:
        weights: the weights.
        give: the named values for some weights. It runs once for the weights and once for each move, and only
            when a difference is asked about.
    """

    def __init__(self, weights: Arrays, give: Callable[[Arrays], Mapping[str, Array]]) -> None:
        self.weights = weights
        self.give = give

    @cached_property
    def _draws(self) -> list[Mapping[str, Array]]:
        import numpy as np

        generator = np.random.default_rng(0)
        moved = [
            {
                name: np.asarray(array, "float64") * (1 + MOVE * generator.standard_normal(array.shape))
                for name, array in self.weights.items()
            }
            for _ in range(DRAWS)
        ]
        return [self.give(each) for each in (self.weights, *moved)]

    def explains(self, distance: float, name: str, floor: float) -> bool:
        """Whether a difference in this value is at most `FACTOR` times what the moves make."""
        wanted, *others = self._draws
        return distance <= FACTOR * max(apart(each[name], wanted[name], floor) for each in others)
