"""Downloads the original files of a named set, only on request, and keeps only files with the right checksum."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO

from netspec import files
from netspec.data.datasets import missing
from netspec.data.idx import DataError
from netspec.recipe.names import SETS, File

_CHUNK = 1 << 18
_LARGEST = 1 << 26  # bytes, compressed: twice the largest original file
_LARGEST_CONTENT = 1 << 27
_SECONDS = 30


def fetch(
    name: str, folder: Path, url: str | None = None, tell: Callable[[str], None] = print
) -> tuple[Path, ...]:
    """Download the missing files of a named set into `folder/name`; return them. `url` is a mirror, with a slash.

    Raises:
        DataError: a file cannot be downloaded, or is not the original.
    """
    known = SETS[name]
    place = folder / name
    fetched = []
    for file in missing(name, folder):
        source = f"{url or known.url}{file.name}.gz"
        tell(f"fetching {source}")
        fetched.append(_fetch(file, source, place))
    return tuple(fetched)


def _fetch(file: File, source: str, place: Path) -> Path:
    from urllib.error import URLError
    from urllib.request import urlopen

    target = place / f"{file.name}.gz"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with files.writing(target) as out, urlopen(source, timeout=_SECONDS) as answer:
            digest = _copy(answer, out, source)
            if digest != file.sha256:  # with an error, the old file stays
                message = f"{source}: is not the original {file.name}: its content has the SHA-256 {digest}"
                raise DataError(message, f"expected {file.sha256}")
    except URLError as error:
        raise DataError(
            f"{source}: cannot be fetched: {error.reason}", f"fetch it by hand into {place}"
        ) from error
    except (OSError, HTTPException) as error:
        why = files.reason(error) if isinstance(error, OSError) else str(error)
        raise DataError(f"{source}: cannot be fetched into {place}: {why}") from error
    return target


def _copy(answer: IO[bytes], out: IO[bytes], source: str) -> str:
    """Write the download to a file; return the SHA-256 of its uncompressed content."""
    digest, unpack, size, content = hashlib.sha256(), zlib.decompressobj(wbits=31), 0, 0
    try:
        while chunk := answer.read(_CHUNK):
            size += len(chunk)
            plain = unpack.decompress(chunk, _LARGEST_CONTENT)
            content += len(plain)
            if size > _LARGEST or content > _LARGEST_CONTENT:
                raise DataError(f"{source}: is larger than any file of this set")
            digest.update(plain)
            out.write(chunk)
    except zlib.error as error:
        raise DataError(
            f"{source}: is not gzip", "the address returned something else, for example a web page"
        ) from error
    if not unpack.eof:
        raise DataError(f"{source}: ends before it is complete, after {size:,} bytes", "try again")
    return digest.hexdigest()
