"""The entry point. Ctrl-C ends the command with a message at any time, also during imports."""

# Only what the interpreter has already, because no import is possible before Ctrl-C is handled: not `signal`, nor `gc`.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_INTERRUPTED = 130
"""The exit code after Ctrl-C, as in `exits`."""


def run() -> None:
    """Run the command line. Ctrl-C is handled before any larger module is imported."""
    listens = (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )  # false if the process ignores Ctrl-C
    try:
        if listens:
            signal.signal(signal.SIGINT, _end)
        import gc

        gc.disable()  # what is imported stays; `program` enables it when the command is there
        chosen = command()
        if listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        chosen()
    except KeyboardInterrupt:
        _end()
    finally:
        if listens:
            signal.signal(signal.SIGINT, _end)  # while the interpreter shuts down


def command() -> "Callable[[], None]":
    """The program for the arguments: without a parser where none is needed."""
    from netspec_cli.plain import plain

    chosen = plain(sys.argv[1:])
    if chosen is not None:
        return chosen
    from netspec_cli.main import run

    return run


def _end(*_: object) -> None:
    """Print that the command was interrupted, and end the process. No work has started yet."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError, RuntimeError):
            continue
    os.write(2, b"netspec: interrupted\n")
    os._exit(_INTERRUPTED)
