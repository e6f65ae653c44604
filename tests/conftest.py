"""What all tests share: one thread a worker, and no silent skip where the backends are required."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Two frameworks with a pool of threads each, in every worker, would fight for the cores; set before either loads.
for _variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# A shell that starts a command in the background lets it ignore Ctrl-C, and so everything that the command starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A person's settings must not change what a test reads.
os.environ["NO_COLOR"] = "1"
os.environ["COLUMNS"] = "120"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the expected texts anew; read the difference before it is committed."""
    parser.addoption("--brief", action="store_true", help="run each row of the tables on one batch only")
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to start unless every registered backend works, where NETSPEC_REQUIRE_BACKENDS=1 says that it must."""
    if os.environ.get("NETSPEC_REQUIRE_BACKENDS") != "1" or hasattr(session.config, "workerinput"):
        return
    from netspec.backend import backends

    told = {each.name: each.status() for each in backends()}
    wrong = [
        f"{name} is {status.state}: {status.detail}" for name, status in told.items() if status.state != "ok"
    ]
    if wrong or not told:
        raise pytest.UsageError(
            f"NETSPEC_REQUIRE_BACKENDS=1, but {'; '.join(wrong) or 'no backend is registered'}"
        )


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder, as in a container that runs as any number of a user."""

    def fails() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fails)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
