"""The interface of an engine: outputs, gradients, full precision, arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from netspec_keras.framework import ops

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.types import Float

Tensors = Sequence[Any]
Loss = Callable[[Any, Tensors], Any]
"""From the outputs of a model and the targets, the loss."""
Forward = Callable[[Tensors], Tensors]
Outputs = Callable[[Tensors], Mapping[str, Any]]
"""From the inputs of a batch, the outputs by their names."""
Value = Callable[[Mapping[str, Any]], "tuple[Any, Any]"]
"""From the outputs, the loss of a batch, and what else is calculated from them."""
Gradients = Callable[[Tensors, Tensors], Tensors]
"""From inputs and targets, the gradient with respect to each variable; it also updates running statistics."""


class Program(Protocol):
    """A function of tensors that is compiled as a whole, together with the variables that it reads and assigns."""

    def __call__(self, *tensors: Any) -> Any:
        """The result of the function. Variables may get their values only by `settle`."""
        ...

    def each(self, *stacked: Any) -> Any:
        """The results of several calls, one after the other, in one: all tensors have one more axis in front."""
        ...

    def settle(self) -> None:
        """Give every variable its value: call it before anything else reads one, or after anything else assigns one."""
        ...


class Spread(Protocol):
    """How variables and batches lie on devices."""

    def variables(self) -> AbstractContextManager[object]:
        """Make variables meanwhile: every device has a copy."""
        ...

    def batch(self, array: Any, axis: int) -> Any:
        """A tensor whose samples, along this axis, are divided among the devices."""
        ...

    def outputs(self, run: Outputs, inputs: Tensors) -> Mapping[str, Any]:
        """Inside a program: the outputs of a batch, each device for its samples."""
        ...

    def descend(
        self, run: Outputs, inputs: Tensors, value: Value, learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        """Inside a program: the second result of `value` of the outputs, and the gradients of its first.

        `learnt` are the variables of the gradients, `others` all further variables that are read or assigned.
        """
        ...


class Descends(Protocol):
    """The part of an engine that calculates gradients."""

    def descend(
        self, value: Callable[[], tuple[Any, Any]], learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]: ...


class AsOne:
    """See `Spread`: there is nothing to divide, or the engine divides all calculations."""

    def __init__(self, engine: Descends) -> None:
        self._engine = engine

    def variables(self) -> AbstractContextManager[object]:
        return nullcontext()

    def batch(self, array: Any, axis: int) -> Any:
        return ops.convert_to_tensor(array)

    def outputs(self, run: Outputs, inputs: Tensors) -> Mapping[str, Any]:
        return run(inputs)

    def descend(
        self, run: Outputs, inputs: Tensors, value: Value, learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        return self._engine.descend(lambda: value(run(inputs)), learnt, others)


class Engine(Protocol):
    """A framework that Keras runs on."""

    title: str
    keeps_float64: bool
    """Whether Keras keeps float64 on it without `exact`."""

    def devices(self, kind: str) -> list[str]:
        """The available devices of a kind: "cpu", "gpu" or "tpu"."""
        ...

    def exact(self, dtype: Float) -> AbstractContextManager[object]:
        """Set meanwhile: products of float32 in full precision, and float64 stays float64.

        Raises:
            Incapable: this version of Keras rounds float64 to float32 and cannot be stopped.
        """
        ...

    def rounded(self) -> AbstractContextManager[object]:
        """Set meanwhile: factors of products of float32 are rounded to 10 bits (TF32), on GPUs."""
        ...

    def forward(self, model: Any) -> Forward:
        """The outputs of a model in training mode."""
        ...

    def gradients(self, network: Any, variables: Tensors, loss: Loss) -> Gradients:
        """The gradients of a loss, for a network and its trainable variables."""
        ...

    def program(
        self, function: Callable[..., Any], variables: Tensors, compile: bool, deterministic: bool
    ) -> Program:
        """A function that reads and assigns these variables.

        With `compile`, by XLA where the engine has a choice; with `deterministic`, by kernels that always give the same
        bits.
        """
        ...

    def deterministic(self, wanted: bool) -> AbstractContextManager[object]:
        """Calculate by kernels that always give the same bits meanwhile, also outside of programs."""
        ...

    def spread(self, kind: str, count: int) -> Spread:
        """The first devices of a kind, for variables and batches.

        Raises:
            NoDevice: there are fewer.
        """
        ...

    def descend(
        self, value: Callable[[], tuple[Any, Any]], learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        """Inside a program: the second result of `value`, and the gradients of its first.

        `learnt` are the variables of the gradients, `others` all further variables that `value` reads or assigns.
        """
        ...

    def after(self, before: Any, tensors: Any) -> Any:
        """Inside a program: these tensors, which are not there before the others are calculated."""
        ...

    def array(self, value: Any) -> Array:
        """A copy of a tensor or of a variable's value as an array."""
        ...

    def peak_bytes(self) -> int | None:
        """The peak memory of the first GPU's allocator so far. None: unknown."""
        ...


def listed(outputs: Any) -> Tensors:
    """The outputs of a model as a list; Keras returns a single output without a list."""
    return outputs if isinstance(outputs, list | tuple) else [outputs]
