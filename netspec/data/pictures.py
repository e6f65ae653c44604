"""Folders of pictures: a class a folder, with masks, or with a box. Pillow decodes them when they are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
MOST_PIXELS = 1 << 26
"""The largest picture, 8192×8192 pixels."""
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_MODES = {"1": 1, "L": 1, "I;16": 1, "P": 3, "RGB": 3, "CMYK": 3, "YCbCr": 3}
"""How many channels a picture has by its mode in Pillow; others need `channels` in the recipe."""


@dataclass(frozen=True, slots=True)
class Look:
    """How pictures are decoded: their channels, their size, and whether they have 16 bits."""

    channels: int
    height: int
    width: int
    deep: bool = False
    resized: bool = False
    upright: bool = False
    """Whether a picture that its camera turned is refused: its mask or box may be turned, or not."""

    @property
    def field(self) -> Field:
        """The array of one picture."""
        return Field(
            (self.channels, self.height, self.width), "uint16" if self.deep else "uint8", Purpose.input
        )


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
    look = _look(everything, data, workers)
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


# Decoding.


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "pictures need Pillow, which is not installed", 'pip install "netspec-compiler[images]"'
        ) from error
    return Image


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A picture whose header is read, and nothing more; what fails in the block is the fault of the file.

    Raises:
        DataError: it is missing, damaged, not a picture, too large, or holds several.
    """
    image = _pillow()
    try:
        with files.open_plain(path) as stream, image.open(stream, formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(
                    f"{path}: has {picture.width:,}×{picture.height:,} pixels, more than any photograph"
                )
            if getattr(picture, "n_frames", 1) > 1:
                raise DataError(
                    f"{path}: holds {picture.n_frames} pictures", "save each as a file of its own"
                )
            yield picture
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> Exception:
    """The message for an exception of Pillow; its readers raise nearly any kind for a broken file."""
    image = _pillow()
    if isinstance(error, image.DecompressionBombError | image.DecompressionBombWarning):
        return DataError(f"{path}: has more pixels than any photograph")
    if isinstance(error, DataError | MemoryError):
        return error
    if isinstance(error, files.NotPlain) or (isinstance(error, OSError) and error.errno is not None):
        return DataError(f"{path}: cannot be read: {files.reason(error)}")
    return DataError(f"{path}: is not a picture, or is damaged", "replace or remove the file")


def _seen(path: Path) -> tuple[str, int, int]:
    """The mode of a picture, and its height and width as a viewer shows it."""
    with _opened(path) as picture:
        turned = _orientation(picture) in (5, 6, 7, 8)
        mode = picture.mode
        if "transparency" in picture.info:
            mode = "RGBA"
        elif mode.startswith("I"):
            mode = "I;16"
        height, width = (picture.width, picture.height) if turned else (picture.height, picture.width)
        return mode, height, width


def _orientation(picture: Any) -> int:
    """How the camera was held, by EXIF: 1 is upright. Pillow would decode a whole PNG to look for it at its end."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1
    return int(picture.getexif().get(0x0112, 1))


def _look(paths: Sequence[Path], data: Data, workers: int) -> Look:
    """How all pictures of a set are decoded.

    Every header is read, so that a training does not end at its last picture, unless the recipe states all that the
    headers say: with a million pictures, that takes minutes.
    """
    if data.size is not None and data.channels is not None:
        height, width = (*data.size, *data.size)[:2]
        return Look(data.channels, height, width, resized=True)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        seen = list(pool.map(_seen, paths))
    channels: int | None = data.channels
    deep = [mode == "I;16" for mode, _, _ in seen]
    if any(deep) and (not all(deep) or channels == 3):
        raise DataError(
            f"{paths[deep.index(True)]}: has 16 bits"
            + ("" if all(deep) else f", and {paths[deep.index(False)]} has 8"),
            "16-bit pictures are grey, and all or none of a set have 16 bits; convert them",
        )
    if channels is None:
        by_mode = {_MODES.get(mode): path for (mode, _, _), path in zip(seen, paths, strict=True)}
        if None in by_mode or len(by_mode) > 1:
            (mode, *_), path = next(
                (each, path) for each, path in zip(seen, paths, strict=True)
                if _MODES.get(each[0]) != _MODES.get(seen[0][0]) or each[0] not in _MODES
            )  # fmt: skip
            what = "transparency" if mode in ("RGBA", "LA", "PA") else f"the mode {mode}"
            first = f", and {paths[0]} has {seen[0][0]}" if path != paths[0] else ""
            raise DataError(
                f"{path}: has {what}{first}",
                "say what the network gets: `channels: 3` for colour or `channels: 1` for grey in the data of the "
                "recipe; transparency is dropped",
            )
        channels = by_mode.popitem()[0] or 3
    if data.size is not None:
        height, width = (*data.size, *data.size)[:2]
        return Look(channels, height, width, any(deep), resized=True)
    _, height, width = seen[0]
    for path, (_, *other) in zip(paths, seen, strict=True):
        if other != [height, width]:
            raise DataError(
                f"{path}: is {other[0]}×{other[1]}, and {paths[0]} {height}×{width} (height × width)",
                f"resize all: `size: [{height}, {width}]` in the data of the recipe",
            )
    return Look(channels, height, width, any(deep))


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
        yield "images", _pixels(part.pictures[index], look)
        if part.masks:
            yield "masks", _mask(part.masks[index], look)

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


def _pixels(path: Path, look: Look) -> Array:
    """A picture as (channels, height, width), as a viewer shows it."""
    import numpy as np

    with _opened(path) as picture:
        from PIL import ImageOps

        if picture.mode.startswith("I") and not look.deep:
            raise DataError(
                f"{path}: has 16 bits, and other pictures have 8",
                "all or none of a set have 16 bits; convert them",
            )
        if look.upright and _orientation(picture) != 1:
            raise DataError(
                f"{path}: is turned by its camera (EXIF), and its mask or box may be turned, or not",
                "save it upright",
            )
        turned = picture if _orientation(picture) == 1 else ImageOps.exif_transpose(picture)
        if not look.deep:
            turned = turned.convert("L" if look.channels == 1 else "RGB")
        if look.resized:
            turned = turned.resize((look.width, look.height), _pillow().Resampling.BILINEAR, reducing_gap=3.0)
        array = np.asarray(turned)
    if array.max() > 65535 or array.min() < 0:
        raise DataError(f"{path}: has values beyond 16 bits")
    array = array.astype(np.uint16 if look.deep else np.uint8, copy=False)
    if array.shape[:2] != (look.height, look.width):
        height, width = array.shape[:2]
        raise DataError(
            f"{path}: is {height}×{width}, and was {look.height}×{look.width} when it was first opened"
        )
    return array[None] if array.ndim == 2 else np.moveaxis(array, 2, 0)


def one_picture(path: Path, field: Field, resized: bool, converted: bool) -> tuple[Array, str]:
    """One picture in the form in which others were decoded, and what was changed of it, if anything.

    `resized`: it may have another size; `converted`: its colours are changed without a word, as the recipe says it.

    Raises:
        DataError: it cannot be read, or has another size or form.
    """
    channels, height, width = field.shape
    mode, *sizes = _seen(path)
    deep = field.dtype == "uint16"
    if deep != (mode == "I;16"):
        bits = ("8", "16") if deep else ("16", "8")
        raise DataError(f"{path}: has {bits[0]} bits, and the network was trained on {bits[1]}", "convert it")
    changed = ""
    if not converted and _MODES.get(mode) != channels:
        if mode not in _MODES:
            what = "transparency" if mode in ("RGBA", "LA", "PA") else f"the mode {mode}"
            raise DataError(
                f"{path}: has {what}, which the network does not take", "save it in colour or grey"
            )
        changed = "is in colour, converted to grey" if channels == 1 else "is grey, converted to colour"
    if sizes != [height, width] and not resized:
        raise DataError(
            f"{path}: is {sizes[0]}×{sizes[1]} (height × width), and the network was trained on {height}×{width}",
            "--resize changes the size of pictures",
        )
    return _pixels(path, Look(channels, height, width, deep, resized=sizes != [height, width])), changed


def _mask(path: Path, look: Look) -> Array:
    """A mask as (height, width) of class indices; a palette is only for viewers."""
    import numpy as np

    with _opened(path) as picture:
        if picture.mode not in ("L", "P", "1", "I;16", "I"):
            raise DataError(
                f"{path}: is a mask of colours ({picture.mode}); a mask has one class index per pixel",
                "save masks as PNG files with one channel: grey or palette",
            )
        mask = picture
        if look.resized:
            mask = mask.resize((look.width, look.height), _pillow().Resampling.NEAREST)
        array = np.asarray(mask)
    if array.shape != (look.height, look.width):
        raise DataError(
            f"{path}: is a mask of {array.shape[0]}×{array.shape[1]}, and the pictures are {look.height}×{look.width}"
        )
    if array.max(initial=0) > 255:
        raise DataError(f"{path}: has the class {array.max()}, and masks have at most 256 classes")
    return array.astype(np.uint8)


def _factors(paths: Sequence[Path], look: Look, workers: int) -> Array:
    """By how much each picture is enlarged: (left, top, right, bottom)."""
    import numpy as np

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        seen = list(pool.map(_seen, paths))
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


__all__ = ["FOLDERS", "PARTS", "has_pictures", "load", "one_picture"]
