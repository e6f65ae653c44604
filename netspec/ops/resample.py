"""Ops without weights that bring a map to other sizes by its values in between: resize, upsample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit, Moves, Op
from netspec.ops.fields import PerAxis
from netspec.ops.reach import EqualPortion, Filtered, Reach, Sampling, Taps
from netspec.ops.window import broadcast, spatial
from netspec.types import Type

MODES: dict[str, str] = {
    "bilinear": "linear",
    "trilinear": "linear",
    "bicubic": "cubic",
}
"""The words for a mode that contain the number of axes."""

RANKS = {"bilinear": 2, "trilinear": 3, "bicubic": 2}

RADIUS = {"linear": 1, "cubic": 2}
"""How far the kernel of an interpolation reaches, in positions of the input."""


class Resize(Op):
    """Brings a map to a `size`, smaller or larger, to the size of a layer (`like: name`), or by a whole `factor`.

    Of i positions, output p of o is at x = (p + ½) · i / o − ½ of the input. `linear` interpolates between the two
    neighbours of x, which is clamped to the input; `cubic` among four (Keys 1981, with a = −¾), those outside being the
    ones at the ends. With `align_corners` x is p · (i − 1) / (o − 1), so the corners of input and output coincide.
    `nearest` takes position ⌊p · i / o⌋, `nearest_exact` ⌊(p + ½) · i / o⌋. `area` is the mean of the positions from
    ⌊p · i / o⌋ to before ⌈(p + 1) · i / o⌉.

    `antialias` widens the kernel of an interpolation by i / o where that is above 1, and divides the weights by their
    sum; the kernel of `cubic` then has a = −½. All take any number of axes.
    """

    keyword = "resize"
    enlarges: ClassVar[bool] = False
    """Whether no axis can become shorter."""
    keeps_order = True
    main = "size"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}
    unlisted = frozenset({"antialias"})

    factor: PerAxis | None = None
    """The factor of the sizes."""
    size: PerAxis | None = None
    """The output size; `like: name` uses the sizes of another layer."""
    mode: Literal[
        "nearest", "nearest_exact", "linear", "bilinear", "trilinear", "cubic", "bicubic", "area"
    ] = "nearest"
    """Whether values are taken (`nearest`), interpolated (`linear`, `cubic`) or averaged (`area`)."""
    align_corners: bool = False
    """Whether the outermost positions of input and output coincide."""
    antialias: bool = False
    """Whether an interpolation to a smaller size weighs all positions, so that none is passed over."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self._check_mode(inputs[0])
        if (self.factor is None) == (self.size is None):
            raise Misfit(
                shapes.SIZE,
                f"`{self.keyword}` takes one of `factor`, `size` and `like`",
                help="keep one of the two" if self.size is not None else self._example(),
            )
        mode = MODES.get(self.mode, self.mode)
        if self.size is None:
            return self.replace(factor=broadcast("factor", self.factor or (), len(sizes)), mode=mode)
        op = self.replace(size=broadcast("size", self.size, len(sizes)), mode=mode)
        op._check_size(inputs[0])
        return op

    def _example(self) -> str:
        return "write `resize: {size: …}`"

    def _check_size(self, type_: Type) -> None:
        """Refuse sizes that the op does not make.

        Raises:
            Misfit: it does not.
        """

    def _check_mode(self, type_: Type) -> None:
        rank = len(type_.spatial)
        if RANKS.get(self.mode, rank) != rank:
            raise Misfit(
                shapes.RANK,
                f"`{self.mode}` does not fit {rank} spatial axes; the input is {type_}",
                "mode",
                help=f"`{MODES[self.mode]}` fits any number of axes",
            )
        for name in ("align_corners", "antialias"):
            if getattr(self, name) and MODES.get(self.mode, self.mode) not in RADIUS:
                raise Misfit(
                    shapes.SIZE, f"`{name}` is only for `linear` and `cubic`", name, help="remove it"
                )
        if self.align_corners and self.antialias:
            raise Misfit(
                shapes.SIZE,
                "`antialias` is not for corners that coincide: its kernel is as wide as i / o",
                "antialias",
                help="remove one of the two",
            )

    def sizes(self, inputs: Inputs) -> tuple[int, ...]:
        """The sizes of the output. The op must be resolved."""
        if self.factor is None:
            return self.size or ()
        return tuple(i * f for i, f in zip(inputs[0].sizes, self.factor, strict=True))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, self.sizes(inputs)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if self.mode in ("nearest", "nearest_exact") else None

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # Some weights of a cubic kernel are negative, so the largest can become another.
        return (
            Meaning.DISTANCES
            if self.mode == "cubic" and Meaning.NEARNESS in inputs
            else super().means(inputs)
        )

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(map(self._sample, inputs[0].sizes, self.sizes(inputs))))

    def _sample(self, i: int, o: int) -> Taps:
        if self.mode == "nearest":
            return Sampling(i, o)
        if self.mode == "nearest_exact":
            return Sampling(2 * i, 2 * o, i)
        if self.mode == "area":
            return EqualPortion(i, o)
        if self.antialias and o < i:
            return Filtered(i, o, RADIUS[self.mode])
        around = RADIUS[self.mode] - 1
        if self.align_corners:
            return Sampling(i - 1, max(o - 1, 1), between=True, around=around)
        return Sampling(2 * i, 2 * o, i - o, between=True, around=around)


class Upsample(Resize):
    """Enlarges a map by a whole `factor`, to a `size` or to the size of a layer (`like: name`): `resize` to no less.

    It repeats values, or interpolates linearly.

    Linear: output position p is at (p + ½) / factor − ½ of the input, clamped to the input. With `align_corners` it
    is at p · (i − 1) / (o − 1), so the corners of input and output coincide. `resize` has the other modes too.
    """

    keyword = "upsample"
    enlarges = True
    main = "factor"

    def _example(self) -> str:
        return "write `upsample: 2`"

    def _check_size(self, type_: Type) -> None:
        size = self.size or ()
        if any(o < i for i, o in zip(type_.sizes, size, strict=True)):
            raise Misfit(
                shapes.SIZE,
                f"{type_} is larger than {'×'.join(map(str, size))}",
                "size",
                help="`size` is the output size; for a factor write `factor: …`; `resize` also makes a map smaller",
            )
