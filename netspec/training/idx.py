"""Reads idx files, the format of MNIST: a magic number, the sizes, the bytes; each way to be broken has its message."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK = 1 << 24
_LIMIT = 1 << 34  # 16 GiB: more is a damaged header, not a data set
_KINDS = {
    0x09: "signed bytes",
    0x0B: "16-bit numbers",
    0x0C: "32-bit numbers",
    0x0D: "floats",
    0x0E: "doubles",
}


class DataError(Exception):
    """A data set is missing or damaged: `str()` says what is wrong, `help` what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def read(path: Path, axes: int) -> tuple[NDArray[np.uint8], str]:
    """The bytes of an idx file in their shape, and the SHA-256 of its uncompressed content.

    Whether it is compressed is told from its first bytes, not from its name.

    Raises:
        DataError: the file cannot be read, is no idx file of bytes, has another number of axes, or more or
            fewer bytes than it says.
    """
    try:
        with path.open("rb") as plain:
            start = plain.read(2)
            plain.seek(0)
            if start != b"\x1f\x8b":
                return _parse(plain, path, axes)
            with gzip.open(plain) as stream:
                return _parse(stream, path, axes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: the gzip data are damaged: {str(error).rstrip('.')}", "fetch it again"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _parse(stream: IO[bytes] | gzip.GzipFile, path: Path, axes: int) -> tuple[NDArray[np.uint8], str]:
    import numpy as np

    magic = stream.read(4)
    _check_magic(magic, path, axes)
    header = stream.read(4 * axes)
    if len(header) < 4 * axes:
        raise DataError(f"{path}: ends within its header, after {4 + len(header)} of {4 + 4 * axes} bytes")
    shape = tuple(int.from_bytes(header[at : at + 4], "big") for at in range(0, 4 * axes, 4))
    if 0 in shape:
        raise DataError(f"{path}: holds nothing: its sizes are {_times(shape)}")
    content = _content(stream, prod(shape), path, shape)
    digest = hashlib.sha256(magic + header)
    digest.update(content)
    return np.frombuffer(content, dtype=np.uint8).reshape(shape), digest.hexdigest()


def _check_magic(magic: bytes, path: Path, axes: int) -> None:
    if not magic:
        raise DataError(f"{path}: is empty", "fetch it again")
    if magic[:1] == b"<":
        raise DataError(f"{path}: is a web page, not an idx file", "the download failed; fetch it again")
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path}: is no idx file: it starts with {magic.hex(' ')}, not with 00 00")
    if magic[2] != 0x08:
        kind = _KINDS.get(magic[2], f"something unknown, 0x{magic[2]:02x}")
        raise DataError(f"{path}: holds {kind}; images and labels are unsigned bytes")
    if magic[3] != axes:
        what = {1: "labels have one", 3: "images have three"}[axes]
        raise DataError(
            f"{path}: has {magic[3]} axes, and {what}", "are images and labels in each other's place?"
        )


def _content(stream: IO[bytes] | gzip.GzipFile, size: int, path: Path, shape: tuple[int, ...]) -> bytes:
    """Exactly `size` bytes, never reading much further, whatever a damaged header or archive promises."""
    says = f"{path}: says that it holds {_times(shape)} = {size:,} bytes"
    if size > _LIMIT:
        raise DataError(f"{says}, more than any set: its header is damaged", "fetch it again")
    parts: list[bytes] = []
    left = size
    while left and (part := stream.read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    if left:
        raise DataError(f"{says}, and {size - left:,} follow: it is cut short", "fetch it again")
    if stream.read(1):
        raise DataError(f"{says}, and more follow", "fetch it again")
    return b"".join(parts)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)
