"""Named data sets: where their files are, whether they are the originals, and how each form is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data import cifar, families, idx, mat, npz, pictures
from netspec.data.arrays import KEYS, of_arrays
from netspec.data.bounds import DataError
from netspec.data.idx import Header
from netspec.data.parts import WORDS, Classes, Parts
from netspec.data.source import SampleSource
from netspec.recipe.data import Data
from netspec.recipe.names import EMBEDDED, SETS, File, NamedSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

CHECKED = "netspec.sha256"
"""The checksums of files from an archive, in the form of `sha256sum`; written after the archive was checked."""
_EMBEDDED_FILE = Path(__file__).with_name("embedded") / "fashion_mnist_small.npz"
_CHUNK = 1 << 20


def default_folder() -> Path:
    """The folder with the files of named sets: $NETSPEC_DATA, or netspec/ in the user's cache.

    Raises:
        DataError: the user has no home folder, as in some containers.
    """
    if chosen := os.environ.get("NETSPEC_DATA"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "netspec"
    except RuntimeError:
        raise DataError(
            "this user has no home folder, in which named data sets would be",
            "name a folder with --data-dir, or in the environment variable NETSPEC_DATA",
        ) from None


def load(name: str, folder: Path | None, data: Data, workers: int) -> Parts:
    """A named set; its files are in the subfolder of `folder` with its name, or in `folder` itself.

    Raises:
        DataError: a file is missing, damaged, or not the original.
    """
    known = SETS[name]
    if name == EMBEDDED:
        arrays = dict(zip(KEYS, npz.read(_EMBEDDED_FILE, KEYS), strict=True))
        found = {
            part: {"images": arrays[f"{part}_images"][:, None], "labels": arrays[f"{part}_labels"]}
            for part in ("train", "test")
        }
        return of_arrays(found, data, name=name, where=name, classes=_classes(known), own=False)
    place = folder or default_folder()
    if known.form != "masks" and (absent := missing(name, place)):
        raise incomplete(name, known, absent, place)
    parts = _FORMS[known.form](name, known, place, data, workers)
    _require_counts(parts, known)
    return parts


def missing(name: str, folder: Path) -> tuple[File, ...]:
    """The missing files of a named set."""
    return tuple(file for file in SETS[name].files if path_of(SETS[name], file, name, folder) is None)


def path_of(known: NamedSet, file: File, name: str, folder: Path) -> Path | None:
    """The path of a file of a set, in the folder of the set or in `folder` itself."""
    places = (folder / name, folder)
    if known.form == "idx":
        return families.find(file.name, places)
    return next((place / file.name for place in places if files.exists(place / file.name)), None)


def incomplete(name: str, known: NamedSet, absent: Sequence[File], folder: Path) -> DataError:
    """The message for missing files: where to get them, and where to put them."""
    place, it = folder / name, "it" if len(absent) == 1 else "them"
    names = ", ".join(f"{file.name}{known.packed if known.form == 'idx' else ''}" for file in absent)
    if known.archive is not None:
        lines = [
            f"fetch {known.url}{known.archive.name} ({known.archive.size:,} bytes)",
            f"and put the files of its folder {known.archive.inside} into {files.shortened(place)}; --fetch does both, "
            "--data-dir names another folder",
        ]
    else:
        lines = [
            "fetch",
            *(f"  {known.url}{file.name}{known.packed}" for file in absent),
            f"and put {it} into {files.shortened(place)}; --fetch does both, --data-dir names another folder",
        ]
    return DataError(f"{name} is not here: {files.shortened(place)} lacks {names}", "\n".join(lines))


def _classes(known: NamedSet) -> dict[str, Classes]:
    return {known.target: Classes(known.classes, known.names, known.ignored)}


def _require_counts(parts: Parts, known: NamedSet) -> None:
    """Refuse a set with another number of samples than the original, as far as no checksum did."""
    for part, source in parts:
        count = {"train": known.train, "validation": known.validation, "test": known.test}[part]
        if len(source) != count:
            raise DataError(
                f"{parts.where}: has {len(source):,} {WORDS[part]} samples, and {parts.name} has {count:,}",
                "fetch the original",
            )


# The forms.


def _idx(name: str, known: NamedSet, folder: Path, data: Data, workers: int) -> Parts:
    paths = [path for file in known.files if (path := path_of(known, file, name, folder)) is not None]
    headers = [idx.header(path, axes) for path, axes in zip(paths, families.AXES, strict=True)]
    _require_size(headers, known)
    arrays = []
    for file, path, axes in zip(known.files, paths, families.AXES, strict=True):
        array, digest = idx.read(path, axes)
        _require_original(path, digest, file, name)
        arrays.append(array)
    prefix = known.files[0].name.partition("-train")[0] if known.archive else ""
    return families.of_idx(
        arrays, prefix, data, name=name, where=str(folder), classes=_classes(known), own=False
    )


def _require_size(headers: Sequence[Header], known: NamedSet) -> None:
    largest = known.train * prod(known.shape)
    for each in headers:
        if each.size > largest:  # a file of a possible size is identified by its checksum
            raise DataError(f"{each.says()}, more than any file of this set", "fetch the original")


def _require_original(path: Path, digest: str, file: File, name: str) -> None:
    wanted = file.sha256 or checked_sums(path.parent).get(path.name.removesuffix(".gz"), digest)
    if digest != wanted:
        raise DataError(f"{path}: is not {file.name} of {name}: {_identity(digest)}", "fetch the original")


def _identity(digest: str) -> str:
    for name, known in SETS.items():
        for file in known.files:
            if file.sha256 == digest:
                return f"it is {file.name} of {name}"
    return f"the SHA-256 of its content is {digest}"


def _require_files(name: str, known: NamedSet, folder: Path) -> Path:
    """The folder with all files of a set, if each has its checksum, where one is known."""
    places = {path.parent for file in known.files if (path := path_of(known, file, name, folder)) is not None}
    if len(places) > 1:
        raise DataError(f"the files of {name} are in two folders: {' and '.join(map(str, sorted(places)))}")
    (place,) = places
    sums = checked_sums(place)
    for file in known.files:
        if file.sha256 or file.name in sums:
            path = place / file.name
            _require_original(path, _digest(path), file, name)
    return place


def _digest(path: Path) -> str:
    try:
        with files.open_plain(path) as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
            return digest.hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error


def checked_sums(folder: Path) -> dict[str, str]:
    """The checksums that were written when an archive was unpacked into a folder; empty if none was."""
    path = folder / CHECKED
    if not files.exists(path):
        return {}
    try:
        lines = files.read(path, _CHUNK).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def _cifar(name: str, known: NamedSet, folder: Path, data: Data, workers: int) -> Parts:
    place = _require_files(name, known, folder)
    form = cifar.TEN if known.classes == 10 else cifar.HUNDRED
    return cifar.load(place, form, data, name, own=False)


def _svhn(name: str, known: NamedSet, folder: Path, data: Data, workers: int) -> Parts:
    return svhn(_require_files(name, known, folder), data, name, own=False)


def svhn(folder: Path, data: Data, name: str, own: bool = True) -> Parts:
    """The parts of a folder with `train_32x32.mat` and `test_32x32.mat`. The label 10 stands for the digit 0.

    Raises:
        DataError: a file is damaged, or is another one.
    """
    import numpy as np

    arrays: dict[str, dict[str, Array]] = {}
    for part in ("train", "test"):
        path = folder / f"{part}_32x32.mat"
        if part == "test" and own and not files.exists(path):
            continue
        found = mat.read(path, ("X", "y"))
        images, labels = found["X"], found["y"].reshape(-1)
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[2] != 3:
            raise DataError(f"{path}: is not SVHN: its images are {images.dtype}, {images.shape}")
        arrays[part] = {"images": images.transpose(3, 2, 0, 1), "labels": np.where(labels == 10, 0, labels)}
    known = {"labels": Classes(10, SETS["svhn"].names)}
    parts = of_arrays(arrays, data, name=name, where=str(folder), classes=known, own=own)
    return parts.noting("the label 10 of SVHN stands for the digit 0, and is 0 here")


def _masks(name: str, known: NamedSet, folder: Path, data: Data, workers: int) -> Parts:
    place = folder / name
    if not files.is_folder(place / "train") or not files.is_folder(place / "trainannot"):
        raise DataError(
            f"{name} is not here: {files.shortened(place)} lacks the folders train and trainannot",
            f"get it from {known.origin} (folders train, trainannot, val, valannot, test, testannot) and put them into "
            f"{files.shortened(place)}; netspec knows no checksum of it, so it does not fetch it",
        )
    parts = pictures.load(place, data, place, workers, classes=_classes(known), name=name)
    return parts.noting("no checksum is known for camvid: only the numbers of its pictures are checked")


_FORMS: dict[str, Callable[[str, NamedSet, Path, Data, int], Parts]] = {
    "idx": _idx,
    "cifar": _cifar,
    "svhn": _svhn,
    "masks": _masks,
}

__all__ = ["SampleSource", "default_folder", "load", "missing"]
