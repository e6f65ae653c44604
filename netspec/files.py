"""Reads and writes files: checks a path before opening it, and writes files completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LONGEST = 160
"""The number of characters of a path that a message shows."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_REASONS = {
    errno.EACCES: "permission denied",
    errno.EDQUOT: "the disk quota is exceeded",
    errno.EFBIG: "the file would be larger than the system allows",
    errno.EISDIR: "it is a folder",
    errno.ELOOP: "its links form a loop",
    errno.ENAMETOOLONG: "its path is too long",
    errno.ENOENT: "it does not exist",
    errno.ENOSPC: "the disk is full",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EROFS: "the disk is read-only",
}


_PART = (".netspec-", ".part")


class NotPlain(OSError):
    """The path is not a regular file, but a folder, a pipe, a socket or a device."""


# Reading.


def open_plain(path: str | Path) -> BinaryIO:
    """Open a regular file for reading. Nothing else is opened, because a pipe or a device might never answer.

    Raises:
        OSError: the file does not exist, is not a regular file (`NotPlain`), or cannot be opened; see `reason`.
    """
    with possible():
        require_plain(Path(path).stat())  # before it is opened, because opening a device can have effects
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        require_plain(os.fstat(handle))  # another file may have replaced it in between
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read(path: str | Path, limit: int = -1) -> bytes:
    """The bytes of a regular file, at most `limit` of them.

    Raises:
        OSError: as for `open_plain`.
    """
    with open_plain(path) as stream:
        return stream.read(limit) or b""


def fault(path: str | Path) -> OSError | None:
    """Why the path is not a regular file, or None if it is one. Opens nothing."""
    try:
        with possible():
            require_plain(Path(path).stat())
    except OSError as error:
        return error
    return None


def unlisted(folder: str | Path) -> OSError | None:
    """Why the content of a folder cannot be read, or None if it can."""
    try:
        with possible(), os.scandir(folder):
            return None
    except OSError as error:
        return error


def exists(path: str | Path) -> bool:
    """Whether the path exists; also False if the system cannot say."""
    return status_of(path) is not None


def is_folder(path: str | Path) -> bool:
    """Whether the path is a folder; also False if the system cannot say."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_missing(error: OSError) -> bool:
    """Whether the error says that the path does not exist."""
    return isinstance(error, FileNotFoundError | NotADirectoryError)


def reason(error: OSError) -> str:
    """Why a file cannot be read or written, as the end of a message: `permission denied`."""
    if isinstance(error, NotPlain):
        return str(error)
    known = _REASONS.get(error.errno or 0)
    return known or (error.strerror or str(error) or type(error).__name__).rstrip(".").lower()


def shortened(path: str | Path) -> str:
    """The path for a message, without the middle of a very long one."""
    text, half = str(path), LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}…{text[-half:]}"


def require_plain(status: os.stat_result) -> None:
    """Raise `NotPlain` unless this is the status of a regular file."""
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for holds, name in _KINDS if holds(status.st_mode)), "something else")
        raise NotPlain(f"it is {kind}, not a regular file")


def status_of(path: str | Path) -> os.stat_result | None:
    """The status of the path, or None if there is none."""
    try:
        with possible():
            return Path(path).stat()
    except OSError:
        return None


@contextmanager
def possible() -> Iterator[None]:
    """Turn Python's exceptions for impossible paths into an `OSError`."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise OSError(errno.EINVAL, "its path contains a character that no file name can contain") from error
    except ValueError as error:
        raise OSError(errno.EINVAL, "its path contains a null character") from error


# Writing.


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file at `path` if the block ends without an error.

    The content is written to a file next to it, which is then renamed, so the old file survives a full disk, an error
    or a kill. Links are followed. The file keeps its permissions.

    Raises:
        OSError: the file cannot be written.
    """
    with possible():
        target = Path(os.path.realpath(path))
        before = status_of(target)
        if before is not None:
            require_plain(before)
        part = target.parent / os.urandom(6).hex().join(_PART)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as stream:
            if before is not None and hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode))
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    sync(target.parent)


def write(path: str | Path, content: str | bytes) -> None:
    """Write a file completely, or keep the old one; a text is written as UTF-8. See `writing`.

    Raises:
        OSError: the file cannot be written.
    """
    write_all({Path(path): content})


def write_all(contents: Mapping[Path, str | bytes]) -> None:
    """Write several files: none is renamed to its place before all are on the disk.

    Raises:
        OSError: a file cannot be written; `filename` says which.
    """
    with ExitStack() as stack:
        for path, content in contents.items():
            # Half of a surrogate pair stands for a byte of a file name; UTF-8 can only have its escape.
            data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
            try:
                stream = stack.enter_context(writing(path))
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            except OSError as error:
                error.filename = str(path)
                raise


def is_part(name: str) -> bool:
    """Whether this is the name of an unfinished file of `writing`, left behind by a process that was killed."""
    return name.startswith(_PART[0]) and name.endswith(_PART[1])


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power failure, if the system supports it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
