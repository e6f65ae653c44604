"""Runs a command in a process of its own, so that a framework that dies is reported: a crash raises no exception."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import typer

from netspec_cli.exits import INTERRUPTED, WRONG_COMMAND
from netspec_cli.streams import complain

LOG = "NETSPEC_APART"
"""In the environment of the process apart: the file in which it says what it does."""
START = "from netspec_cli.main import run; run()"

is_program = False
"""Whether `netspec` itself runs; a caller from Python has its own process to look after."""


def is_apart() -> bool:
    """Whether the work is to be done here."""
    return not is_program or LOG in os.environ


def report(line: str) -> None:
    """Say what is done now, and keep it for whoever has to say what was done last."""
    complain(line)
    if LOG in os.environ:
        Path(os.environ[LOG]).write_text(line, encoding="utf-8")


def run(explain: Callable[[str], str]) -> None:
    """Run this command again, apart, and end with its exit code.

    Args:
        explain: what there is to say of a death, given what was done last.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "last")
        # -P: the folder that one is in holds a user's files, and none of them is a module of ours.
        command = [sys.executable, "-P", "-c", START, *sys.argv[1:]]
        code = _wait(subprocess.Popen(command, env={**os.environ, LOG: str(log)}))
        last = log.read_text(encoding="utf-8") if log.exists() else "starting"
    if code in (0, 1, WRONG_COMMAND, INTERRUPTED):
        raise typer.Exit(code)
    complain(f"netspec: the process that did this was ended by {_cause(code)}, at: {last}{explain(last)}")
    raise typer.Exit(WRONG_COMMAND)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a process, which ends with this one."""
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the terminal interrupts both, and the other says so
    finally:
        signal.signal(signal.SIGTERM, before)


def _cause(code: int) -> str:
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"the exit code {code}"
    return f"{name}, as the system does when memory runs out" if name == "SIGKILL" else name
