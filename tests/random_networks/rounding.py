"""Whether a difference is rounding: as large as what moving the weights by some units in the last place makes.

A normalisation of values that are all equal, three times over, gives rounding of any size. What the backends then
disagree in, one backend alone disagrees in with itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.random_networks.equal import apart

if TYPE_CHECKING:
    from tests.random_networks.native import Array, Arrays

DRAWS = 3
MOVE = 1e-15
"""How far each weight is moved, relative to itself."""
FACTOR = 30
"""How many times what such a move makes a difference may be."""


def is_rounding(distance: float, weights: Arrays, floor: float, give: Callable[[Arrays], Array]) -> bool:
    """Whether what `give` works out from weights is as far apart as `distance` for weights that are nearly these."""
    import numpy as np

    generator = np.random.default_rng(0)
    wanted = give(weights)
    spread = 0.0
    for _ in range(DRAWS):
        moved = {
            name: np.asarray(array, "float64") * (1 + MOVE * generator.standard_normal(array.shape))
            for name, array in weights.items()
        }
        spread = max(spread, apart(give(moved), wanted, floor))
    return distance <= FACTOR * spread
