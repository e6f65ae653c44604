"""Products of float32 in full precision: on a GPU each engine rounds their factors to 10 bits (TF32)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from netspec_keras.framework import keras


@contextmanager
def _tensorflow() -> Iterator[None]:
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@contextmanager
def _jax() -> Iterator[None]:
    import jax

    with jax.default_matmul_precision("highest"):
        yield


ENGINES: dict[str, Callable[[], AbstractContextManager[None]]] = {"tensorflow": _tensorflow, "jax": _jax}


def full_precision() -> AbstractContextManager[None]:
    """Set full precision on the engine that runs, and put back what was set before."""
    return ENGINES[keras.backend.backend()]()
