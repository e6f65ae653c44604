"""The oracle, for tests that need its arrays: the only test file outside tests/backends/ that knows its package."""

from __future__ import annotations

from netspec_numpy import forward
from netspec_numpy.oracle import NumpyBackend as Oracle

__all__ = ["Oracle", "forward"]
