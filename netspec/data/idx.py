"""Reads idx files, the format of MNIST: a magic number, the sizes, the bytes. Each kind of damage has its message."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from netspec import files
from netspec.data.bounds import LARGEST, DataError, check_packed
from netspec.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DataError", "Header", "header", "read"]

_CHUNK = 1 << 20
_KINDS = {
    0x09: "signed bytes",
    0x0B: "16-bit numbers",
    0x0C: "32-bit numbers",
    0x0D: "floats",
    0x0E: "doubles",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an idx file."""

    path: Path
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of bytes after the header."""
        return prod(self.shape)

    def says(self) -> str:
        """The start of a message."""
        return f"{self.path}: says that it holds {_times(self.shape)} = {self.size:,} bytes"


def header(path: Path, axes: int) -> Header:
    """Read only the header of an idx file.

    Raises:
        DataError: the file cannot be read, is not an idx file of bytes, has another number of axes, or cannot
            hold as many bytes as its header announces.
    """
    with _opened(path) as (stream, length, packed):
        return _header(stream, path, axes, length, packed)[0]


def read(path: Path, axes: int) -> tuple[NDArray[np.uint8], str]:
    """The content of an idx file as an array, and the SHA-256 of the uncompressed file.

    The first bytes of the file, not its name, decide whether it is compressed.

    Raises:
        DataError: as for `header`, or the number of bytes after the header is wrong.
    """
    with _opened(path) as (stream, length, packed):
        found, start = _header(stream, path, axes, length, packed)
        digest = hashlib.sha256(start)
        content = _content(stream, found)
        digest.update(content.data)
        return content.reshape(found.shape), digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int, bool]]:
    """The uncompressed content of a file, the size of the file itself, and whether it is compressed."""
    try:
        with files.open_plain(path) as plain:
            length = os.fstat(plain.fileno()).st_size
            start = plain.read(2)
            plain.seek(0)
            if start != b"\x1f\x8b":
                yield plain, length, False
            else:
                with gzip.open(plain) as stream:
                    yield cast("IO[bytes]", stream), length, True
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: the gzip data are damaged: {str(error).rstrip('.')}", "fetch it again"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error


def _header(stream: IO[bytes], path: Path, axes: int, length: int, packed: bool) -> tuple[Header, bytes]:
    magic = stream.read(4)
    _check_magic(magic, path, axes)
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{path}: ends in its header, after {4 + len(sizes)} of {4 + 4 * axes} bytes")
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, 4 * axes, 4))
    if 0 in shape:
        raise DataError(f"{path}: contains no data: its sizes are {_times(shape)}")
    found = Header(path, shape)
    if found.size > LARGEST:
        raise DataError(f"{found.says()}, more than any set: its header is damaged", "fetch it again")
    if packed:
        check_packed(found.size, length, f"{path}:")
    else:
        _check_length(found, length - len(magic) - len(sizes))
    return found, magic + sizes


def _check_length(found: Header, held: int) -> None:
    if held < found.size:
        raise DataError(f"{found.says()}, but {held:,} follow: it is truncated", "fetch it again")
    if held > found.size:
        raise DataError(f"{found.says()}, but more follow", "fetch it again")


def _check_magic(magic: bytes, path: Path, axes: int) -> None:
    if not magic:
        raise DataError(f"{path}: is empty", "fetch it again")
    if magic[:1] == b"<":
        raise DataError(f"{path}: is a web page, not an idx file", "the download failed; fetch it again")
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path}: is not an idx file: it starts with {magic.hex(' ')}, not with 00 00")
    if magic[2] != 0x08:
        kind = _KINDS.get(magic[2], f"an unknown type, 0x{magic[2]:02x}")
        raise DataError(f"{path}: holds {kind}; images and labels are unsigned bytes")
    if magic[3] != axes:
        what = {1: "labels have one", 3: "images have three"}[axes]
        raise DataError(f"{path}: has {magic[3]} axes, but {what}", "are images and labels swapped?")


def _content(stream: IO[bytes], found: Header) -> NDArray[np.uint8]:
    """Exactly the number of bytes that the header announces, without a second copy and without reading much further."""
    import numpy as np

    content = np.empty(found.size, np.uint8)
    view, done = content.data, 0
    while done < found.size:
        part = stream.read(min(found.size - done, _CHUNK))
        if not part:
            break
        view[done : done + len(part)] = part
        done += len(part)
    _check_length(found, done + len(stream.read(1)) if done == found.size else done)
    return content


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)
