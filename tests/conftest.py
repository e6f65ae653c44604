"""What all tests share: one thread a worker, and no silent skip where the backends are required."""

from __future__ import annotations

import importlib.util
import os

import pytest

# Two frameworks with a pool of threads each, in every worker, would fight for the cores; set before either loads.
for _variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# A person's settings must not change what a test reads.
os.environ["NO_COLOR"] = "1"
os.environ["COLUMNS"] = "120"

FRAMEWORKS = ("torch", "keras", "tensorflow")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to start without the frameworks where NETSPEC_REQUIRE_BACKENDS=1 says that they must be there."""
    if os.environ.get("NETSPEC_REQUIRE_BACKENDS") != "1":
        return
    missing = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is None]
    if missing:
        raise pytest.UsageError(f"NETSPEC_REQUIRE_BACKENDS=1, but not installed: {', '.join(missing)}")
