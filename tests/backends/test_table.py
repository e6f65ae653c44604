"""The table of a backend: what mypy finds in a row, and what it cannot find.

mypy is strict about `type: ignore`: one that hides no error is an error. So each below says that mypy finds a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from netspec.backend.table import Families, on, table
from netspec.ops.activation import LeakyRelu, Relu, Sigmoid
from netspec.ops.base import Op
from netspec.ops.dense import Dense

Lowering = Callable[[Any, str], str]


def dense(op: Dense, x: str) -> str:
    """A lowering of one op."""
    return f"{op.units} {x}"


def any_op(op: Op, x: str) -> str:
    """A lowering of all ops."""
    return f"{op.keyword} {x}"


def test_a_row_serves_one_op_or_several() -> None:
    lowerings: Mapping[type[Op], Lowering] = table(on(Dense, dense), on((Relu, Sigmoid), any_op))
    assert lowerings == {Dense: dense, Relu: any_op, Sigmoid: any_op}


def test_mypy_finds_a_lowering_of_another_op() -> None:
    lowerings: Mapping[type[Op], Lowering] = table(
        on(Relu, dense),  # type: ignore[arg-type]
    )
    assert lowerings == {Relu: dense}


def test_mypy_finds_a_field_that_the_op_does_not_have() -> None:
    lowerings: Mapping[type[Op], Lowering] = table(
        on(LeakyRelu, lambda op, x: f"{op.slope} {x}"),
        on(Relu, lambda op, x: f"{op.slope} {x}"),  # type: ignore[attr-defined]
    )
    assert lowerings[LeakyRelu](LeakyRelu(slope=0.5), "x") == "0.5 x"
    with pytest.raises(AttributeError):
        lowerings[Relu](Relu(), "x")


def test_an_op_has_one_row() -> None:
    with pytest.raises(ValueError, match="relu has two lowerings"):
        table(on((Sigmoid, Relu), any_op), on(Relu, any_op))


def test_the_rows_of_a_family_are_made_when_an_op_of_it_is_looked_up() -> None:
    asked: list[str] = []

    def rows(module: str) -> Mapping[type[Op], Lowering]:
        asked.append(module)
        return {"dense": table(on(Dense, dense)), "activation": table(on(Relu, any_op))}.get(module, {})

    lowerings = Families(rows)
    assert lowerings[Relu] is any_op
    assert Sigmoid not in lowerings
    assert asked == ["activation"]
    assert dict(lowerings) == {Dense: dense, Relu: any_op}
    assert len(lowerings) == 2


def test_a_row_in_another_family_is_seen() -> None:
    lowerings = Families(lambda module: table(on(Relu, any_op)) if module == "dense" else {})
    with pytest.raises(KeyError):
        dict(lowerings)
