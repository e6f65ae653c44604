"""The table of a backend: what mypy finds in a row, and what it cannot find.

mypy is strict about `type: ignore`: one that hides no error is an error. So each below says that mypy finds a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from netspec.backend.table import on, table
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
