"""Ten samples as a picture. SVG has names below the samples and any size; PNG is for places that take no SVG.

Both are made of the same tiles, with an own PNG writer: no library is needed. The samples are the first of each class,
so that a set with ten classes shows all of them.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from netspec.data.parts import Parts
from netspec.data.source import SampleSource
from netspec.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

COUNT = 10
_ACROSS = 5
_SIDE = 128
"""The longer side of a tile in the picture."""
_GAP, _LINE = 12, 18
_FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
_MOST = 512
"""The longest side of a tile in its own pixels; larger ones are thinned."""


@dataclass(frozen=True, slots=True)
class SampleTile:
    """One sample: its pixels (height, width, 3), the words below it, and a box in its pixels if it has one."""

    pixels: Any
    words: str
    box: tuple[float, ...] | None = None


def tiles(parts: Parts, count: int = COUNT) -> list[SampleTile]:
    """The first training samples of each class, in the order of the classes; else the first samples.

    Raises:
        DataError: a sample cannot be read.
    """
    import numpy as np

    source, key = parts.train, parts.inputs[0]
    labels = next(
        (each for each in parts.targets if source.column(each) is not None and not parts.shape(each)), None
    )
    chosen = _one_per_class(source, labels, count)
    batch = source.take(np.asarray(chosen))
    masks = next((each for each in parts.targets if len(parts.shape(each)) == 2 and each == "masks"), None)
    found = []
    low, high = float(batch[key].min()), float(batch[key].max())
    for at in range(len(chosen)):
        pixels = _pixels(batch[key][at], low, high)
        words = f"{chosen[at]:,}"
        if labels is not None:
            label = batch[labels][at]
            known = parts.classes.get(labels)
            words = (
                known.name(int(label))
                if known is not None
                else f"{label:g}"
                if label.dtype.kind == "f"
                else str(label)
            )
        if masks is not None:
            pixels = _masked(pixels, batch[masks][at])
        names = parts.classes[key].names if key in parts.classes else ()
        if names:
            words = "".join(names[int(each)] for each in batch[key][at][:24])
        box = (
            tuple(map(float, batch["boxes"][at]))
            if "boxes" in batch and batch["boxes"].shape[1:] == (4,)
            else None
        )
        thin = max(1, -(-max(pixels.shape[:2]) // _MOST))
        found.append(SampleTile(pixels[::thin, ::thin], words, box and tuple(each / thin for each in box)))
    return found


def _one_per_class(source: SampleSource, labels: str | None, count: int) -> list[int]:
    import numpy as np

    column = None if labels is None else source.column(labels)
    if column is None or column.dtype.kind not in "uib":
        return list(range(min(count, len(source))))
    column = np.asarray(column)
    firsts = [int(np.flatnonzero(column == label)[turn]) for turn, label in _turns(column, count)]
    return firsts[:count]


def _turns(column: Array, count: int) -> list[tuple[int, int]]:
    """Turns through the classes: (0, each class), then (1, each class with a second sample), and so on."""
    import numpy as np

    values, numbers = np.unique(column, return_counts=True)
    found: list[tuple[int, int]] = []
    for turn in range(count):
        found += [(turn, int(value)) for value, number in zip(values, numbers, strict=True) if number > turn]
        if len(found) >= count:
            break
    return sorted(found[:count], key=lambda each: (each[1], each[0]))


def _pixels(sample: Array, low: float, high: float) -> Array:
    """A sample as (height, width, 3) bytes: images in their colours, others as one cell per number."""
    import numpy as np

    array = sample
    if array.dtype != np.uint8:
        array = ((array.astype(np.float64) - low) * (255 / ((high - low) or 1))).round().astype(np.uint8)
    if array.ndim == 4:  # a volume: the slice in its middle
        array = array[:, array.shape[1] // 2]
    if array.ndim < 3:
        array = np.atleast_2d(array)
    elif array.shape[0] == 3:
        return np.moveaxis(array, 0, 2)
    else:  # channels beside each other
        array = np.concatenate(list(array), axis=1)
    grey: Array = np.repeat(array[:, :, None], 3, axis=2)
    return grey


def _masked(pixels: Array, mask: Array) -> Array:
    """The picture with its mask beside it, each class in its own colour."""
    import numpy as np

    hues = (mask.astype(np.int64) * 47) % 256
    wheel = np.abs((hues[:, :, None] * 6 / 256 + np.array([0, 4, 2])) % 6 - 3) - 1
    coloured = (np.clip(wheel, 0, 1) * 200 + 40).astype(np.uint8)
    return np.concatenate([pixels, coloured], axis=1)


def as_png(pixels: Array) -> bytes:
    """A PNG file of (height, width, 3) bytes."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = (
        b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(rows, 9),
        b"IEND",
    )
    whole = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def sheet(shown: list[SampleTile]) -> bytes:
    """The tiles as one PNG file, each enlarged by a whole number, without words."""
    import numpy as np

    enlarged = []
    for tile in shown:
        factor = max(1, _SIDE // max(tile.pixels.shape[:2]))
        enlarged.append(tile.pixels.repeat(factor, axis=0).repeat(factor, axis=1))
    height = max(each.shape[0] for each in enlarged) + _GAP
    width = max(each.shape[1] for each in enlarged) + _GAP
    rows = -(-len(enlarged) // _ACROSS)
    paper = np.full((rows * height + _GAP, min(_ACROSS, len(enlarged)) * width + _GAP, 3), 255, np.uint8)
    for at, each in enumerate(enlarged):
        top, left = at // _ACROSS * height + _GAP, at % _ACROSS * width + _GAP
        paper[top : top + each.shape[0], left : left + each.shape[1]] = each
    return as_png(paper)


def as_svg(title: str, shown: list[SampleTile]) -> str:
    """The tiles as an SVG file, with their words; each is an embedded PNG."""
    widest = max(_scaled(tile)[0] for tile in shown)
    tallest = max(_scaled(tile)[1] for tile in shown)
    across, rows = min(_ACROSS, len(shown)), -(-len(shown) // _ACROSS)
    width, top = across * (widest + _GAP) + _GAP, 2 * _GAP + _LINE
    height = top + rows * (tallest + _LINE + _GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_FONT}" font-size="12">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_GAP}" y="{_GAP + _LINE - 6}" font-size="14">{escape(title)}</text>',
    ]
    for at, tile in enumerate(shown):
        x = _GAP + at % _ACROSS * (widest + _GAP)
        y = top + at // _ACROSS * (tallest + _LINE + _GAP)
        w, h = _scaled(tile)
        data = base64.b64encode(as_png(tile.pixels)).decode()
        lines.append(
            f'<image x="{x}" y="{y}" width="{w}" height="{h}" image-rendering="pixelated" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )
        if tile.box is not None:
            scale = w / tile.pixels.shape[1]
            left, upper, right, lower = (each * scale for each in tile.box)
            lines.append(
                f'<rect x="{x + left:.1f}" y="{y + upper:.1f}" width="{right - left:.1f}" '
                f'height="{lower - upper:.1f}" fill="none" stroke="#e5007d" stroke-width="2"/>'
            )
        words = tile.words if len(tile.words) <= 24 else f"{tile.words[:23]}…"
        lines.append(f'<text x="{x}" y="{y + tallest + _LINE - 5}">{escape(_printable(words))}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _scaled(tile: SampleTile) -> tuple[int, int]:
    """The size of a tile in the picture: its longer side is always the same, the other at least 12 pixels."""
    height, width = tile.pixels.shape[:2]
    factor = _SIDE / max(height, width)
    return max(12, round(width * factor)), max(12, round(height * factor))


def _printable(text: str) -> str:
    """The text without characters that XML does not allow."""
    return "".join(each if each.isprintable() else "·" for each in text)
