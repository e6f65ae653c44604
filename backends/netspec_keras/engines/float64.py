"""Keeps float64 in Keras on JAX and PyTorch, where Keras rounds the result of two tensors to float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from netspec.backend import Incapable
from netspec_keras.framework import keras


@contextmanager
def kept(title: str) -> Iterator[None]:
    """Make Keras keep float64 meanwhile.

    Keras has one rule for the type of a result, from the types of the operands. Its last step makes float64 into
    float32 on every engine but TensorFlow, as JAX does by default. A matrix product, a mean, a sum of two tensors are
    then float32, whatever their operands are. Without that step the rule is the same on all engines.

    Raises:
        Incapable: in this version of Keras that step is elsewhere.
    """
    step: dict[str, str] = getattr(
        import_module("keras.src.backend.common.dtypes"), "BIT64_TO_BIT32_DTYPE", {}
    )
    before = dict(step)
    step["float64"] = "float64"
    try:
        if keras.backend.result_type("float64", "float32") != "float64":
            raise Incapable(
                f"Keras {keras.__version__} on {title} rounds float64 to float32",
                "compare in float32, or set KERAS_BACKEND=tensorflow",
            )
        yield
    finally:
        step.clear()
        step.update(before)
