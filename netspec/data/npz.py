"""Reads .npz files. The header of each array is checked against the archive before its values are read."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from netspec import files
from netspec.data import conversion
from netspec.data.bounds import DataError, check_packed
from netspec.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Errors = tuple[type[Exception], ...]
_ARCHIVE: _Errors = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError),
    # An entry that needs a password, or a version of the format that Python does not support.
    RuntimeError,
)
"""The exceptions of `zipfile` for a broken archive, and of NumPy for truncated values."""
_HEADER: _Errors = (
    *(*_ARCHIVE, TypeError, KeyError, IndexError, AttributeError, SyntaxError, tokenize.TokenError),
    # Python's parser raises this for a header that is nested too deeply.
    MemoryError,
)
"""The exceptions of NumPy, and of Python's parser below it, for a broken header."""
_LARGEST = 2**63
LONGEST_HEADER = 1 << 16
"""The number of bytes in which a header must end; NumPy refuses headers of more than 10,000 characters."""


def read(path: Path, keys: Sequence[str]) -> list[NDArray[Any]]:
    """The arrays with these names; errors as for `read_chosen`."""
    return list(read_chosen(path, lambda _: keys).values())


def read_chosen(path: Path, choose: Callable[[list[str]], Sequence[str]]) -> dict[str, NDArray[Any]]:
    """The arrays that `choose` picks from the names of all arrays.

    Raises:
        DataError: the file cannot be read, is not an archive of plain numbers, lacks an array, or an array does not
            have the size of its header.
    """
    try:
        # Opened here, because NumPy does not close a file that it cannot read.
        with files.open_plain(path) as stream:
            return _arrays(stream, path, choose)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error


@contextmanager
def _reading(path: Path, errors: _Errors) -> Iterator[None]:
    """Turn exceptions of `zipfile` and NumPy into DataError. Use it only around their calls, not around our code."""
    try:
        yield
    except errors as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: is not an .npz file of plain numbers, or it is damaged", conversion.SAVE)


def _arrays(
    stream: IO[bytes], path: Path, choose: Callable[[list[str]], Sequence[str]]
) -> dict[str, NDArray[Any]]:
    import numpy as np

    if stream.read(6) == np.lib.format.MAGIC_PREFIX:
        raise DataError(f"{path}: holds a single array", conversion.SAVE)
    with _reading(path, _ARCHIVE):
        archive = zipfile.ZipFile(stream)
    with archive:
        members = [info.filename.removesuffix(".npy") for info in archive.infolist()]
        keys = choose(members)
        if absent := [key for key in keys if key not in members]:
            raise DataError(f"{path}: lacks {', '.join(absent)}", conversion.of_names(path, members, keys))
        if twice := [key for key in keys if members.count(key) > 1]:
            raise DataError(f"{path}: holds {', '.join(twice)} twice", conversion.SAVE)
        infos = [archive.infolist()[members.index(key)] for key in keys]
        for key, info in zip(keys, infos, strict=True):
            _check(archive, info, path, key)
        found = {}
        for key, info in zip(keys, infos, strict=True):
            with _reading(path, _ARCHIVE), archive.open(info) as member:
                found[key] = np.lib.format.read_array(member, allow_pickle=False)
        return found


def _check(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, key: str) -> None:
    """Refuse an array that does not have the size of its header, or that its packed bytes cannot unpack to."""
    # NumPy uses no other compression, and each compression has its own exceptions.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path)
    with _reading(path, _ARCHIVE):
        member = archive.open(info)
    with member, _reading(path, _ARCHIVE):
        # NumPy would first read as many bytes as the header says that it has, up to 4 GiB.
        start = member.read(LONGEST_HEADER)
    what = f"{path}: {key}"
    found = header(start, info.file_size, path, what)
    size = prod(found.shape) * found.dtype.itemsize
    check_packed(size, info.compress_size, what)


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """The header of an array: where its values start, and what they are."""

    start: int
    shape: tuple[int, ...]
    fortran: bool
    dtype: Any


def header(start: bytes, held: int, path: Path, what: str) -> ArrayHeader:
    """The header at the start of `held` bytes, if they are as many as it says; `what` starts a message.

    Raises:
        DataError: it is broken, is of Python objects, or does not fit the size.
    """
    import numpy as np

    stream = io.BytesIO(start)
    with _reading(path, _ARCHIVE):
        version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise _damaged(path)
    read_header = _HEADERS[version]()
    with _reading(path, _HEADER):
        shape, fortran, dtype = read_header(stream)
    held -= stream.tell()
    if dtype.hasobject:
        raise DataError(f"{what} holds Python objects, which are never loaded", conversion.SAVE)
    size = prod(shape) * dtype.itemsize
    # A header can contain numbers with thousands of digits, which Python does not print.
    if size >= _LARGEST or any(not 0 <= each < _LARGEST for each in shape):
        raise _damaged(path)
    if size != held:
        sizes = "×".join(map(str, shape)) or "1"
        raise DataError(
            f"{what} says that it is {sizes} numbers of {dtype}, {size:,} bytes, but {held:,} follow: it is damaged",
            conversion.SAVE,
        )
    return ArrayHeader(stream.tell(), shape, fortran, dtype)


def _later(version: int) -> Callable[[], Any]:
    """NumPy's function that reads the header of this version."""

    def find() -> Any:
        import numpy as np

        return getattr(np.lib.format, f"read_array_header_{version}_0")

    return find


# The third version differs from the second only in the encoding of field names, which plain numbers do not have.
_HEADERS = {(1, 0): _later(1), (2, 0): _later(2)}
