"""The table of a backend: for each op, the function that lowers it.

mypy checks that the function of a row takes the ops of the row, so that a field which the op does not have is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from netspec.dataclass import dataclass
from netspec.ops.base import Op

AnyOp = TypeVar("AnyOp", bound=Op)
Rest = ParamSpec("Rest")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lowers(Generic[Rest, Result]):
    """A row of the table: some ops, and the function that lowers them."""

    ops: tuple[type[Op], ...]
    function: Callable[Concatenate[Any, Rest], Result]


def on(
    ops: type[AnyOp] | tuple[type[AnyOp], ...], function: Callable[Concatenate[AnyOp, Rest], Result]
) -> Lowers[Rest, Result]:
    """The row of one op, or of several that one function lowers. The first argument of the function is the op."""
    return Lowers(ops if isinstance(ops, tuple) else (ops,), function)


def table(*rows: Lowers[Rest, Result]) -> dict[type[Op], Callable[Concatenate[Any, Rest], Result]]:
    """The function of each op.

    Raises:
        ValueError: an op is in two rows.
    """
    functions: dict[type[Op], Callable[Concatenate[Any, Rest], Result]] = {}
    for row in rows:
        for op in row.ops:
            if op in functions:
                raise ValueError(f"{op.keyword} has two lowerings")
            functions[op] = row.function
    return functions
