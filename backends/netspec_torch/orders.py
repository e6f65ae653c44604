"""The order in which the variables of a text hold the axes of a value, and the moves from one order to another.

The canonical order is (N, channels, *sizes). Some layers of PyTorch take and give another one: (N, *sizes, channels). A
text moves axes only where a layer needs another order than the variable has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property, lru_cache

from netspec.dataclass import dataclass
from netspec.lowering.gathering import is_list
from netspec.lowering.parts import Part, Slot, seq
from netspec.types import Type


@dataclass(frozen=True)
class Order:
    """The canonical axis at each place, without the batch: `(2, 1)` is a sequence with its channels last.

    If it is `along` an axis, that axis is an argument of a layer, which can differ between the uses of a block.
    """

    axes: tuple[int, ...]
    along: bool = field(default=False, compare=False)

    @cached_property
    def is_canonical(self) -> bool:
        return self.axes == tuple(range(1, len(self.axes) + 1))

    def dim(self, axis: int) -> int:
        """The dimension of a tensor in this order that is a canonical axis; the batch is dimension 0."""
        return 1 + self.axes.index(axis)

    def without(self, axis: int) -> Order:
        """The order of a value that lacks an axis."""
        return Order(tuple(each - (each > axis) for each in self.axes if each != axis))

    @cached_property
    def back(self) -> tuple[int, ...]:
        """The dimensions of a tensor in this order, in the canonical order."""
        return self.permutation(canonical(len(self.axes)))

    def permutation(self, wanted: Order) -> tuple[int, ...]:
        """The dimensions of a tensor in this order, as a tensor in another order has them."""
        return (0, *map(self.dim, wanted.axes))


@dataclass(frozen=True, slots=True)
class Interface:
    """The order in which a class takes each of its inputs, and gives each of its outputs."""

    takes: tuple[Order, ...]
    makes: tuple[Order, ...]

    @property
    def is_canonical(self) -> bool:
        return all(each.is_canonical for each in (*self.takes, *self.makes))


@lru_cache(maxsize=64)
def canonical(count: int) -> Order:
    """The canonical order of so many axes."""
    return Order(tuple(range(1, count + 1)))


def canonical_of(value: str, types: Mapping[str, Type]) -> Order:
    """The canonical order of a value of a graph; a list of values has no axes of its own."""
    return canonical(0 if is_list(value) else types[value].rank)


@lru_cache(maxsize=64)
def channels_last(count: int) -> Order:
    """The order with the channels last. A vector has only one order."""
    return Order((*range(2, count + 1), 1))


@lru_cache(maxsize=64)
def steps_last(count: int, axis: int) -> Order:
    """The order with one axis and then the channels last, as recurrent layers take it."""
    return Order((*(each for each in range(2, count + 1) if each != axis), axis, 1), along=count > 2)


@lru_cache(maxsize=64)
def all_orders(count: int) -> tuple[Order, ...]:
    """All orders in which a variable can hold a value with so many axes, the canonical one first."""
    sizes = range(2, count + 1)
    every = (canonical(count), channels_last(count), *(steps_last(count, axis) for axis in sizes))
    return tuple(dict.fromkeys(every))


def moved(x: Part, given: Order, wanted: Order) -> Part:
    """A value in another order. `x` is an expression that a method can follow."""
    if given == wanted:
        return x
    count = len(given.axes)
    for first, second, is_back in ((given, wanted, False), (wanted, given, True)):
        if first.is_canonical and second == channels_last(count) and not second.along:
            return seq(x, ".movedim(-1, 1)" if is_back else ".movedim(1, -1)")
        if first.is_canonical and second == steps_last(count, second.axes[-2]):
            axis = Slot(second.axes[-2], "axis", kept=True)
            if is_back:
                return seq(x, ".movedim((-1, -2), (1, ", axis, "))")
            return seq(x, ".movedim((1, ", axis, "), (-1, -2))")
    permutation = given.permutation(wanted)
    swapped = [dim for dim, each in enumerate(permutation) if dim != each]
    if len(swapped) == 2:
        return seq(x, f".transpose({swapped[0]}, {swapped[1]})")
    return seq(x, f".permute({', '.join(map(str, permutation))})")
