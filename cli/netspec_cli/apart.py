"""Runs a command in a separate process, so that a crash of a framework, which raises no exception, is reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from netspec_cli.exits import INTERRUPTED, WRONG_COMMAND
from netspec_cli.streams import complain

LOG = "NETSPEC_APART"
"""Environment variable of the separate process: the file to which it writes its progress."""
START = "from netspec_cli.main import run; run()"

_SECONDS = 0.5
"""How long after Ctrl-C the separate process may take before it is sent Ctrl-C, too."""

is_program = False
"""Whether the program `netspec` runs; for a Python caller, commands run in its own process."""


def is_apart() -> bool:
    """Whether the work is done in this process."""
    return not is_program or LOG in os.environ


def report(line: str) -> None:
    """Print the current step, and record it for a report after a crash."""
    complain(line)
    if LOG in os.environ:
        Path(os.environ[LOG]).write_text(line, encoding="utf-8")


def run(explain: Callable[[str], str]) -> None:
    """Run this command in a separate process, and exit with its exit code.

    Args:
        explain: an explanation of a crash, given the last step.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        log = Path(folder, "last")
        # -P: the current folder contains the user's files, which must not be imported as modules.
        command = [sys.executable, "-P", "-c", START, *sys.argv[1:]]
        code = _wait(subprocess.Popen(command, env={**os.environ, LOG: str(log)}))
        last = log.read_text(encoding="utf-8") if log.exists() else "starting"
    if code in (0, 1, WRONG_COMMAND, INTERRUPTED):
        raise typer.Exit(code)
    complain(f"netspec: the process was ended by {_cause(code)}, at: {last}{explain(last)}")
    raise typer.Exit(WRONG_COMMAND)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a process, which is terminated together with this one."""
    patience: float | None = None
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        while True:
            try:
                return child.wait(patience)
            except KeyboardInterrupt:
                # The terminal interrupts both processes, and the other one reports it; a script may name only this one.
                patience = _SECONDS
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGINT)
                patience = None
    finally:
        signal.signal(signal.SIGTERM, before)


def _cause(code: int) -> str:
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"the exit code {code}"
    return f"{name}, as the system does when memory runs out" if name == "SIGKILL" else name
