"""The entry point. Ctrl-C ends the command with a message at any time, also during imports."""

from __future__ import annotations

# The built-in module, because the module `signal` would have to be imported first.
import _signal as signal  # type: ignore[import-not-found]
import gc
import os
import sys

from netspec_cli.exits import INTERRUPTED


def run() -> None:
    """Run the command line. Ctrl-C is handled before any larger module is imported."""
    listens = (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )  # false if the process ignores Ctrl-C
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
    """Print that the command was interrupted, and end the process. No work has started yet."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError, RuntimeError):
            continue
    os.write(2, b"netspec: interrupted\n")
    os._exit(INTERRUPTED)
