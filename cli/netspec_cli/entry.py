"""Where the command starts: from its first line to its last, Ctrl-C ends it with a sentence, imports included."""

from __future__ import annotations

# The built-in part: the module around it would first have to be imported.
import _signal as signal  # type: ignore[import-not-found]
import gc
import os
import sys

from netspec_cli.exits import INTERRUPTED


def run() -> None:
    """Run the command line. Nothing heavier than this file is imported before Ctrl-C is provided for."""
    listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not where it is to be ignored
    try:
        if listens:
            signal.signal(signal.SIGINT, _end)
        gc.disable()  # what is imported stays; `main` enables it when the command is there
        from netspec_cli.main import run as command

        if listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        command()
    except KeyboardInterrupt:
        _end()
    finally:
        if listens:
            signal.signal(signal.SIGINT, _end)  # while the interpreter shuts down


def _end(*_: object) -> None:
    """Say that the command was interrupted, and end the process, wherever it is: nothing has been begun."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError, RuntimeError):
            continue
    os.write(2, b"netspec: interrupted\n")
    os._exit(INTERRUPTED)
