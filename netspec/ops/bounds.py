"""Limits the numbers of a layer to what every backend can represent: counts below 2⁶³, constants in float32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from netspec.diagnostics.codes import shapes
from netspec.model import Model
from netspec.ops.base import Inputs, Misfit, Op, Weight
from netspec.ops.nested import shape_of
from netspec.types import LARGEST_FLOAT, LIMIT, SMALLEST_FLOAT, Type


def check_numbers(op: Op, inputs: Inputs, outputs: Sequence[Type], weights: Iterable[Weight]) -> int:
    """Check that every backend can represent the numbers of a resolved op; return its MACs (0 if unknown).

    Raises:
        Misfit: a field, a size, the elements of a tensor or the MACs are too large.
    """
    for type_ in outputs:
        if type_.elements >= LIMIT or not all(type_.shape):  # otherwise, no size is larger than the product
            _check_type(type_, f"the output of `{op.keyword}`", _source(inputs))
    for what, count in op.extents(inputs):
        if count >= LIMIT:
            check_count(f"{what} of `{op.keyword}`", count, _source(inputs))
    for weight in weights:
        _check_values(op, weight)
        if prod(weight.shape) >= LIMIT:
            check_count(f"the number of elements of `{weight.name}`", prod(weight.shape), _source(inputs))
    macs = op.macs(inputs) or 0
    if macs >= LIMIT:
        check_count(f"the number of multiply-accumulates of `{op.keyword}`", macs, _source(inputs))
    for field in type(op).model_fields:
        value = getattr(op, field)
        kind = type(value)
        if kind is int:
            if not -LIMIT < value < LIMIT:
                _check_field(op, field, value)
        elif kind not in _WITHOUT_NUMBERS:
            for number in _numbers(value):
                _check_field(op, field, number)
    return macs


def _source(inputs: Inputs) -> list[str]:
    return [f"the input is {' and '.join(map(str, inputs[:4]))}{{source}}"]


_WITHOUT_NUMBERS = (str, bool, type(None))

_LETTERS = {
    "O": "output channels",
    "I": "input channels of a group",
    "C": "channels",
    "M": "filters of a channel",
    "N": "connections",
    "V": "indices",
    "T": "time",
    "D": "depth",
    "H": "height",
    "W": "width",
}


def _check_values(op: Op, weight: Weight) -> None:
    """Refuse values that do not have the shape of their weight.

    Raises:
        Misfit: they have another.
    """
    values = weight.init.values
    if values is None or shape_of(values) == weight.shape:
        return
    field = next((name for name in type(op).model_fields if getattr(op, name) == weight.init), None)
    axes = ", ".join(_LETTERS.get(letter, letter) for letter in weight.axes)
    raise Misfit(
        shapes.SIZE,
        f"the values have the shape {list(shape_of(values))}; `{weight.name}` has {list(weight.shape)}",
        field,
        notes=(f"its axes are: {axes}",) if len(weight.axes) == len(weight.shape) else (),
        help=f"give lists in each other of {' and '.join(map(str, weight.shape))} values",
    )


def check_count(what: str, count: int, notes: Sequence[str] = ()) -> None:
    """Refuse a count of 2⁶³ or more.

    Raises:
        Misfit: the count is too large.
    """
    if count >= LIMIT:
        message = f"{what} is {shown(count)}; it must be below 2⁶³"
        raise Misfit(shapes.TOO_LARGE, message, notes=notes, help="use smaller sizes")


def _check_type(type_: Type, what: str, notes: Sequence[str]) -> None:
    for name, size in zip(("channels", *type_.axes), (type_.channels or 0, *type_.sizes), strict=True):
        check_count(f"{name} of {what}", size, notes)
    check_count(f"the number of elements of {what}", type_.elements, notes)


def shown(count: int) -> str:
    """A count for people: its digits, or its order of magnitude if there are too many digits."""
    return f"{count:,}" if count < 10**30 else f"about 10^{len(str(count)) - 1}"


def _check_field(op: Op, field: str, number: float) -> None:
    if isinstance(number, int):
        if abs(number) < LIMIT:
            return
        message = f"`{field}` of `{op.keyword}` is {shown(abs(number))}; it must be below 2⁶³"
    elif abs(number) > LARGEST_FLOAT:
        message = f"`{field}` of `{op.keyword}` is {number:g}; the largest number of float32 is 3.4e38"
    elif number and abs(number) < SMALLEST_FLOAT:
        message = f"`{field}` of `{op.keyword}` is {number:g}; in float32, numbers below 1.4e-45 are 0"
        raise Misfit(shapes.TOO_LARGE, message, field, help="use 0, or a larger number")
    else:
        return
    raise Misfit(shapes.TOO_LARGE, message, field, help="use a smaller number")


def _numbers(value: object) -> Iterator[int | float]:
    """All numbers in a field, including those in lists, activations and initialisers."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            if type(each) is int:  # as almost all are
                yield each
            else:
                yield from _numbers(each)
    elif isinstance(value, Model):
        for name in type(value).model_fields:
            yield from _numbers(getattr(value, name))
