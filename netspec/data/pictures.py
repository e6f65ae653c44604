"""Folders of pictures: a class a folder, with masks, or with a box. They are decoded when they are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data import boxes
from netspec.data.arrays import agreed, with_classes
from netspec.data.bounds import DataError
from netspec.data.conversion import PICTURES
from netspec.data.decoding import Look, class_indices, header, look_of, pixels
from netspec.data.parts import PARTS, Classes, Parts
from netspec.data.source import Decoded, Field, Purpose
from netspec.dataclass import dataclass
from netspec.recipe.data import Data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FOLDERS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""The folders of parts."""
MASK_FOLDERS = ("{}annot", "{}_masks", "{}_labels")
"""Where the masks of a folder of pictures are looked for, beside it."""
# What a folder holds.


def has_pictures(folder: Path) -> bool:
    """Whether this is a folder of pictures: of classes, of parts, or of the pictures themselves."""
    parts = [folder / name for name in FOLDERS if files.is_folder(folder / name)]
    return any(_of(each) or any(_of(inside) for inside in _folders(each)) for each in parts or [folder])


def _of(folder: Path) -> list[Path]:
    """The pictures in a folder, sorted by name."""
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURES and not path.name.startswith(".")
        )
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {files.reason(error)}") from error


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {files.reason(error)}") from error


# Loading.


