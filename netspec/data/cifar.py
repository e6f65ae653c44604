"""Reads the binary files of CIFAR-10 and CIFAR-100: records of one or two labels and 3×32×32 bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.arrays import of_arrays
from netspec.data.bounds import DataError
from netspec.data.parts import Classes, Parts
from netspec.dataclass import dataclass
from netspec.recipe.data import Data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIXELS = 3 * 32 * 32


@dataclass(frozen=True, slots=True)
class Edition:
    """One of the two sets: its files, the labels at the start of a record with their classes, and the names of them."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: tuple[tuple[str, int], ...]
    names: tuple[tuple[str, str], ...]
    pickles: tuple[str, ...]
    url: str

    @property
    def record(self) -> int:
        """The bytes of a record."""
        return len(self.labels) + _PIXELS


TEN = Edition(
    tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    ("test_batch.bin",),
    (("labels", 10),),
    (("labels", "batches.meta.txt"),),
    ("data_batch_1", "test_batch"),
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
)
HUNDRED = Edition(
    ("train.bin",),
    ("test.bin",),
    (("coarse", 20), ("labels", 100)),
    (("coarse", "coarse_label_names.txt"), ("labels", "fine_label_names.txt")),
    ("train", "test", "meta"),
    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
)


def form_of(folder: Path) -> Edition | None:
    """Which of the sets a folder holds, by its files.

    Raises:
        DataError: it holds the files with pickles.
    """
    for form in (TEN, HUNDRED):
        if any(files.exists(folder / name) for name in (*form.train, *form.test)):
            return form
        if all(files.fault(folder / name) is None for name in form.pickles):
            raise DataError(
                f"{folder}: holds the Python version of CIFAR, whose files are pickles; netspec never loads pickles, "
                "because a pickle can run any code",
                f"fetch the binary version, {form.url}",
            )
    return None


def load(folder: Path, form: Edition, data: Data, name: str, own: bool = True) -> Parts:
    """The training and test parts.

    Raises:
        DataError: a file is missing, has another size, or has a label out of range.
    """
    if absent := [each for each in (*form.train, *form.test) if not files.exists(folder / each)]:
        raise DataError(f"{folder}: lacks {', '.join(absent)}", f"fetch them again from {form.url}")
    arrays = {part: _part(folder, getattr(form, part), form) for part in ("train", "test")}
    counts = {key: Classes(count, _names(folder, key, count, form)) for key, count in form.labels}
    return of_arrays(arrays, data, name=name, where=str(folder), classes=counts, own=own)


def _names(folder: Path, key: str, count: int, form: Edition) -> tuple[str, ...]:
    """The names of the classes, from the file that comes with the set; without it there are none."""
    path = folder / dict(form.names)[key]
    if not files.exists(path):
        return ()
    try:
        lines = files.read(path, 1 << 16).decode("utf-8", "replace").split()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    return tuple(lines) if len(lines) == count else ()


def _part(folder: Path, names: tuple[str, ...], form: Edition) -> dict[str, NDArray[Any]]:
    import numpy as np

    records = [_records(folder / name, form) for name in names]
    whole = np.concatenate(records) if len(records) > 1 else records[0]
    found = {"images": whole[:, len(form.labels) :].reshape(-1, 3, 32, 32)}
    return found | {key: whole[:, at].astype(np.int64) for at, (key, _) in enumerate(form.labels)}


def _records(path: Path, form: Edition) -> NDArray[np.uint8]:
    import numpy as np

    try:
        with files.open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if not size or size % form.record:
                raise DataError(
                    f"{path}: has {size:,} bytes, which are not records of {form.record:,} bytes: it is truncated, or "
                    "another file",
                    "fetch it again",
                )
            content = np.fromfile(stream, np.uint8, size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    records = content.reshape(-1, form.record)
    for at, (_, count) in enumerate(form.labels):
        if (wrong := np.flatnonzero(records[:, at] >= count)).size:
            label = int(records[wrong[0], at])
            raise DataError(
                f"{path}: record {int(wrong[0]):,} (from 0) has the label {label}, and there are {count} classes",
                "fetch it again",
            )
    return records
