"""Whether a difference is rounding: as large as what moving all numbers by some units in the last place makes.

A normalisation of values that are all equal, three times over, gives rounding of any size: each divides by the
square root of epsilon. What two backends then disagree in, one of them disagrees in with itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tests.random_networks.equal import apart

if TYPE_CHECKING:
    import numpy as np

    from netspec.graph import Graph
    from tests.backends.native import Array, Arrays

DRAWS = 3
MOVE = 1e-15
"""How far each number is moved, relative to itself."""
FACTOR = 30
"""How many times what such a move makes a difference may be."""


def moved(array: Array, generator: np.random.Generator) -> Array:
    """The array with each number moved; indices and positions as they are."""
    import numpy as np

    if not np.issubdtype(array.dtype, np.floating):
        return array
    return np.asarray(array, "float64") * (1 + MOVE * generator.standard_normal(array.shape))


def tied(graph: Graph, values: Arrays) -> tuple[str, ...]:
    """The layers behind a max pool with two values of a window so nearly equal that rounding decides between them.

    Values that are equal in theory, such as a mean of equal values and these, stay equal in the oracle when weights
    and inputs are moved, so the values themselves are moved here.
    """
    import numpy as np

    from netspec.proof.ties import undecided

    generator = np.random.default_rng(0)
    others = {name: moved(array, generator) for name, array in values.items()}
    return undecided(graph, {"these": values, "others": others}, 1e-10)


class Rounding:
    """What values one side gives for numbers that are nearly the same.

    Args:
        give: the named values for some numbers. It runs once for the numbers and once for each move, and only
            when a difference is asked about.
        numbers: what it takes: weights, inputs, targets. A gradient that cancels may depend on the targets only,
            so that moving the weights alone would repeat the same rounding. Indices are not moved.
        inside: the named values for the same numbers, with every value on the way changed by a function. A tanh that
            is 1 everywhere hides from the layers behind it what moves before it.
    """

    def __init__(
        self,
        give: Callable[..., Mapping[str, Array]],
        *numbers: Arrays,
        inside: Callable[[Callable[[Array], Array]], Mapping[str, Array]] | None = None,
    ) -> None:
        self.give = give
        self.numbers = numbers
        self.inside = inside

    @cached_property
    def _draws(self) -> list[Mapping[str, Array]]:
        import numpy as np

        generator = np.random.default_rng(0)
        draws = [
            [{name: moved(array, generator) for name, array in arrays.items()} for arrays in self.numbers]
            for _ in range(DRAWS)
        ]
        return [self.give(*each) for each in (self.numbers, *draws)]

    @cached_property
    def _insides(self) -> list[Mapping[str, Array]]:
        import numpy as np

        if self.inside is None:
            return []
        generator = np.random.default_rng(0)
        changes = [lambda array: array, *[lambda array: moved(array, generator)] * DRAWS]
        return [self.inside(change) for change in changes]

    def explains(self, distance: float, name: str, floor: float) -> bool:
        """Whether a difference in this value is at most `FACTOR` times what the moves make."""
        return any(
            distance <= FACTOR * max(apart(each[name], wanted[name], floor) for each in others)
            for wanted, *others in filter(None, (self._draws, self._insides))
        )
