"""Keras 3: generated source that uses only `keras.layers` and `keras.ops`, on TensorFlow, JAX or PyTorch."""

from __future__ import annotations

# Imported here, before the function below has the same name: a later import of the module would replace it.
from netspec_keras.backend import KerasBackend

__all__ = ["backend"]


def backend() -> KerasBackend:
    """The backend `keras`, as the entry point `netspec.backends` names it."""
    return KerasBackend()
