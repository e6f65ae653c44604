"""Runs a command as a program: prepares the streams, turns all exceptions into messages, and exits with its code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from netspec_cli import ranks, streams
from netspec_cli.exits import INTERRUPTED, WRONG_COMMAND, WRONG_SPEC

SELDOM = 500_000
"""How many new objects there are between two collections of garbage in a command that ends soon."""


def collect_garbage(seldom: bool) -> None:
    """Start to collect garbage, but not what is imported, which stays."""
    gc.freeze()
    if seldom:
        gc.set_threshold(SELDOM)
    gc.enable()


def run(command: Callable[[], int]) -> NoReturn:
    """Run a command, which returns its exit code, and exit with it."""
    # Searching for plugins of pydantic would read the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    streams.prepare()
    with ranks.quietly() as messages:
        code = _code(command)
    sys.exit(code if messages is None else ranks.settled(code, messages.getvalue()))


def explain(error: Exception) -> int | None:
    """Print the message of an expected error, and return the exit code; None if it is a bug in netspec."""
    from netspec_cli.failures import told

    known = told(error)
    if known is None:
        return None
    message, code = known
    if ranks.may_report():
        streams.complain(message)
        _add_notes(error)
    return code


def _code(command: Callable[[], int]) -> int:
    """Run the command; return the exit code after all output is written."""
    try:
        code = command()
        sys.stdout.flush()
        if code == WRONG_SPEC and streams.is_unread():
            code = 0
    except streams.Unwritable as error:
        streams.complain(f"netspec: cannot write to standard output: {error}")
        return WRONG_COMMAND
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if hasattr(error, "exit_code"):  # of typer: a command that ends, or that cannot be read
            if hasattr(error, "show"):
                error.show()
            return int(error.exit_code)
        explained = explain(error)
        if explained is not None:
            return explained
        if "NETSPEC_DEBUG" in os.environ:
            raise  # the user asked for the traceback
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        if ranks.may_report():
            streams.complain(
                f"netspec: this is a bug in netspec, please report it ({what}); NETSPEC_DEBUG=1 shows where"
            )
            _add_notes(error)
        return WRONG_COMMAND
    if code == INTERRUPTED:
        streams.complain("netspec: interrupted")
    return code


def _add_notes(error: BaseException) -> None:
    """Print the notes of an exception, such as the place of a run folder."""
    for note in getattr(error, "__notes__", []):
        streams.complain(f"note: {note}")
