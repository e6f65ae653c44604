"""What moves of axes do to the symbols of a proof: a value has one symbol for each order of its axes.

The rules of `movedim`, `transpose` and `permute` stand here once more, apart from the code that writes these calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netspec.lowering.symbols import NamedValue, Symbol
from netspec.lowering.template import WrongFold
from netspec.types import Type
from netspec_torch.orders import Order

Dims = tuple[int, ...]


class AxesValue(NamedValue):
    """A value in one order of its axes."""

    __slots__ = ("family", "order")

    def __init__(self, name: str, order: Order, family: dict[Dims, AxesValue] | None = None) -> None:
        self.term, self.name = ("value", name), name  # as the bases do: each layer has a value
        self.order = order
        self.family = {} if family is None else family
        self.family[order.axes] = self

    def ordered(self, order: Order) -> AxesValue:
        """The symbol of the same value in another order."""
        axes = order.axes
        return self.family[axes] if axes in self.family else self._in(order)

    def _in(self, order: Order) -> AxesValue:
        return AxesValue(self.name, order, self.family)

    def turned(self, dims: Dims) -> AxesValue:
        """The value with its dimensions in another order; the batch stays first."""
        if dims[0] != 0:
            raise WrongFold(f"{self.name}: the batch is moved to another place than the first")
        return self.ordered(Order(tuple(self.order.axes[dim - 1] for dim in dims[1:])))

    def movedim(self, *arguments: Any) -> AxesValue:
        return self._by("movedim", arguments)

    def transpose(self, *arguments: Any) -> AxesValue:
        return self._by("transpose", arguments)

    def permute(self, *arguments: Any) -> AxesValue:
        return self._by("permute", arguments)

    def _by(self, method: str, arguments: Sequence[Any]) -> AxesValue:
        return self.turned(MOVES[method](1 + len(self.order.axes), *arguments))


class AxesPlace(AxesValue):
    """The place of an input in an expression that many layers have, in one order of its axes."""

    __slots__ = ("number",)

    def __init__(self, number: int, order: Order, family: dict[Dims, AxesValue] | None = None) -> None:
        super().__init__(f"input {number}", order, family)
        self.number = number

    def _in(self, order: Order) -> AxesValue:
        return AxesPlace(self.number, order, self.family)

    def among(self, inputs: Sequence[Any]) -> AxesValue:
        value: AxesValue = inputs[self.number]
        return value if value.order is self.order else value.ordered(self.order)


def turned(value: Any, dims: Dims) -> Any:
    """A value with its dimensions in another order."""
    if dims == tuple(range(len(dims))):
        return value
    return value.turned(dims) if isinstance(value, AxesValue) else Symbol("turned", value, dims)


def without_moves(value: Any, type_: Type) -> Any:
    """What a text makes for a value of a type, with the moves at its end as one change of order."""
    move = _move(value)
    if move is None:
        return value
    dims = tuple(range(1 + type_.rank))
    while move is not None:
        value, method, arguments = move
        first = MOVES[method](len(dims), *arguments)
        dims = tuple(first[dim] for dim in dims)
        move = _move(value)
    return turned(value, dims)


def _move(value: Any) -> tuple[Any, str, Sequence[Any]] | None:
    """The value before a move, the method and its arguments, if a value is the result of a move."""
    if type(value) is not Symbol or value.term[0] != "()":
        return None
    _, function, arguments, keywords = value.term
    if type(function) is not Symbol or function.term[0] != "." or keywords:
        return None
    _, owner, method = function.term
    return (owner, method, arguments) if method in MOVES else None


def _dims(count: int, given: Sequence[int]) -> list[int]:
    """Dimensions counted from the first; each can appear once."""
    dims = [dim + count if dim < 0 else dim for dim in given]
    if len(set(dims)) < len(dims) or not {*dims} <= {*range(count)}:
        raise WrongFold(f"{count} dimensions are moved as {', '.join(map(str, given))}")
    return dims


def _movedim(count: int, source: int | Dims, destination: int | Dims) -> Dims:
    sources = _dims(count, source if isinstance(source, tuple) else (source,))
    places = _dims(count, destination if isinstance(destination, tuple) else (destination,))
    rest = iter(dim for dim in range(count) if dim not in sources)
    moved = dict(zip(places, sources, strict=True))
    return tuple(moved[place] if place in moved else next(rest) for place in range(count))


def _transpose(count: int, first: int, second: int) -> Dims:
    first, second = _dims(count, (first, second))
    swapped = {first: second, second: first}
    return tuple(swapped.get(dim, dim) for dim in range(count))


def _permute(count: int, *dims: int) -> Dims:
    if len(dims) != count:
        raise WrongFold(f"{count} dimensions are permuted as {len(dims)}")
    return tuple(_dims(count, dims))


MOVES: Mapping[str, Callable[..., Dims]] = {
    "movedim": _movedim,
    "transpose": _transpose,
    "permute": _permute,
}
"""The dimension of the input for each of the output."""
