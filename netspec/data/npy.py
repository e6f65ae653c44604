"""Maps a folder of `.npy` files, `train_images.npy` and so on, into memory; they can be larger than it."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netspec import files
from netspec.data.arrays import arranged, of_arrays
from netspec.data.bounds import DataError
from netspec.data.npz import LONGEST_HEADER, header
from netspec.data.parts import Parts
from netspec.recipe.data import Data

if TYPE_CHECKING:
    from numpy.typing import NDArray


def load(folder: Path, data: Data) -> Parts:
    """The parts in a folder of `.npy` files.

    Raises:
        DataError: a file is damaged or holds Python objects, or the arrays do not fit each other.
    """
    names = sorted(path.stem for path in folder.glob("*.npy"))
    named = arranged(folder, names, data)
    mapped = {
        part: {key: _mapped(folder / f"{name}.npy") for key, name in keys.items()}
        for part, keys in named.items()
    }
    guards = [guard for keys in mapped.values() for _, guard in keys.values()]
    arrays = {part: {key: array for key, (array, _) in keys.items()} for part, keys in mapped.items()}

    def require_whole() -> None:
        for guard in guards:
            guard.require()

    parts = of_arrays(arrays, data, name=folder.name, where=str(folder), guard=require_whole)
    used = {name for keys in named.values() for name in keys.values()}
    return parts.without([name for name in names if name not in used])


def one_array(path: Path) -> NDArray[Any]:
    """The array of one file, in memory.

    Raises:
        DataError: it is damaged, or holds Python objects.
    """
    import numpy as np

    mapped, _guard = _mapped(path)
    return np.array(mapped)


class _Guard:
    """Sees whether a mapped file has become shorter."""

    def __init__(self, path: Path, handle: int, size: int) -> None:
        self._path, self._handle, self._size = path, handle, size

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self._handle)

    def require(self) -> None:
        size = os.fstat(self._handle).st_size
        if size < self._size:
            raise DataError(
                f"{self._path}: had {self._size:,} bytes when the training started, and has {size:,} now"
            )


def _mapped(path: Path) -> tuple[NDArray[Any], _Guard]:
    import numpy as np

    try:
        with files.open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            found = header(stream.read(LONGEST_HEADER), size, path, f"{path}:")
            if not found.shape or not prod(found.shape):
                raise DataError(f"{path}: holds nothing")
            order: Literal["F", "C"] = "F" if found.fortran else "C"
            mapped = np.memmap(stream, found.dtype, "r", found.start, found.shape, order)
            return mapped, _Guard(path, os.dup(stream.fileno()), size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
