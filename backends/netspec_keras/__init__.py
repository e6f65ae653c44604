"""Keras 3: generated source of `keras.layers` and `keras.ops` alone, run on TensorFlow or on JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netspec_keras.backend import KerasBackend

__all__ = ["backend"]


def backend() -> KerasBackend:
    """The backend `keras`, as the entry point `netspec.backends` names it."""
    from netspec_keras.backend import KerasBackend

    return KerasBackend()
