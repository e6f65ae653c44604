"""The result of a lowering: the Keras layers of one node, as data, before they become text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from netspec.dataclass import dataclass
from netspec.lowering.parts import Argument, Part
from netspec.lowering.tree import LiteralValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

DASH = "-"
"""The separator in a layer's name: Keras on PyTorch does not allow a dot, and Keras never allows a slash."""


def title(path: str) -> str:
    """The name of the Keras layer of a node, from the path of the node."""
    return path.replace(".", DASH)


@dataclass(frozen=True, slots=True)
class LayerText:
    """One layer of the generated text: `cls(*arguments, name=…)(x)`.

    `suffix` is added to the name of the node; the layer without a suffix has the node's name and holds its weights.
    `after` is an operation on the input (`x / 2.0`), `given` are further arguments of the call. `parts` are the parts
    of its class that it needs, if that is a helper.
    """

    cls: str
    arguments: tuple[Argument, ...] = ()
    suffix: str = ""
    after: tuple[Part, ...] = ()
    given: tuple[Argument, ...] = ()
    parts: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a weight lives in a Keras layer: the variable, and the order of its axes there.

    `axes` are the letters of the canonical layout, which is given `shape` first if that is another one. `blocks` has
    the places, along the first axis of that layout, of the equal blocks in Keras' order. A weight can be one `part` of
    the variable, along its first axis. `start` is the name of how the variable starts, if that is not its own name.
    """

    variable: str
    axes: str
    wanted: str
    shape: tuple[int, ...] | None = None
    blocks: tuple[int, ...] = ()
    part: int | None = None
    start: str = ""

    @property
    def name(self) -> str:
        """The name of the variable in its layer."""
        return self.variable.rpartition(".")[2]

    def inward(self, array: Array) -> Array:
        """Convert a weight from the canonical layout to Keras' layout."""
        from netspec.weights import relayout

        array = reordered(array, self.blocks)
        return relayout(array if self.shape is None else array.reshape(self.shape), self.axes, self.wanted)

    def outward(self, array: Array, shape: tuple[int, ...]) -> Array:
        """Convert a weight from Keras' layout of the whole variable to the canonical layout with shape `shape`."""
        from netspec.weights import relayout

        own = array if self.part is None else array[self.part]
        back = tuple(self.blocks.index(place) for place in range(len(self.blocks)))
        return reordered(relayout(own, self.wanted, self.axes), back).reshape(shape)


def reordered(array: Array, blocks: tuple[int, ...]) -> Array:
    """The equal blocks of the first axis in another order."""
    if not blocks:
        return array
    import numpy as np

    parts = np.split(array, len(blocks))
    return np.concatenate([parts[place] for place in blocks])


Dims = tuple[int, ...]
"""For each dimension of a tensor in another order of axes, the dimension in the order of Keras."""


Keeps = Literal["nothing", "channels", "all"]
"""Only the order of Keras; those with the channels last, as no axis but them has a meaning; or all orders."""


@dataclass(frozen=True, slots=True)
class Turning:
    """A node that moves axes of its first input, or of its value back.

    Without these moves it takes the input, and gives the value, in the orders `takes` and `gives`; None if it moves
    none there. `lower` lowers it with `(moves_in, moves_out)`. A node that does nothing but move axes takes every order
    and gives every order: `between` lowers it with these two. `unmoved` is the order of its value in which its input,
    in a given order, already is.
    """

    takes: Dims | None
    gives: Dims | None
    lower: Callable[[bool, bool], Lowered]
    between: Callable[[Dims | None, Dims | None], Lowered] | None = None
    unmoved: Callable[[Dims | None], Dims] | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """What makes recurrent layers that share their weights one layer: everything that one of them gives, by name.

    `settings` are those of the owner of the weights that a call can state, and each call states the `varying` ones.
    """

    ports: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    settings: tuple[tuple[str, LiteralValue], ...] = ()
    varying: tuple[str, ...] = ()


ALONE = Together()
"""A layer that shares with none."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """One node: its layers one after the other, the first taking the node's inputs, and where its weights go.

    `ports` has, for each further output, the layer that makes it of the node's inputs; it is written where something
    uses that output. Or one layer makes all of them: `several` lowers the node so, for its ports and together with the
    nodes that use the layer. The last layer then gives the values in `gives`: of ports, "" of the node, and others.
    `settings` are those that a call of that layer can state.
    """

    layers: tuple[LayerText, ...]
    holders: Mapping[str, Holder] = field(default_factory=dict)
    ports: Mapping[str, LayerText] = field(default_factory=dict)
    gives: tuple[str, ...] = ()
    several: Callable[[Together], Lowered] | None = field(default=None, compare=False)
    settings: tuple[tuple[str, LiteralValue], ...] = field(default=(), compare=False)
    turning: Turning | None = field(default=None, compare=False)
    """How it is without its moves of axes, if it has some."""
    keeps: Keeps = field(default="nothing", compare=False)
    """Of which orders of axes the layers take each, and give their value in it."""
