"""The layouts of weights: axes are letters, and one function puts them in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]


def relayout(array: Array, axes: str, wanted: str) -> Array:
    """The same values with the axes in another order, contiguous: `relayout(w, "OIHW", "HWIO")`.

    Raises:
        ValueError: a letter is a duplicate or is not in both, or the array has another number of axes.
    """
    import numpy as np

    if len(set(axes)) != len(axes) or sorted(axes) != sorted(wanted):
        raise ValueError(f"{axes} cannot be reordered to {wanted}: both must have the same axes, each once")
    if array.ndim != len(axes):
        raise ValueError(f"an array of {array.ndim} axes ({in_words(array.shape)}) is not {axes}")
    return np.ascontiguousarray(array.transpose([axes.index(letter) for letter in wanted]))


def in_words(shape: tuple[int, ...]) -> str:
    """A shape for a message: `64×3×7×7`."""
    return "×".join(map(str, shape)) or "a single number"
