"""Reads arrays of numbers from MATLAB files of version 5, as far as SVHN needs them; structures and cells are refused.

An own reader of a hundred lines in the place of SciPy: it checks every size before it takes memory.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from netspec import files
from netspec.data.bounds import LARGEST, DataError
from netspec.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_CHUNK = 1 << 20


def read(path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """The arrays with these names.

    Raises:
        DataError: the file cannot be read, has another version, is damaged, or lacks an array.
    """
    try:
        with files.open_plain(path) as stream:
            found = _arrays(stream, path, names)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    except (struct.error, zlib.error, EOFError, _Broken) as error:
        raise DataError(f"{path}: is damaged: {error}", "fetch it again") from error
    if absent := [name for name in names if name not in found]:
        raise DataError(f"{path}: lacks {', '.join(absent)}")
    return found


class _Broken(Exception):
    """The file does not follow its format."""


@dataclass(frozen=True, slots=True)
class _Element:
    kind: int
    size: int


def _arrays(stream: IO[bytes], path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    start = stream.read(128)
    if len(start) < 128 or not start.startswith(b"MATLAB 5.0"):
        kind = (
            "an HDF5 file (MATLAB 7.3)" if start.startswith((b"MATLAB 7.3", b"\x89HDF")) else "no such file"
        )
        raise DataError(f"{path}: is not a MATLAB file of version 5: it is {kind}")
    order = {b"IM": "<", b"MI": ">"}.get(start[126:128])
    if order is None:
        raise _Broken("its header does not state the order of bytes")
    length = os.fstat(stream.fileno()).st_size
    found: dict[str, NDArray[Any]] = {}
    while stream.tell() < length:
        element = _Element(*struct.unpack(f"{order}II", _exactly(stream, 8)))
        end = stream.tell() + element.size
        if end > length:
            raise _Broken(
                f"an element says that it has {element.size:,} bytes, but {length - stream.tell():,} follow"
            )
        if element.kind == _COMPRESSED:
            inner = _Unpacked(stream, element.size)
            head = _Element(*struct.unpack(f"{order}II", inner.read(8)))
            if head.size > min(LARGEST, 1100 * (element.size + 64)):
                raise _Broken(f"{element.size:,} compressed bytes cannot hold {head.size:,}")
            name, array = _matrix(inner, head, order, names)
        elif element.kind == _MATRIX:
            name, array = _matrix(stream, element, order, names)
        else:
            raise _Broken(f"it has an element of type {element.kind}")
        if array is not None:
            found[name] = array
        stream.seek(end)
    return found


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a compressed element, as they are asked for."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._left, self._unpack = stream, size, zlib.decompressobj()
        self._buffer = b""

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes."""
        parts, missing = [], size
        while missing:
            if not self._buffer:
                packed = self._unpack.unconsumed_tail
                if not packed:
                    packed = self._stream.read(min(self._left, _CHUNK))
                    self._left -= len(packed)
                    if not packed:
                        raise EOFError("its compressed data end too early")
                self._buffer = self._unpack.decompress(packed, _CHUNK)
                continue
            parts.append(self._buffer[:missing])
            self._buffer = self._buffer[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)


def _exactly(stream: Any, size: int) -> bytes:
    content: bytes = stream.read(size)
    if len(content) != size:
        raise EOFError("it ends too early")
    return content


def _part(stream: Any, order: str) -> tuple[int, bytes]:
    """A small part of a matrix: its type and content."""
    kind, size, rest = _head(stream, order)
    if rest is not None:
        return kind, rest
    if size > 1 << 16:
        raise _Broken(f"a part of a header says that it has {size:,} bytes")
    content = _exactly(stream, size)
    _exactly(stream, -size % 8)
    return kind, content


def _head(stream: Any, order: str) -> tuple[int, int, bytes | None]:
    """The type and size of a part; parts of at most four bytes are in their head."""
    start = _exactly(stream, 8)
    (word,) = struct.unpack(f"{order}I", start[:4])
    if word >> 16:
        size = word >> 16
        if size > 4:
            raise _Broken("a small part has more than four bytes")
        return word & 0xFFFF, size, start[4 : 4 + size]
    return word, struct.unpack(f"{order}I", start[4:])[0], None


def _matrix(
    stream: Any, element: _Element, order: str, names: Collection[str]
) -> tuple[str, NDArray[Any] | None]:
    import numpy as np

    if element.kind != _MATRIX:
        raise _Broken(f"it has an element of type {element.kind}")
    if element.size == 0:
        return "", None
    _, flags = _part(stream, order)
    _, sizes = _part(stream, order)
    _, title = _part(stream, order)
    name = title.decode("latin-1")
    if name not in names:
        return name, None
    if len(flags) != 8 or len(sizes) % 4:
        raise _Broken(f"the header of {name} is wrong")
    kind = struct.unpack(f"{order}I", flags[:4])[0]
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    if kind & 0xFF not in _CLASSES or kind & 0x0800:
        raise _Broken(f"{name} is not an array of real numbers")
    stored, size, small = _head(stream, order)
    if stored not in _TYPES or any(each < 0 for each in shape):
        raise _Broken(f"the header of {name} is wrong")
    values = np.dtype(f"{order}{_TYPES[stored]}")
    if prod(shape) * values.itemsize != size or size > min(LARGEST, element.size):
        raise _Broken(f"{name} says that it is {'×'.join(map(str, shape))}, and has {size:,} bytes")
    content = np.empty(size, np.uint8)
    if small is not None:
        content[:] = np.frombuffer(small, np.uint8)
    else:
        for at in range(0, size, _CHUNK):
            part = _exactly(stream, min(_CHUNK, size - at))
            content[at : at + len(part)] = np.frombuffer(part, np.uint8)
    array = content.view(values).reshape(shape, order="F")
    return name, array.astype(_CLASSES[kind & 0xFF], copy=False)
