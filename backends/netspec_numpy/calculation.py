"""The calculation of one node, and what all lowerings do with its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netspec.graph import Node
from netspec.types import Type

Array: TypeAlias = NDArray[np.generic]
Values: TypeAlias = NDArray[np.float64]
PositionArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calculation:
    """The calculation of one node: its inputs, its weights by local names, and whether this is training."""

    node: Node
    inputs: tuple[Values, ...]
    weights: Mapping[str, Values]
    training: bool

    @property
    def x(self) -> Values:
        return self.inputs[0]

    @property
    def types(self) -> tuple[Type, ...]:
        """The type of its first input, which holds numbers."""
        _, channels, *sizes = self.x.shape
        return (Type(channels, tuple(sizes)),)


Lowering = Callable[[Any, Calculation], Values]
"""Computes the output of an op, which is its first argument."""


def biased(y: Values, this: Calculation, name: str = "bias") -> Values:
    """Add the bias of the node, if it has one."""
    return y + along_channels(this.weights[name], y) if name in this.weights else y


def along_channels(vector: Values, like: Values) -> Values:
    """One value per channel, reshaped to be broadcast to (N, C, *spatial)."""
    return vector.reshape(1, -1, *(1,) * (like.ndim - 2))


def spatial(x: Values) -> tuple[int, ...]:
    """The spatial axes of an array."""
    return tuple(range(2, x.ndim))
