"""Makes batches ahead of their use, in a thread: while a step runs, the next batches are decoded and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
_WAIT = 0.1
"""Seconds after which a waiting thread looks whether it is still needed."""


def prefetched(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """The same items in the same order, at most `depth` of them made before they are needed; 0 makes none ahead.

    An exception of `items` is raised where its item would be. When the iterator is closed or forgotten, the thread
    ends after the item that it is making.
    """
    if depth < 1:
        yield from items
        return
    made: Queue[tuple[str, T | BaseException | None]] = Queue(depth)
    stop = Event()

    def put(kind: str, value: T | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                made.put((kind, value), timeout=_WAIT)
                return True
            except Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
        except BaseException as error:
            put("error", error)
        else:
            put("end", None)

    # A daemon: a sample that never comes must not keep the process alive.
    thread = Thread(target=make, name="netspec-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            try:
                kind, value = made.get(timeout=_WAIT)
            except Empty:
                if not thread.is_alive() and made.empty():
                    raise RuntimeError("the thread that makes batches ended without a word") from None
                continue
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(value, BaseException)
                raise value
            yield value  # type: ignore[misc]
    finally:
        stop.set()
