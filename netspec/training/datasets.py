"""Loads data sets: the one in the package, the original files of named sets, and the user's own .npz or idx files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.ops.nearest import did_you_mean
from netspec.recipe.names import EMBEDDED, SETS, STEMS, File, NamedData, expanded, is_path
from netspec.training import conversion, idx, npz
from netspec.training.bounds import DataError
from netspec.training.idx import Header
from netspec.training.samples import Dataset, checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of an .npz file."""

_AXES = (3, 1, 3, 1)
_EMBEDDED_FILE = Path(__file__).with_name("data") / "fashion_mnist_small.npz"


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


def load(data: str, folder: Path | None = None) -> Dataset:
    """Load the set with this name, or at this path: an .npz file, or a folder of idx files.

    The files of a named set are searched first in the subfolder of `folder` with the name of the set, then in
    `folder` itself; its default is `default_folder()`.

    Raises:
        DataError: the set is missing, incomplete or damaged, or is not the original.
    """
    if is_path(data):
        return _own(expanded(data))
    if data == EMBEDDED:
        return _npz(_EMBEDDED_FILE, EMBEDDED, SETS[EMBEDDED].classes).with_channel()
    if data not in SETS:
        raise DataError(
            f"no data set is called {data}{did_you_mean(data, SETS)}", f"the data sets are {', '.join(SETS)}"
        )
    return _named(data, SETS[data], folder or default_folder())


def missing(name: str, folder: Path) -> tuple[File, ...]:
    """The missing files of a named set."""
    return tuple(file for file in SETS[name].files if find(file.name, (folder / name, folder)) is None)


def find(stem: str, places: Sequence[Path]) -> Path | None:
    """The path of a file of an idx set, compressed or not."""
    stems = (stem, stem.replace("-idx", ".idx"))  # some archives unpack to the second name
    paths = (place / f"{each}{end}" for place in places for each in stems for end in (".gz", ""))
    return next((path for path in paths if files.exists(path)), None)


def _named(name: str, known: NamedData, folder: Path) -> Dataset:
    if absent := missing(name, folder):
        raise _incomplete(name, known, absent, folder)
    paths = [find(file.name, (folder / name, folder)) for file in known.files]
    arrays = []
    for file, path, (array, digest) in zip(known.files, paths, _idx(paths, known), strict=True):
        if digest != file.sha256:
            raise DataError(
                f"{path}: is not {file.name} of {name}: {_identity(digest)}", "fetch the original"
            )
        arrays.append(array)
    return checked(name, *arrays, where=str(folder), classes=known.classes).with_channel()


def _idx(paths: Sequence[Path | None], known: NamedData | None = None) -> Iterator[tuple[NDArray[Any], str]]:
    """The four files of a set, in order. All headers are checked before any content is read."""
    present = [path for path in paths if path is not None]
    headers = [idx.header(path, axes) for path, axes in zip(present, _AXES, strict=True)]
    if known is None:
        _check_agreement(*headers)
    else:
        largest = known.train * prod(known.shape)
        for each in headers:
            if each.size > largest:  # a file of a possible size is identified by its checksum
                raise DataError(f"{each.says()}, more than any file of this set", "fetch the original")
    yield from (idx.read(path, axes) for path, axes in zip(present, _AXES, strict=True))


def _check_agreement(images: Header, labels: Header, test_images: Header, test_labels: Header) -> None:
    for samples, classes in ((images, labels), (test_images, test_labels)):
        if samples.shape[0] != classes.shape[0]:
            raise DataError(
                f"{samples.path}: holds {samples.shape[0]:,} images, and {classes.path.name} "
                f"{classes.shape[0]:,} labels"
            )


def _incomplete(name: str, known: NamedData, absent: Sequence[File], folder: Path) -> DataError:
    place, it = folder / name, "it" if len(absent) == 1 else "them"
    names = ", ".join(f"{file.name}.gz" for file in absent)
    lines = [
        "fetch",
        *(f"  {known.url}{file.name}.gz" for file in absent),
        f"and put {it} into {files.shortened(place)}; --fetch does both, --data-dir names another folder",
    ]
    return DataError(f"{name} is not here: {files.shortened(place)} lacks {names}", "\n".join(lines))


def _identity(digest: str) -> str:
    for name, known in SETS.items():
        for file in known.files:
            if file.sha256 == digest:
                return f"it is {file.name} of {name}"
    return f"the SHA-256 of its content is {digest}"


def _own(path: Path) -> Dataset:
    if not files.is_folder(path):
        if fault := files.fault(path):
            why = (
                "there is no such file or folder"
                if files.is_missing(fault)
                else f"cannot be read: {files.reason(fault)}"
            )
            raise DataError(f"{files.shortened(path)}: {why}")
        _require_arrays(path)
        return _npz(path, path.name, None)
    paths = [find(stem, (path,)) for stem in STEMS]
    if absent := [stem for stem, file in zip(STEMS, paths, strict=True) if file is None]:
        if fault := files.unlisted(path):
            raise DataError(f"{path}: cannot be read: {files.reason(fault)}")
        if len(absent) == len(STEMS) and (converted := conversion.of_pictures(path)):
            raise DataError(f"{path}: is a folder of pictures, and data are an .npz file", converted)
        inside = next(iter(sorted(path.glob("*.npz"))), None)
        advice = (
            f"name the file {inside} itself" if inside else f"a folder holds {', '.join(STEMS)}, plain or .gz"
        )
        raise DataError(f"{path}: lacks {', '.join(absent)}", advice)
    arrays = [array for array, _ in _idx(paths)]
    return checked(path.name, *arrays, where=str(path)).with_channel()


def _require_arrays(path: Path) -> None:
    """Refuse tables and pictures, which are not arrays yet.

    Raises:
        DataError: it is one of these; the help says how to convert it.
    """
    kind = path.suffix.lower()
    if kind in conversion.TABLES:
        try:
            converted = conversion.of_table(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
        raise DataError(f"{path}: is a table of text, and data are an .npz file", converted)
    if kind in conversion.PICTURES:
        advice = "put the pictures into one folder per class, and give the parent folder to see how to convert them"
        raise DataError(f"{path}: is a single picture, and data are an .npz file of many", advice)


def _npz(path: Path, name: str, classes: int | None) -> Dataset:
    return checked(name, *npz.read(path, KEYS), where=str(path), classes=classes)
