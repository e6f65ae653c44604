"""Pauses Python's garbage collector while long-lived objects are built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the garbage collector in the block: it would take half of the time, and find nothing.

    What the block builds then counts as old, so that the collector does not go through it directly afterwards.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():  # otherwise, a caller wants its objects to stay frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()
