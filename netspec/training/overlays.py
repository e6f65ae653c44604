"""Draws answers on pictures: masks in the colours of their classes with a legend, boxes, and maps as pictures."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from netspec.data.parts import Classes
from netspec.training.answers import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SMALLEST = 256
"""Smaller pictures are enlarged by a whole number, so that the longer side has about so many pixels."""
LINE, SWATCH, GAP = 18, 12, 8
WIDEST = 40
"""The characters of a name in a legend."""
GOLDEN = 0.618033988749895
BOX = (229, 0, 125)


@cache
def palette(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours of classes: class 0 is grey, the others go around the wheel in steps that never meet."""
    found = [(90, 90, 90)]
    for at in range(1, count):
        rgb = colorsys.hsv_to_rgb((at * GOLDEN) % 1, 0.85 if at % 2 else 0.6, 0.95 if at % 3 else 0.75)
        found.append((round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2])))
    return tuple(found)


def as_picture(sample: Array) -> Array | None:
    """A sample (channels, height, width) as (height, width, 3) bytes; None if it is not a picture."""
    import numpy as np

    if sample.ndim != 3 or sample.shape[0] not in (1, 3):
        return None
    if sample.dtype != np.uint8:
        low, high = float(sample.min()), float(sample.max())
        sample = ((sample.astype(np.float64) - low) * (255 / ((high - low) or 1))).round().astype(np.uint8)
    return np.repeat(np.moveaxis(sample, 0, 2), 3 if sample.shape[0] == 1 else 1, axis=2)


def drawn(pixels: Array, answers: Sequence[Answer]) -> bytes | None:
    """A PNG of the picture with masks and boxes on it, and a legend beside it; None if there is nothing to draw."""
    masks = [each for each in answers if each.mask is not None]
    boxes = [each.box for each in answers if each.box is not None]
    if not masks and not boxes:
        return None
    image = _image().fromarray(pixels)
    legend: list[tuple[tuple[int, int, int], str]] = []
    for each in masks:
        assert each.classes is not None
        image = _blended(image, each.mask, each.classes)
        legend += [
            (palette(each.classes.count)[share["index"]], f"{share['name']}  {100 * share['share']:.1f} %")
            for share in each.facts["shares"]
        ]
    factor = max(1, SMALLEST // max(image.size))
    image = image.resize((image.width * factor, image.height * factor), _image().Resampling.NEAREST)
    for box in boxes:
        _outline(image, [each * factor for each in box])
    return _png(_beside(image, legend) if legend else image)


def mask_file(mask: Array, classes: Classes) -> bytes:
    """A PNG with one class index per pixel, and the colours of the classes as its palette."""
    image = _image().fromarray(mask.astype("uint8"))
    image.putpalette([part for colour in palette(min(classes.count, 256)) for part in colour])
    return _png(image)


def picture_of(map_: Array) -> bytes | None:
    """A map of one or three channels as a PNG, from its smallest number (black) to its largest; else None."""
    pixels = as_picture(map_)
    return None if pixels is None else _png(_image().fromarray(pixels))


def _blended(image: Any, mask: Array, classes: Classes) -> Any:
    import numpy as np

    colours = np.array(palette(classes.count), np.uint8)[mask]
    over = _image().fromarray(colours)
    if over.size != image.size:  # the network gives a smaller map than it takes
        over = over.resize(image.size, _image().Resampling.NEAREST)
    return _image().blend(image, over, 0.5)


def _outline(image: Any, box: Sequence[float]) -> None:
    from PIL import ImageDraw

    left, top, right, bottom = box
    if right > left and bottom > top:
        ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=BOX, width=2)


def _beside(image: Any, legend: Sequence[tuple[tuple[int, int, int], str]]) -> Any:
    """The picture with a legend at its right."""
    from PIL import ImageDraw

    lines = [
        (colour, "".join(letter if letter.isprintable() else "·" for letter in words)[: WIDEST + 10])
        for colour, words in legend
    ]
    measure = ImageDraw.Draw(image)
    wide = max(int(measure.textlength(words)) for _, words in lines) + SWATCH + 3 * GAP
    paper = _image().new("RGB", (image.width + wide, max(image.height, len(lines) * LINE + 2 * GAP)), "white")
    paper.paste(image, (0, 0))
    draw = ImageDraw.Draw(paper)
    for at, (colour, words) in enumerate(lines):
        x, y = image.width + GAP, GAP + at * LINE
        draw.rectangle((x, y, x + SWATCH, y + SWATCH), fill=colour, outline=(40, 40, 40))
        draw.text((x + SWATCH + GAP, y), words, fill="black")
    return paper


def _image() -> Any:
    from PIL import Image

    return Image


def _png(image: Any) -> bytes:
    import io

    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
