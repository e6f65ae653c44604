"""Sets of idx files: the four files of MNIST, and those of EMNIST, whose images are stored transposed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data import idx
from netspec.data.arrays import of_arrays
from netspec.data.bounds import DataError
from netspec.data.parts import Classes, Parts
from netspec.recipe.data import Data
from netspec.recipe.names import STEMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

AXES = (3, 1, 3, 1)
EMNIST = "emnist-"
"""The start of the names of EMNIST's files; its images are transposed."""
FROM_1 = "emnist-letters"
"""The only of its splits whose labels start at 1."""
_NAME = re.compile(r"(?:(.+)-)?(train|test|t10k)-(images|labels)[-.]idx([13])-ubyte(\.gz)?")


def prefixes(folder: Path) -> list[str]:
    """The families of idx files in a folder: an empty text for the names of MNIST, else `emnist-balanced` and such."""
    try:
        found = {match[1] or "" for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))}
    except OSError:
        return []
    return sorted(found)


def stems(prefix: str) -> tuple[str, ...]:
    """The four names of a family, without `.gz`."""
    if not prefix:
        return STEMS
    return tuple(f"{prefix}-{stem.replace('t10k', 'test')}" for stem in STEMS)


def find(stem: str, places: Sequence[Path]) -> Path | None:
    """The path of a file of an idx set, compressed or not."""
    names = (stem, stem.replace("-idx", ".idx"))  # some archives unpack to the second name
    paths = (place / f"{each}{end}" for place in places for each in names for end in (".gz", ""))
    return next((path for path in paths if files.exists(path)), None)


def load(folder: Path, prefix: str, data: Data) -> Parts:
    """The parts of a folder of the user's own; without test files, there is no test part.

    Raises:
        DataError: a file is missing or damaged, or the files do not fit each other.
    """
    names = stems(prefix)
    paths = {stem: find(stem, (folder,)) for stem in names}
    absent = [stem for stem, path in paths.items() if path is None]
    if absent and absent != list(names[2:]):
        inside = next(iter(sorted(folder.glob("*.npz"))), None)
        raise DataError(
            f"{folder}: lacks {', '.join(absent)}",
            f"name the file {inside} itself"
            if inside
            else f"a folder holds {', '.join(names)}, plain or .gz",
        )
    present = [path for path in paths.values() if path is not None]
    headers = [idx.header(path, axes) for path, axes in zip(present, AXES, strict=False)]
    for samples, labels in zip(headers[::2], headers[1::2], strict=True):
        if samples.shape[0] != labels.shape[0]:
            raise DataError(
                f"{samples.path}: holds {samples.shape[0]:,} images, and {labels.path.name} {labels.shape[0]:,} labels"
            )
    arrays = [array for array, _ in _contents(present)]
    return of_idx(arrays, prefix, data, name=folder.name, where=str(folder))


def _contents(paths: Sequence[Path]) -> Iterator[tuple[Array, str]]:
    yield from (idx.read(path, axes) for path, axes in zip(paths, AXES, strict=False))


def of_idx(
    arrays: Sequence[Array],
    prefix: str,
    data: Data,
    *,
    name: str,
    where: str,
    classes: Mapping[str, Classes] | None = None,
    own: bool = True,
) -> Parts:
    """The parts of the two or four arrays of a set, as images with a channel."""
    images = [_upright(each, prefix)[:, None] for each in arrays[::2]]
    labels = [_from_0(each, prefix, where) for each in arrays[1::2]]
    pairs = zip(("train", "test"), images, labels, strict=False)
    found = {part: {"images": samples, "labels": numbers} for part, samples, numbers in pairs}
    parts = of_arrays(found, data, name=name, where=where, classes=classes, own=own)
    notes = []
    if prefix.startswith(EMNIST):
        notes.append("the images of EMNIST are stored transposed; they are turned upright here")
    if prefix == FROM_1:
        notes.append("the labels of emnist-letters start at 1; here they start at 0")
    return replace(parts, notes=(*parts.notes, *notes))


def _upright(images: Array, prefix: str) -> Array:
    return images.transpose(0, 2, 1) if prefix.startswith(EMNIST) else images


def _from_0(labels: Array, prefix: str, where: str) -> Array:
    if prefix != FROM_1:
        return labels
    if labels.min() < 1:
        raise DataError(
            f"{where}: the labels of {FROM_1} start at 1, and these have a 0", "fetch the original"
        )
    lowered: Array = labels - labels.dtype.type(1)
    return lowered
