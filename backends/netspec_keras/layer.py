"""What a lowering gives: the Keras layers of one node, as data, before they become text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netspec.lowering.parts import Argument, Part
from netspec.weights import relayout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

DASH = "-"
"""What joins the parts of a layer's name: Keras on PyTorch does not allow a dot there, nor any Keras a slash."""


def title(path: str) -> str:
    """The name of the Keras layer of a node, from the path of the node."""
    return path.replace(".", DASH)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the generated text: `cls(*arguments, name=…)(x)`.

    `suffix` is what its name has behind the node's own; the layer without one is the node's, and holds its
    weights. `after` is what is done to the input on the way in (`x / 2.0`), `given` are further arguments of its call.
    """

    cls: str
    arguments: tuple[Argument, ...] = ()
    suffix: str = ""
    after: tuple[Part, ...] = ()
    given: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a weight lives in a Keras layer: the variable, and the order of its axes there.

    `axes` are the letters of the canonical layout, which is given `shape` first if that is another one.
    """

    variable: str
    axes: str
    wanted: str
    shape: tuple[int, ...] | None = None

    def inward(self, array: Array) -> Array:
        """From the canonical layout to Keras'."""
        return relayout(array if self.shape is None else array.reshape(self.shape), self.axes, self.wanted)

    def outward(self, array: Array, shape: tuple[int, ...]) -> Array:
        """From Keras' layout to the canonical one, whose shape is `shape`."""
        return relayout(array, self.wanted, self.axes).reshape(shape)


@dataclass(frozen=True, slots=True)
class Lowered:
    """One node: its layers one after the other, the first taking the node's inputs, and where its weights go.

    `ports` has, for each further output, the layer that makes it of the node's inputs; it is written where something
    uses that output.
    """

    layers: tuple[Layer, ...]
    holders: Mapping[str, Holder] = field(default_factory=dict)
    ports: Mapping[str, Layer] = field(default_factory=dict)
