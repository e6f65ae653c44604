"""What each engine does for the backend: outputs, gradients, full precision, arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.types import Float

Tensors = Sequence[Any]
Loss = Callable[[Any, Tensors], Any]
"""From what a model gives, and the targets, the number that gradients are taken of."""
Forward = Callable[[Tensors], Tensors]
Gradients = Callable[[Tensors, Tensors], Tensors]
"""From inputs and targets, the gradient by each variable; the statistics of batch norms are updated."""


class Engine(Protocol):
    """A framework below Keras."""

    title: str
    keeps_float64: bool
    """Whether Keras keeps float64 on it without `exact`."""

    def devices(self, kind: str) -> list[str]:
        """The devices of a kind that are here: "cpu", "gpu" or "tpu"."""
        ...

    def exact(self, dtype: Float) -> AbstractContextManager[object]:
        """Set meanwhile: products of float32 in full precision, and float64 stays float64.

        Raises:
            Incapable: this version of Keras rounds float64 to float32 and cannot be stopped.
        """
        ...

    def forward(self, model: Any) -> Forward:
        """The outputs of a model in training mode."""
        ...

    def gradients(self, network: Any, variables: Tensors, loss: Loss) -> Gradients:
        """The gradients of a loss, for a network and those of its variables that learn."""
        ...

    def array(self, value: Any) -> Array:
        """A tensor, or what a variable holds, as an array of its own."""
        ...

    def peak_bytes(self) -> int | None:
        """The most that the first GPU's allocator held so far. None: not known."""
        ...


def listed(outputs: Any) -> Tensors:
    """What a model gives as a list; a list of one it gives without the list."""
    return outputs if isinstance(outputs, list | tuple) else [outputs]
