"""Decodes pictures and masks with Pillow: what their headers say, and their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.bounds import DataError
from netspec.data.source import Field, Purpose
from netspec.dataclass import dataclass
from netspec.recipe.data import Data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

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


def header(path: Path) -> tuple[str, int, int]:
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


def look_of(paths: Sequence[Path], data: Data, workers: int) -> Look:
    """How all pictures of a set are decoded.

    Every header is read, so that a training does not end at its last picture, unless the recipe states all that the
    headers say: with a million pictures, that takes minutes.
    """
    if data.size is not None and data.channels is not None:
        height, width = (*data.size, *data.size)[:2]
        return Look(data.channels, height, width, resized=True)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        seen = list(pool.map(header, paths))
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


def pixels(path: Path, look: Look) -> Array:
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
    mode, *sizes = header(path)
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
    return pixels(path, Look(channels, height, width, deep, resized=sizes != [height, width])), changed


def class_indices(path: Path, look: Look) -> Array:
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