def load(
    folder: Path,
    data: Data,
    base: Path,
    workers: int,
    classes: Mapping[str, Classes] | None = None,
    name: str | None = None,
) -> Parts:
    """The parts in a folder of pictures; paths in `data` are relative to `base`. A named set has its `classes`.

    Raises:
        DataError: Pillow is missing, a folder is empty, a picture cannot be opened, or sizes differ.
    """
    roots = {part: folder / name for name, part in FOLDERS.items() if files.is_folder(folder / name)}
    if "train" not in roots:
        roots = {"train": folder}
    if data.boxes is not None:
        labelled = _boxed(roots, folder, base / data.boxes, data)
    elif masks := _mask_folders(roots, data, base):
        labelled = _masked(roots, masks)
    else:
        labelled = _classed(roots, data)
    first = next(iter(labelled.values()))
    everything = [path for each in labelled.values() for path in each.pictures]
    look = look_of(everything, data, workers)
    if first.masks or "boxes" in first.ready:
        look = replace(look, upright=True)
    sources = {part: _source(each, look, workers) for part, each in labelled.items()}
    known = first.classes if classes is None else classes
    parts = Parts(name or folder.name, str(folder), sources["train"], classes=known, own=classes is None)
    return with_classes(agreed(parts.having(sources)), data)


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The pictures of one part, with arrays in memory beside them, or a mask each."""

    pictures: Sequence[Path]
    ready: Mapping[str, Any]
    classes: Mapping[str, Classes]
    masks: Sequence[Path] = ()


def _classed(roots: Mapping[str, Path], data: Data) -> dict[str, _Labelled]:
    """Pictures in one folder per class, in turns: the first of every class, then the second of every class."""
    import numpy as np

    stated = data.classes if isinstance(data.classes, tuple) else None
    names = [path.name for path in _folders(roots["train"])]
    if not names:
        raise DataError(
            f"{roots['train']}: has no folders of classes",
            "put the pictures of each class into a folder with its name; pictures with masks need `masks` in the "
            "recipe, pictures with a box `boxes`",
        )
    classes = list(stated or names)
    found = {}
    for part, root in roots.items():
        folders = {path.name: path for path in _folders(root)}
        if unknown := [name for name in folders if name not in classes]:
            known = f"the recipe has {', '.join(classes)}" if stated else f"training has {', '.join(classes)}"
            raise DataError(f"{root}: has the folder {unknown[0]}, which is none of the classes: {known}")
        pictures = {name: _of(folders[name]) if name in folders else [] for name in classes}
        if empty := [name for name in folders if not pictures[name]]:
            raise DataError(
                f"{root / empty[0]}: holds no picture: the class {empty[0]} is empty",
                f"remove the folder, or add pictures ({', '.join(PICTURES[:4])} …)",
            )
        turns = [
            (path, classes.index(name))
            for row in zip_longest(*([(path, name) for path in paths] for name, paths in pictures.items()))
            for path, name in filter(None, row)
        ]
        labels = np.array([label for _, label in turns], np.int64)
        found[part] = _Labelled(
            [path for path, _ in turns], {"labels": labels}, {"labels": Classes(len(classes), tuple(classes))}
        )
    return found


def _mask_folders(roots: Mapping[str, Path], data: Data, base: Path) -> dict[str, Path]:
    """The folders with the masks of the parts; none if there are no masks."""
    if data.masks is not None:
        place = base / data.masks
        if len(roots) == 1 and not files.is_folder(place / roots["train"].name):
            return {"train": place}
        return {part: place / root.name for part, root in roots.items()}
    found = {}
    for part, root in roots.items():
        for pattern in MASK_FOLDERS:
            if files.is_folder(beside := root.parent / pattern.format(root.name)):
                found[part] = beside
    if found and len(found) < len(roots):
        absent = next(root for part, root in roots.items() if part not in found)
        raise DataError(f"{absent}: there are no masks for it: {absent}annot is missing")
    return found


def _masked(roots: Mapping[str, Path], masks: Mapping[str, Path]) -> dict[str, _Labelled]:
    found = {}
    for part, root in roots.items():
        pictures = _of(root)
        if not pictures:
            raise DataError(f"{root}: holds no picture")
        by_stem = {path.stem: path for path in _of(masks[part])}
        if absent := [path for path in pictures if path.stem not in by_stem]:
            raise DataError(
                f"{absent[0]}: has no mask: {masks[part] / absent[0].stem}.png is missing",
                f"{len(absent):,} of {len(pictures):,} pictures have none",
            )
        found[part] = _Labelled(pictures, {}, {}, [by_stem[path.stem] for path in pictures])
    return found


def _boxed(roots: Mapping[str, Path], folder: Path, table: Path, data: Data) -> dict[str, _Labelled]:
    """Pictures with a box each, and a class if the file has them."""
    import numpy as np

    rows = boxes.read(table)
    names = list(data.classes) if isinstance(data.classes, tuple) else []
    names = names or sorted({row.label for row in rows.values() if row.label is not None})
    for name, row in rows.items():
        if row.label is not None and row.label not in names:
            known = ", ".join(names)
            raise DataError(f"{table}: line {row.line}: the class {row.label!r} of {name} is none of {known}")
    found = {}
    for part, root in roots.items():
        chosen = {
            path: rows[name]
            for name, path in ((name, folder / name) for name in rows)
            if len(roots) == 1 or path.is_relative_to(root)
        }
        if not chosen:
            raise DataError(f"{table}: has no picture in {root}")
        if absent := [path for path in chosen if files.fault(path)]:
            raise DataError(
                f"{table}: line {chosen[absent[0]].line}: {absent[0]} cannot be read: "
                f"{files.reason(files.fault(absent[0]) or OSError())}"
            )
        ready: dict[str, Any] = {"boxes": np.array([row.box for row in chosen.values()], np.float32)}
        if names:
            ready["labels"] = np.array([names.index(str(row.label)) for row in chosen.values()], np.int64)
        classes = {"labels": Classes(len(names), tuple(names))} if names else {}
        found[part] = _Labelled(list(chosen), ready, classes)
    return found


def _source(part: _Labelled, look: Look, workers: int) -> Decoded:
    import numpy as np

    fields = {"images": look.field}
    for key, array in part.ready.items():
        fields[key] = Field(tuple(array.shape[1:]), str(array.dtype), Purpose.target)
    ready = dict(part.ready)
    if part.masks:
        fields["masks"] = Field((look.height, look.width), "uint8", Purpose.target)
    if "boxes" in ready:
        if look.resized:
            ready["boxes"] = ready["boxes"] * _factors(part.pictures, look, workers)
        _require_inside(ready["boxes"], part.pictures, look)

    def decode(index: int) -> Iterator[tuple[str, Array]]:
        yield "images", pixels(part.pictures[index], look)
        if part.masks:
            yield "masks", class_indices(part.masks[index], look)

    return Decoded(
        fields,
        {key: np.asarray(array) for key, array in ready.items()},
        lambda index: dict(decode(index)),
        len(part.pictures),
        partial(_place, part.pictures),
        workers,
    )


def _place(paths: Sequence[Path], index: int) -> str:
    return str(paths[index])


def _factors(paths: Sequence[Path], look: Look, workers: int) -> Array:
    """By how much each picture is enlarged: (left, top, right, bottom)."""
    import numpy as np

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        seen = list(pool.map(header, paths))
    factors = [(look.width / width, look.height / height) for _, height, width in seen]
    return np.array([(x, y, x, y) for x, y in factors], np.float32)


def _require_inside(found: Array, paths: Sequence[Path], look: Look) -> None:
    import numpy as np

    left, top, right, bottom = found.T
    wrong = (left < 0) | (top < 0) | (right > look.width + 0.5) | (bottom > look.height + 0.5)
    wrong |= (right <= left) | (bottom <= top)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        numbers = ", ".join(f"{number:g}" for number in found[at])
        raise DataError(
            f"{paths[at]}: its box is ({numbers}), and the picture is {look.height}×{look.width}",
            "a box is left, top, right, bottom in pixels of the picture, with left < right and top < bottom",
        )


__all__ = ["FOLDERS", "PARTS", "has_pictures", "load"]
