"""Where data sets come from: the package itself, the original files of the named ones, one's own .npz or idx files."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.ops.nearest import did_you_mean
from netspec.training import conversion, idx
from netspec.training.idx import DataError
from netspec.training.names import EMBEDDED, SETS, STEMS, File, Named, is_path
from netspec.training.samples import Dataset, checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
"""What an .npz file holds."""

_AXES = (3, 1, 3, 1)
_EMBEDDED_FILE = Path(__file__).with_name("data") / "fashion_mnist_small.npz"


def default_folder() -> Path:
    """Where the files of named sets are kept: $NETSPEC_DATA, or netspec/ in the user's cache."""
    if chosen := os.environ.get("NETSPEC_DATA"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "netspec"


def load(data: str, folder: Path | None = None) -> Dataset:
    """The set of that name, or of that path: an .npz file, or a folder of idx files.

    The files of a named set are looked for in `folder`, by default `default_folder()`, and first in a folder
    of the set's name in there.

    Raises:
        DataError: it is missing, incomplete, damaged, or not what its name says.
    """
    if is_path(data):
        return _own(Path(data).expanduser())
    if data == EMBEDDED:
        return _npz(_EMBEDDED_FILE, EMBEDDED, SETS[EMBEDDED].classes).with_channel()
    if data not in SETS:
        raise DataError(
            f"no data set is called {data}{did_you_mean(data, SETS)}", f"there is {', '.join(SETS)}"
        )
    return _named(data, SETS[data], folder or default_folder())


def missing(name: str, folder: Path) -> tuple[File, ...]:
    """The files of a named set that are not there."""
    return tuple(file for file in SETS[name].files if find(file.name, (folder / name, folder)) is None)


def find(stem: str, places: Sequence[Path]) -> Path | None:
    """A file of an idx set, compressed or not."""
    stems = (stem, stem.replace("-idx", ".idx"))  # the second is what some archives unpack to
    paths = (place / f"{each}{end}" for place in places for each in stems for end in (".gz", ""))
    return next((path for path in paths if path.is_file()), None)


def _named(name: str, known: Named, folder: Path) -> Dataset:
    if absent := missing(name, folder):
        raise _incomplete(name, known, absent, folder)
    arrays = []
    for file, axes in zip(known.files, _AXES, strict=True):
        path = find(file.name, (folder / name, folder))
        assert path is not None  # it was there a moment ago
        array, digest = idx.read(path, axes)
        if digest != file.sha256:
            raise DataError(
                f"{path}: is not {file.name} of {name}: {_identity(digest)}", "fetch the original"
            )
        arrays.append(array)
    return checked(name, *arrays, where=str(folder), classes=known.classes).with_channel()


def _incomplete(name: str, known: Named, absent: Sequence[File], folder: Path) -> DataError:
    place, it = folder / name, "it" if len(absent) == 1 else "them"
    files = ", ".join(f"{file.name}.gz" for file in absent)
    lines = [
        "fetch",
        *(f"  {known.url}{file.name}.gz" for file in absent),
        f"and put {it} into {place}; --fetch does both, --data-dir names another folder",
    ]
    return DataError(f"{name} is not here: {place} lacks {files}", "\n".join(lines))


def _identity(digest: str) -> str:
    for name, known in SETS.items():
        for file in known.files:
            if file.sha256 == digest:
                return f"it is {file.name} of {name}"
    return f"the SHA-256 of its content is {digest}"


def _own(path: Path) -> Dataset:
    if path.is_file():
        _require_arrays(path)
        return _npz(path, path.name, None)
    if not path.is_dir():
        raise DataError(f"{path}: there is no such file or folder")
    files = [find(stem, (path,)) for stem in STEMS]
    if absent := [stem for stem, file in zip(STEMS, files, strict=True) if file is None]:
        if len(absent) == len(STEMS) and (converted := conversion.of_pictures(path)):
            raise DataError(f"{path}: is a folder of pictures, and data are an .npz file", converted)
        inside = next(iter(sorted(path.glob("*.npz"))), None)
        advice = (
            f"name the file {inside} itself" if inside else f"a folder holds {', '.join(STEMS)}, plain or .gz"
        )
        raise DataError(f"{path}: lacks {', '.join(absent)}", advice)
    arrays = [idx.read(file, axes)[0] for file, axes in zip(files, _AXES, strict=True) if file is not None]
    return checked(path.name, *arrays, where=str(path)).with_channel()


def _require_arrays(path: Path) -> None:
    """Refuse tables and pictures, which are no arrays yet.

    Raises:
        DataError: it is one of these; the help says how to convert it.
    """
    kind = path.suffix.lower()
    if kind in conversion.TABLES:
        try:
            converted = conversion.of_table(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
        raise DataError(f"{path}: is a table of text, and data are an .npz file", converted)
    if kind in conversion.PICTURES:
        advice = "lay the pictures into a folder for each class, and name the folder around them to see how to go on"
        raise DataError(f"{path}: is a single picture, and data are an .npz file of many", advice)


def _npz(path: Path, name: str, classes: int | None) -> Dataset:
    import numpy as np

    try:
        # Opened here, because NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream:
            arrays = _arrays(np.load(stream, allow_pickle=False), path)
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        # NumPy takes whatever is no archive for pickled objects, and refuses those with the same error.
        raise DataError(
            f"{path}: is no .npz file of plain numbers, or it is damaged", conversion.SAVE
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    return checked(name, *arrays, where=str(path), classes=classes)


def _arrays(file: Any, path: Path) -> list[NDArray[Any]]:
    import numpy as np

    if not isinstance(file, np.lib.npyio.NpzFile):
        raise DataError(f"{path}: holds a single array", "an .npz file holds " + ", ".join(KEYS))
    if absent := [key for key in KEYS if key not in file.files]:
        raise DataError(f"{path}: lacks {', '.join(absent)}", conversion.of_names(path, file.files, KEYS))
    return [file[key] for key in KEYS]
