"""Keeps the numbers of a layer where every backend can hold them: counts below 2⁶³, constants within float32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from pydantic import BaseModel

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Op, Weight
from netspec.types import LARGEST_FLOAT, LIMIT, SMALLEST_FLOAT, Type


def check_numbers(op: Op, inputs: Inputs, outputs: Sequence[Type], weights: Iterable[Weight]) -> int:
    """The MACs of a resolved op, 0 where they are not known, once all its numbers are ones that a backend can hold.

    Raises:
        Misfit: a field, a size, the elements of a tensor or the MACs are too large.
    """
    notes = [f"the input is {' and '.join(map(str, inputs[:4]))}{{source}}"]
    for type_ in outputs:
        _check_type(type_, f"the output of `{op.keyword}`", notes)
    for what, count in op.extents(inputs):
        check_count(f"{what} of `{op.keyword}`", count, notes)
    for weight in weights:
        check_count(f"the number of elements of `{weight.name}`", prod(weight.shape), notes)
    macs = op.macs(inputs) or 0
    check_count(f"the number of multiply-accumulates of `{op.keyword}`", macs, notes)
    for field in type(op).model_fields:
        for number in _numbers(getattr(op, field)):
            _check_field(op, field, number)
    return macs


def check_count(what: str, count: int, notes: Sequence[str] = ()) -> None:
    """Refuse a count from 2⁶³ on.

    Raises:
        Misfit: as said.
    """
    if count >= LIMIT:
        message = f"{what} is {shown(count)}; it must be below 2⁶³"
        raise Misfit(shapes.TOO_LARGE, message, notes=notes, help="use smaller sizes")


def _check_type(type_: Type, what: str, notes: Sequence[str]) -> None:
    for name, size in zip(("channels", *type_.axes), (type_.channels or 0, *type_.sizes), strict=True):
        check_count(f"{name} of {what}", size, notes)
    check_count(f"the number of elements of {what}", type_.elements, notes)


def shown(count: int) -> str:
    """A count as a person reads it: its digits, or its order where there are too many of them."""
    return f"{count:,}" if count < 10**30 else f"about 10^{len(str(count)) - 1}"


def _check_field(op: Op, field: str, number: float) -> None:
    if isinstance(number, int):
        if abs(number) < LIMIT:
            return
        message = f"`{field}` of `{op.keyword}` comes to {shown(abs(number))}; it must be below 2⁶³"
    elif abs(number) > LARGEST_FLOAT:
        message = f"`{field}` of `{op.keyword}` is {number:g}; the largest number of float32 is 3.4e38"
    elif number and abs(number) < SMALLEST_FLOAT:
        message = f"`{field}` of `{op.keyword}` is {number:g}; below 1.4e-45 a number of float32 is 0"
        raise Misfit(shapes.TOO_LARGE, message, field, help="use 0, or a larger number")
    else:
        return
    raise Misfit(shapes.TOO_LARGE, message, field, help="use a smaller number")


def _numbers(value: object) -> Iterator[int | float]:
    """Every number in a field: of pairs and lists, of an activation, of an initialiser."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _numbers(getattr(value, name))
