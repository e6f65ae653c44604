"""The two streams of a command: stdout for reports, stderr for messages. A failing stream never causes a traceback.

`say` writes reports, `hand_over` documents (source, drawings, specs), `say_json` JSON, and `complain` messages.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from select import select
from typing import Any, TextIO

STRICT = ("strict", "surrogateescape")
"""The error modes that raise an exception for a character that the encoding does not have."""


class Unwritable(Exception):
    """The report cannot be written. `str()` says why."""


_unread = False
"""Whether the reader of the report has closed the pipe before its end."""


def is_unread() -> bool:
    """Whether the reader of the report has closed the pipe before its end, and so does not want the answer."""
    return _unread


def prepare() -> None:
    """Set up stdout and stderr. Call it once, before any output."""
    _take_numbers()
    sys.stdout = _stream(sys.stdout, report=True)
    sys.stderr = _stream(sys.stderr, report=False)


def _take_numbers() -> None:
    """Open the null device in place of each standard stream that the caller closed.

    Otherwise the next file would get its number, and what a framework prints with C would be written into the file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(
                os.open(os.devnull, os.O_RDWR), True
            )  # the lowest free number, which is this one


def _stream(stream: TextIO | None, report: bool) -> TextIO:
    if stream is None:  # the caller closed the stream
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    errors = "backslashreplace" if stream.errors in STRICT else stream.errors
    sink = io.BufferedWriter(_Sink(stream, report))
    return io.TextIOWrapper(sink, stream.encoding, errors, line_buffering=not report or stream.isatty())


class _Sink(io.RawIOBase):
    """A file descriptor that reports the first failed write and ignores all later output.

    Without it, the interpreter would write the remaining output again when it exits, and fail again.
    """

    def __init__(self, stream: io.TextIOWrapper, report: bool) -> None:
        self._stream = stream  # a reference, because the stream closes its file when it is deleted
        self._raw: Any = getattr(stream.buffer, "raw", stream.buffer)
        self._report, self._deaf = report, False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        global _unread
        if self._deaf:
            return size
        try:
            while (written := self._raw.write(data)) is None:  # a non-blocking pipe that is full
                select([], [self._raw], [])
            return int(written)
        except OSError as error:
            self._deaf = True
            # A closed pipe means that the reader has read enough. Lost messages do not change the exit code. But a
            # lost report is an error.
            closed = error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL)
            if self._report and not closed:
                raise Unwritable(error.strerror or str(error)) from None
            _unread = _unread or self._report
            return size


def say(text: str) -> None:
    """Write a report to stdout; characters that its encoding does not have are escaped."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def say_json(facts: Mapping[str, object]) -> None:
    """Write facts to stdout as JSON, with the version of netspec's formats first."""
    import json

    say_json_text(json.dumps({"netspec": 1, **facts}, indent=2, ensure_ascii=False, allow_nan=False))


def say_json_text(text: str) -> None:
    """Write JSON to stdout, in ASCII unless the encoding is UTF-8, so that it is valid in every encoding."""
    say(text if _is_utf8(sys.stdout) else _ascii(text))


def hand_over(text: str) -> None:
    """Write a document to stdout as UTF-8, exactly as in a file, unless stdout is a terminal."""
    if _is_utf8(sys.stdout) or sys.stdout.isatty():
        say(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(
        (text if text.endswith("\n") else f"{text}\n").encode("utf-8", "backslashreplace")
    )
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write a message to stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def rule(width: int) -> str:
    """A horizontal line of a table."""
    return _drawn("─", "-") * width


def _drawn(character: str, plain: str) -> str:
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return character


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "ascii").lower().replace("_", "-") in ("utf-8", "utf8")


def _ascii(text: str) -> str:
    """JSON text with all non-ASCII characters as `\\uXXXX`; they occur only in strings."""
    return "".join(each if each.isascii() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
