"""The table of a backend: for each op, the function that lowers it.

mypy checks that the function of a row takes the ops of the row, so that a field which the op does not have is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from netspec.dataclass import dataclass
from netspec.ops import OPS
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


class Families(Mapping[type[Op], Result]):
    """The table of a backend in parts: the rows of a module of `netspec/ops` are made when an op of it is looked up.

    So a backend imports only the families of ops that a network uses, and what lowers them.
    """

    def __init__(self, rows: Callable[[str], Mapping[type[Op], Result]]) -> None:
        """`rows` gives the rows of a module of ops by its name; none for a module that the backend does not know."""
        self._rows = rows
        self._parts: dict[str, Mapping[type[Op], Result]] = {}

    def _part(self, module: str) -> Mapping[type[Op], Result]:
        if module not in self._parts:
            self._parts[module] = self._rows(module)
        return self._parts[module]

    def __getitem__(self, op: type[Op]) -> Result:
        return self._part(op.__module__.rpartition(".")[2])[op]

    def __iter__(self) -> Iterator[type[Op]]:
        for module in OPS.modules():
            yield from self._part(module)

    def __len__(self) -> int:
        return sum(1 for _ in self)
