"""One report and one message, although several processes run the same command."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netspec_cli.exits import INTERRUPTED, WRONG_SPEC

_GRACE = 1.0
"""The time in seconds in which the process that reports can end before one that does not: then all are ended."""


def rank() -> int:
    """The number of this process among those that torchrun started; 0 is the first, or the only one."""
    given, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    return int(given) if given.isdecimal() and size.isdecimal() else 0


def is_one_of_several() -> bool:
    """Whether torchrun, or what stands for it, started this process."""
    return int(os.environ.get("WORLD_SIZE", "1") or 1) > 1 and "RANK" in os.environ


@contextmanager
def quietly() -> Iterator[io.StringIO | None]:
    """Drop the report of a process that is not the first, and keep its messages, which `settled` prints or drops."""
    if not rank():
        yield None
        return
    out, messages = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123
        sys.stdout, sys.stderr = nothing, io.StringIO()
        try:
            yield sys.stderr
        finally:
            sys.stdout, sys.stderr = out, messages


def settled(code: int, messages: str) -> int:
    """The exit code of a process that is not the first.

    A stop, or a loss that is not a number, ends all processes, and the first one reports it. Of other errors, the
    process reports it that has it first: the others only see that it is gone.
    """
    if code == 0 or code >= INTERRUPTED - 2:
        return 0
    if code != WRONG_SPEC and reports():
        sys.stderr.write(messages)
        sys.stderr.flush()
    else:
        time.sleep(_GRACE)
    return code


def may_report() -> bool:
    """Whether to print an error now; the messages of a process that is not the first are kept for the end."""
    return bool(rank()) or reports()


def reports() -> bool:
    """Whether this process is the first one on this machine that reports an error."""
    known = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not known or not is_one_of_several():
        return True
    try:
        # The folder of this attempt, which torchrun removes.
        os.close(os.open(Path(known).parent.parent / "reported", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
