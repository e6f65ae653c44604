"""The tensors of a file of any format as data, and the places of weights in the models of a framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from netspec.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]


Rank: TypeAlias = tuple[str, tuple[int, ...]]
"""A series, and a place in it. The order of a file says something only about tensors of one series."""


@dataclass(frozen=True, slots=True)
class Held:
    """The tensors of a file by their names there, in the order of the file.

    `kinds` has the type of the numbers in the file (`bfloat16`); arrays of a type that NumPy does not have are float32.
    `ranks` has the places of tensors in the order of the model, as far as the file says. `notes` say what was left out
    or renamed. `flatten` is the order in which the model flattens maps, if the file says so: "first" or "last", for
    the place of the channels.
    """

    tensors: Mapping[str, Array]
    kinds: Mapping[str, str]
    ranks: Mapping[str, Rank]
    notes: tuple[str, ...] = ()
    flatten: str | None = None
    twins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weight of a graph is in a model of a framework.

    `layer` is the layer of the model and `leaf` the name of its tensor there; `others` are other names that a layer
    can have. `shape` is that of the tensor; it can have several weights as its `parts` along the first axis, of which
    this one is `part`. `turned` converts this part to the canonical layout, `back` does the reverse, and `how` says it
    in words. The tensor `added` of the same layer, where a file has it, is added to this one: a second bias.
    """

    weight: str
    layer: str
    leaf: str
    shape: tuple[int, ...]
    turned: Callable[[Array], Array] = field(compare=False)
    back: Callable[[Array], Array] = field(compare=False)
    how: str = ""
    others: tuple[str, ...] = ()
    part: int | None = None
    parts: int = 1
    added: str | None = None

    def taken(self, tensor: Array, second: Array | None = None) -> Array:
        """The weight in the canonical layout, from the tensor of the file and the one that is added to it."""
        own = tensor if self.part is None else tensor[self.part]
        if second is not None:
            own = own.astype("float64") + second.astype("float64")
        return self.turned(own)


def same(array: Array) -> Array:
    """The array itself, for layouts that are equal."""
    return array


def by_place(names: Iterable[str]) -> dict[str, Rank]:
    """The ranks of tensors in a file that keeps the order of the model."""
    return {name: ("", (number,)) for number, name in enumerate(names)}


def by_number(names: Iterable[str]) -> dict[str, Rank]:
    """The ranks of tensors in a file without an order: names that differ only in numbers are a series."""
    return {name: numbered(name) for name in names}


def numbered(name: str) -> Rank:
    """The text of a name without its numbers, and its numbers."""
    text, numbers, digits = [], [], ""
    for sign in [*name, ""]:
        if sign.isascii() and sign.isdigit():
            digits += sign
            continue
        if digits:
            numbers.append(int(digits))
            text.append("0")
            digits = ""
        text.append(sign)
    return "".join(text), tuple(numbers)
