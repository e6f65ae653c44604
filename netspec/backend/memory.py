"""Separates a lack of memory from other errors, whatever the framework that reports it."""

from __future__ import annotations

from collections.abc import Iterable

from netspec.backend.discovery import backends
from netspec.backend.interface import Backend, Exhaustible


def shortage(error: BaseException, of: Iterable[Backend] | None = None) -> str | None:
    """What an error says of memory that ran out, "" if nothing; None if it means something else.

    It is an error of Python, or of the framework of these backends; by default of all registered ones.
    """
    if isinstance(error, MemoryError):
        return _in_a_sentence(str(error))
    for each in backends() if of is None else of:
        if isinstance(each, Exhaustible) and (found := each.shortage(error)) is not None:
            return _in_a_sentence(found)
    return None


def _in_a_sentence(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "").rstrip(" .")
    # An abbreviation or a name stays as it is: OOM, CUDA, DefaultCPUAllocator.
    first = line.partition(" ")[0]
    return line[:1].lower() + line[1:] if first[1:] == first[1:].lower() else line
