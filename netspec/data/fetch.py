"""Downloads the original files of a named set, only on request, and keeps only files with the right checksum.

A download is written beside its place and gets its name when its checksum is right. One that was broken off stays as
`NAME.part` and goes on from there at the next try, if the server can do that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from netspec import files
from netspec.data.bounds import DataError
from netspec.data.sets import CHECKED, missing
from netspec.recipe.names import SETS, Archive, File, NamedSet

_CHUNK = 1 << 18
_LARGEST = 1 << 30
"""Bytes as they are sent: twice the largest original file."""
_LARGEST_CONTENT = 1 << 30
_SECONDS = 30
_PART = ".part"

Tell = Callable[[str], None]


def fetch(name: str, folder: Path, url: str | None = None, tell: Tell = print) -> tuple[Path, ...]:
    """Download the missing files of a named set into `folder/name`; return them. `url` is a mirror, with a slash.

    Raises:
        DataError: no checksum is known, a file cannot be downloaded, or it is not the original.
    """
    known = SETS[name]
    if not known.files:
        if not known.origin:
            return ()
        raise DataError(
            f"{name} cannot be fetched: netspec knows no verified checksum of it",
            f"get it from {known.origin}, and put it into {folder / name}",
        )
    absent = missing(name, folder)
    if not absent:
        return ()
    place = folder / name
    with _told(place):
        place.mkdir(parents=True, exist_ok=True)
    if known.archive is not None:
        return _from_archive(known, known.archive, place, url or known.url, tell)
    return tuple(
        _fetch(file, known, f"{url or known.url}{file.name}{known.packed}", place, tell) for file in absent
    )


def _fetch(file: File, known: NamedSet, source: str, place: Path, tell: Tell) -> Path:
    target = place / f"{file.name}{known.packed}"
    part = _download(source, target, tell)
    digest = _digest(part, source, packed=bool(known.packed))
    if digest != file.sha256:
        _remove(part)
        message = f"{source}: is not the original {file.name}: its content has the SHA-256 {digest}"
        raise DataError(message, f"expected {file.sha256}")
    with _told(place):
        part.replace(target)
    files.sync(place)
    return target


def _from_archive(known: NamedSet, archive: Archive, place: Path, url: str, tell: Tell) -> tuple[Path, ...]:
    """The files of a set out of its archive, which is removed when they are unpacked."""
    source, packed = f"{url}{archive.name}", place / archive.name
    if files.exists(packed):
        tell(f"unpacking {packed}")
        part = packed
    else:
        part = _download(source, packed, tell)
    digest = _digest(part, source, packed=False)
    if digest != archive.sha256:
        message = f"{part if part == packed else source}: is not the original {archive.name}: its SHA-256 is {digest}"
        if part != packed:
            _remove(part)
        raise DataError(message, f"expected {archive.sha256}")
    with _told(place):
        if part != packed:
            part.replace(packed)
        found = _unpack(packed, archive, known, place)
    with suppress(OSError):
        packed.unlink()
    return found


def _unpack(packed: Path, archive: Archive, known: NamedSet, place: Path) -> tuple[Path, ...]:
    """Copy the files of a set out of an archive; only these names are read, so no path leads outside."""
    sums: dict[str, str] = {}
    targets = []
    try:
        with _members(packed, archive) as member:
            for file in known.files:
                end = ".gz" if known.form == "idx" else ""
                name = f"{file.name}{end}"
                stream, digest = member(f"{archive.inside}/{name}"), hashlib.sha256()
                with stream, files.writing(place / name) as out:
                    if end:
                        _copy_gzip(stream, out, digest)
                    else:
                        for chunk in iter(lambda stream=stream: stream.read(_CHUNK), b""):  # type: ignore[misc]
                            digest.update(chunk)
                            out.write(chunk)
                sums[file.name] = digest.hexdigest()
                targets.append(place / name)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{packed}: cannot be unpacked: {error}", "remove it, and fetch it again") from error
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    path = place / CHECKED
    before = files.read(path).decode() if files.exists(path) else ""
    files.write(path, before + lines)
    return tuple(targets)


@contextmanager
def _members(packed: Path, archive: Archive) -> Iterator[Callable[[str], IO[bytes]]]:
    """Opens members of an archive by name."""
    if archive.name.endswith(".zip"):
        with files.open_plain(packed) as plain, zipfile.ZipFile(plain) as zipped:
            yield zipped.open
        return
    with files.open_plain(packed) as plain, tarfile.open(fileobj=plain, mode="r:gz") as tar:

        def member(name: str) -> IO[bytes]:
            found = tar.extractfile(name)
            if found is None:
                raise KeyError(f"{name} is not a file")
            return found

        yield member


def _copy_gzip(stream: IO[bytes], out: IO[bytes], digest: Any) -> None:
    unpack = zlib.decompressobj(wbits=31)
    while chunk := stream.read(_CHUNK):
        for plain in _unpacked(unpack, chunk):
            digest.update(plain)
        out.write(chunk)


# Downloading.


def _download(source: str, target: Path, tell: Tell) -> Path:
    """Download into `NAME.part`, from where an earlier try ended; return the part."""
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    part = target.with_name(f"{target.name}{_PART}")
    there = part.stat().st_size if files.exists(part) else 0
    tell(f"fetching {source}" + (f", from byte {there:,} on" if there else ""))
    request = Request(source, headers={"Range": f"bytes={there}-"} if there else {})
    try:
        with urlopen(request, timeout=_SECONDS) as answer:
            goes_on = there and answer.status == 206 if hasattr(answer, "status") else False
            with _told(target.parent):
                out = part.open("ab" if goes_on else "wb")
            with out:
                _copy(answer, out, source, there if goes_on else 0, target.parent)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the part has as many bytes as the file, or more: the checksum decides
            return part
        raise DataError(
            f"{source}: cannot be fetched: {error.code} {error.reason}", _by_hand(target)
        ) from error
    except URLError as error:
        raise DataError(f"{source}: cannot be fetched: {error.reason}", _by_hand(target)) from error
    except (OSError, HTTPException) as error:
        why = files.reason(error) if isinstance(error, OSError) else str(error)
        raise DataError(f"{source}: cannot be fetched: {why}", _again(part)) from error
    return part


def _by_hand(target: Path) -> str:
    return f"fetch it by hand into {target.parent}"


def _again(part: Path) -> str:
    kept = part.stat().st_size if files.exists(part) else 0
    return f"try again: it goes on after the {kept:,} bytes that are here" if kept else "try again"


def _copy(answer: Any, out: IO[bytes], source: str, done: int, place: Path) -> None:
    """Copy the answer; refuse one that ends early, or is too large."""
    length = answer.headers.get("Content-Length") if getattr(answer, "headers", None) else None
    wanted = done + int(length) if length and length.isdecimal() else None
    if max(done, wanted or 0) > _LARGEST:
        _remove(Path(out.name))
        raise _too_large(source)
    while chunk := answer.read(_CHUNK):
        done += len(chunk)
        if done > _LARGEST:
            _remove(Path(out.name))
            raise _too_large(source)
        with _told(place, Path(out.name)):
            out.write(chunk)
            out.flush()
    with _told(place, Path(out.name)):
        os.fsync(out.fileno())
    if wanted is not None and done < wanted:
        raise DataError(
            f"{source}: ends before it is complete, after {done:,} of {wanted:,} bytes",
            "try again: it goes on where it ended",
        )


@contextmanager
def _told(place: Path, part: Path | None = None) -> Iterator[None]:
    """Turn an error of the disk into a message with the space that is left; a part is removed, to leave room."""
    try:
        yield
    except OSError as error:
        if part is not None:
            _remove(part)
        free = ""
        with suppress(OSError):
            free = f"; {shutil.disk_usage(place).free:,} bytes are free"
        raise DataError(
            f"{place}: cannot be written: {files.reason(error)}{free}",
            "make room, or name another folder with --data-dir",
        ) from error


def _digest(path: Path, source: str, packed: bool) -> str:
    """The SHA-256 of a file, or of the content of a gzip file. A damaged download is removed."""
    digest, unpack, content = hashlib.sha256(), zlib.decompressobj(wbits=31), 0
    try:
        with files.open_plain(path) as stream:
            while chunk := stream.read(_CHUNK):
                for plain in _unpacked(unpack, chunk) if packed else (chunk,):
                    content += len(plain)
                    if content > _LARGEST_CONTENT:
                        _remove(path)
                        raise _too_large(source)
                    digest.update(plain)
    except zlib.error as error:
        _remove(path)
        raise DataError(
            f"{source}: is not gzip", "the address returned something else, for example a web page"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    if packed and not unpack.eof:
        size = path.stat().st_size
        _remove(path)
        raise DataError(f"{source}: ends before it is complete, after {size:,} bytes", "try again")
    return digest.hexdigest()


def _unpacked(unpack: Any, chunk: bytes) -> Iterator[bytes]:
    """The content of a piece of a gzip file, in pieces that fit the memory whatever it unpacks to."""
    while chunk and not unpack.eof:
        yield unpack.decompress(chunk, 16 * _CHUNK)
        chunk = unpack.unconsumed_tail


def _too_large(source: str) -> DataError:
    return DataError(f"{source}: is larger than any file of this set")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
