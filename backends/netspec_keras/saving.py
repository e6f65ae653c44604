"""Saves and reads the files of native Keras models, by Keras itself."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netspec.weights.containers import unreadable


@contextmanager
def _undeprecated() -> Iterator[None]:
    """Keep back what NumPy says to Keras about `numpy.array` of its tensors: users can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def saved(model: Any, suffix: str) -> bytes:
    """The content of a file of the model: `.weights.h5` or `.keras`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{suffix}"
        with _undeprecated():
            if suffix == ".keras":
                model.save(path)
            else:
                model.save_weights(path)
        return path.read_bytes()


def read(model: Any, path: Path) -> None:
    """Set the weights of a model from its own file.

    Raises:
        WeightsError: the file is of another model.
    """
    try:
        with _undeprecated():
            model.load_weights(path)
    except Exception as error:  # Keras raises many types for a file of another model
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise unreadable(path, f"Keras refuses it for this network: {why}") from None
