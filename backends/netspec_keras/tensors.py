"""Parameters, constants, positions and gated activations in Keras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netspec.types import Type
from netspec_keras.arguments import Types, first, option
from netspec_keras.helpers.tensors import HAS_GELU
from netspec_keras.layer import Holder, LayerText, Lowered

if TYPE_CHECKING:
    from netspec.ops.gate import Gated
    from netspec.ops.nested import Nested
    from netspec.ops.tensors import Constant, Parameter, Positions


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[1:], shape[0])


def _holder(shape: tuple[int, ...]) -> Holder:
    letters = "THWD"[: len(shape) - 1]
    return Holder("value", "C" + letters, letters + "C")


def parameter(op: Parameter, types: Types) -> Lowered:
    """The helper `Learned`, which holds the parameter."""
    layer = LayerText("Learned", (first(_channels_last(op.shape), "shape"),))
    return Lowered((layer,), {"weight": _holder(op.shape)})


def constant(op: Constant, types: Types) -> Lowered:
    """The helper `Fixed`, which holds the values; `Filled` for one value and a shape."""
    shape = _channels_last(op.shape or ())
    if isinstance(op.values, str):
        zeros = LayerText("Filled", (first(shape, "shape"), first(0.0, "value")), "zeros")
        return Lowered((zeros, LayerText("SinusoidPositions", (option("base", op.base, 10000.0),))))
    if not isinstance(op.numbers, tuple):
        return Lowered((LayerText("Filled", (first(shape, "shape"), first(op.numbers, "value"))),))
    return Lowered((LayerText("Fixed", (first(_moved(op.numbers), "values"),)),))


def _moved(values: Nested) -> Nested:
    """The values with the channels last instead of first."""
    assert isinstance(values, tuple)
    if not isinstance(values[0], tuple):
        return values
    return tuple(_at(values, position) for position in _places(values))


def _places(values: tuple[Nested, ...]) -> Iterator[int]:
    assert isinstance(values[0], tuple)
    return iter(range(len(values[0])))


def _at(values: tuple[Nested, ...], position: int) -> Nested:
    """The values of all channels at one position of the next axis, with the channels last."""
    return _moved(tuple(each[position] for each in values if isinstance(each, tuple)))


def positions(op: Positions, types: Types) -> Lowered:
    """The helper `SinusoidPositions` or `LearnedPositions`, which adds to the input."""
    if op.kind == "sinusoid":
        return Lowered((LayerText("SinusoidPositions", (option("base", op.base, 10000.0),)),))
    return Lowered((LayerText("LearnedPositions"),), {"weight": _holder(_shape(types[0]))})


def _shape(type_: Type) -> tuple[int, ...]:
    return type_.shape


def gated(op: Gated, types: Types) -> Lowered:
    """The helper `Gated`."""
    arguments = (option("activation", op.activation, "tanh"), option("gate", op.gate, "sigmoid"))
    parts = frozenset({HAS_GELU} & {op.activation, op.gate})
    return Lowered((LayerText("Gated", arguments, parts=parts),), keeps="channels")
