"""Augmentation as data: changes of training samples, one after the other, in NumPy, seeded by sample and epoch.

The same numbers for every backend. Images are changed in their stored units (bytes stay bytes), before padding and
normalisation. Masks and boxes follow the geometric ones; where pixels come from outside, images get `fill` and masks
the ignored class, or 0 without one. Distances are in pixels.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from netspec.model import BeforeValidator, Field, Info, RefusedValue, field_validator
from netspec.recipe.model import (
    Augment,
    Count,
    Flag,
    NotNegative,
    Number,
    Pixels,
    Positive,
    Share,
    family,
    listed,
)

Probability = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False, description="a probability from 0 to 1")
]
Sizes = Annotated[
    tuple[Count, ...], BeforeValidator(listed), Field(description="a whole number of pixels, or one per axis")
]


class Flip(Augment):
    """Mirrors along the last axis (left and right), or along `axis` of the spatial axes, counted from 0."""

    kind: ClassVar[Literal["flip"]] = "flip"
    main: ClassVar[str | None] = "axis"
    axis: Annotated[int, Field(ge=-3, le=2, description="a spatial axis: −1 is the last")] = -1
    probability: Probability = 0.5


class Shift(Augment):
    """Moves by `by` pixels: along each axis one way or the other, each with `probability`.

    `{by: 2, probability: 0.25}` is the policy of Visin et al. 2015: 25 % left, 25 % right, then 25 % up, 25 % down.
    `uniform`: by a whole number drawn from −by to by instead.
    """

    kind: ClassVar[Literal["shift"]] = "shift"
    main: ClassVar[str | None] = "by"
    by: Pixels = 2
    probability: Annotated[float, Field(ge=0, le=0.5, description="a probability from 0 to 0.5")] = 0.25
    uniform: Flag = False
    fill: Number = 0.0


class RandomCrop(Augment):
    """Cuts a part of `size` at a random place, after `pad` pixels of `fill` on every side (He et al. 2016: pad 4)."""

    kind: ClassVar[Literal["crop"]] = "crop"
    main: ClassVar[str | None] = "size"
    size: Annotated[Sizes | None, Field(description="a whole number of pixels, or one per axis")] = None
    pad: Pixels = 0
    fill: Number = 0.0


class Rotate(Augment):
    """Turns by an angle drawn from −degrees to degrees; bilinear for images, nearest for masks."""

    kind: ClassVar[Literal["rotate"]] = "rotate"
    main: ClassVar[str | None] = "degrees"
    degrees: Annotated[float, Field(gt=0, le=180, description="degrees above 0, at most 180")] = 10.0
    fill: Number = 0.0


class RandomScale(Augment):
    """Enlarges by a factor drawn from `least` to `most`, about the centre, at the same size of the image."""

    kind: ClassVar[Literal["scale"]] = "scale"
    least: Positive = 0.9
    most: Annotated[Positive, Field(validate_default=True)] = 1.1

    @field_validator("most")
    @classmethod
    def _is_not_below_the_least(cls, most: float, info: Info) -> float:
        least = info.data.get("least", most)
        if most < least:
            raise RefusedValue(
                "order",
                f"`most` must be at least `least`, but {most:g} is below {least:g}",
                {"help": f"write `most: {least:g}` at least, or a smaller `least`"},
            )
        return most

    fill: Number = 0.0


class Brightness(Augment):
    """Multiplies all channels by a factor drawn from 1 − strength to 1 + strength."""

    kind: ClassVar[Literal["brightness"]] = "brightness"
    main: ClassVar[str | None] = "strength"
    strength: Share = 0.2


class Contrast(Augment):
    """Moves every value away from, or to, the mean of the image, by a factor from 1 − strength to 1 + strength."""

    kind: ClassVar[Literal["contrast"]] = "contrast"
    main: ClassVar[str | None] = "strength"
    strength: Share = 0.2


class Colour(Augment):
    """Moves every value away from, or to, the grey of its pixel (0.299 R + 0.587 G + 0.114 B); three channels."""

    kind: ClassVar[Literal["colour"]] = "colour"
    main: ClassVar[str | None] = "strength"
    strength: Share = 0.2


class PixelNoise(Augment):
    """Adds normal noise of deviation `deviation`, as a fraction of 255 for bytes, of 65535 for 16 bits, else of 1."""

    kind: ClassVar[Literal["noise"]] = "noise"
    main: ClassVar[str | None] = "deviation"
    deviation: NotNegative = 0.05


class Cutout(Augment):
    """Fills a square of `size` pixels at a random centre (DeVries and Taylor 2017); it may reach over the edge."""

    kind: ClassVar[Literal["cutout"]] = "cutout"
    main: ClassVar[str | None] = "size"
    size: Count = 8
    fill: Number = 0.0


AUGMENTATIONS: dict[str, type[Any]] = family(
    Flip, Shift, RandomCrop, Rotate, RandomScale, Brightness, Contrast, Colour, PixelNoise, Cutout
)
