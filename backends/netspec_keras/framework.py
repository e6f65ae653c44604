"""Imports Keras, without the messages that TensorFlow prints at its start."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from netspec.backend import Unavailable
from netspec.stops import undisturbed
from netspec_keras.engine import how_to_install

__all__ = ["keras", "ops"]


def _load() -> Any:
    """Keras itself.

    Raises:
        Unavailable: it, or the engine below it, fails to import.
    """
    # Unless the user has set it, show only errors: TensorFlow warns about every float64 kernel that it does not fuse.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with undisturbed(), _quiet():
            import keras as found
    except Exception as error:  # a broken installation can raise any exception
        raise Unavailable(
            f"Keras fails to import: {type(error).__name__}: {error}", how_to_install(), "keras"
        ) from error
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the messages that TensorFlow's C++ code prints before its own filter works; pass on all others."""
    if "keras" in sys.modules:
        yield
        return
    with tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        real = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            caught.seek(0)
            told = caught.read().splitlines(keepends=True)
            os.write(2, b"".join(line for line in told if not _chatter(line)))


def _chatter(line: bytes) -> bool:
    return line.startswith((b"I0000 ", b"WARNING: All log messages before absl::InitializeLog()"))


# Without types, because Keras has none.
keras: Any = _load()
ops: Any = keras.ops
