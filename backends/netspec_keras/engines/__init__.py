"""The engines of Keras, TensorFlow, JAX and PyTorch: one module per engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netspec_keras.engines.interface import Engine
from netspec_keras.framework import keras


def _tensorflow() -> Engine:
    from netspec_keras.engines.tensorflow import TensorFlow

    return TensorFlow()


def _jax() -> Engine:
    from netspec_keras.engines.jax import Jax

    return Jax()


def _torch() -> Engine:
    from netspec_keras.engines.torch import Torch

    return Torch()


ENGINES: Mapping[str, Callable[[], Engine]] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def running() -> Engine:
    """The engine on which Keras runs in this process."""
    return ENGINES[keras.backend.backend()]()
