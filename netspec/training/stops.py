"""Ctrl-C and its like: what counts as a stop, and how the last words of a run are not cut off by another one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """The process was asked to end by a signal other than Ctrl-C; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def is_stop(error: BaseException) -> bool:
    """Whether somebody stopped the run, rather than something in it."""
    return isinstance(error, KeyboardInterrupt)


@contextmanager
def stoppable() -> Iterator[None]:
    """Make the signals that end a process end the block as Ctrl-C does, so that it can say where things lie."""

    def stop(number: int, frame: object) -> None:
        raise Terminated(number)

    with _handling({name: stop for name in _STOPS if name != "SIGINT"}):
        yield


@contextmanager
def undisturbed(drop: bool = False) -> Iterator[None]:
    """Keep such signals out of the block, so that what it writes is whole; they count once it has ended.

    `drop`: they do not count, because the run is ending anyway.
    """
    came: list[int] = []

    def keep(number: int, frame: object) -> None:
        came.append(number)

    with _handling(dict.fromkeys(_STOPS, keep)):
        yield
    if came and not drop:
        signal.raise_signal(came[0])


@contextmanager
def _handling(handlers: dict[str, Any]) -> Iterator[None]:
    """Handle these signals so meanwhile; only the main thread can, and what is ignored stays ignored (nohup)."""
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
