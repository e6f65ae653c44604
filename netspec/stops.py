"""Ctrl-C and signals that stop a run, and protection of its last writes, and of imports, against them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """The process was asked to end by a signal other than Ctrl-C; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def is_stop(error: BaseException) -> bool:
    """Whether the user stopped the run, and not an error."""
    return isinstance(error, KeyboardInterrupt)


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the signals that end a process into exceptions in the block, so that it can report where the files are."""

    def stop(number: int, frame: object) -> None:
        raise Terminated(number)

    with _handling({name: stop for name in _STOPS if name != "SIGINT"}):
        yield


@contextmanager
def undisturbed(drop: bool = False) -> Iterator[None]:
    """Delay such signals, and Ctrl-C, until the end of the block, so that its writes are complete.

    Frameworks are imported in such a block: their C++ code ends the process, or hides the exception behind another.

    `drop`: ignore them, because the run ends anyway.
    """
    came: list[int] = []

    def keep(number: int, frame: object) -> None:
        came.append(number)

    with _handling(dict.fromkeys(_STOPS, keep)):
        yield
    if came and not drop:
        signal.raise_signal(came[0])


class StopRequest:
    """Whether the user asked the run to stop; `number` is the signal's."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def raise_(self) -> NoReturn:
        """Stop the run now."""
        if self.number is None or self.number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated(self.number)


@contextmanager
def patient() -> Iterator[StopRequest]:
    """Note the first such signal in the block, so that it can end at a good moment. The second stops it at once."""
    asked = StopRequest()

    def note(number: int, frame: object) -> None:
        again = bool(asked)
        asked.number = number
        if again:
            asked.raise_()

    with _handling(dict.fromkeys(_STOPS, note)):
        yield asked


@contextmanager
def _handling(handlers: dict[str, Any]) -> Iterator[None]:
    """Install a handler for these signals, only in the main thread; ignored signals stay ignored (nohup)."""
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for name, handler in handlers.items():
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
