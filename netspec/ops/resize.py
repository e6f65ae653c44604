"""Ops that change the sizes of a map without weights: upsample, pad, crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, cast

from pydantic import Field

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import Amounts, Counts, Pads, PerAxis
from netspec.ops.reach import Reach, Sample, Window
from netspec.ops.window import broadcast, spatial
from netspec.types import Type

WORDS = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Upsample(Op):
    """A map made larger, by a whole `factor` or to a `size`: each value repeated, or linearly between values.

    Linear: output position p lies at (p + ½) / factor − ½ of the input, kept inside; with `align_corners`
    at p · (i − 1) / (o − 1), so that the corners fall together.
    """

    keyword: ClassVar[str] = "upsample"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "factor"

    factor: PerAxis | None = None
    """How many times as large it becomes."""
    size: PerAxis | None = None
    """How large it becomes."""
    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"
    """Whether values are repeated or interpolated."""
    align_corners: bool = False
    """Whether the outermost positions of input and output fall together."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self._check_mode(inputs[0])
        if (self.factor is None) == (self.size is None):
            raise Misfit(
                shapes.SIZE,
                "`upsample` takes either a `factor` or a `size`",
                help="keep one of the two" if self.size is not None else "write `upsample: 2`",
            )
        if self.size is None:
            factors = broadcast("factor", self.factor or (), len(sizes))
            size = tuple(i * f for i, f in zip(sizes, factors, strict=True))
        else:
            size = broadcast("size", self.size, len(sizes))
        if any(o < i for o, i in zip(size, sizes, strict=True)):
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0]} is larger than {'×'.join(map(str, size))}",
                "size",
                help="`size` is the size of the output; for a factor write `factor: …`; to make it smaller use a pool",
            )
        mode = "nearest" if self.mode == "nearest" else "linear"
        return self.replace(size=size, factor=None, mode=mode)

    def _check_mode(self, type_: Type) -> None:
        if self.mode not in ("nearest", "linear", WORDS[len(type_.spatial)]):
            raise Misfit(
                shapes.RANK,
                f"`{self.mode}` does not fit {len(type_.spatial)} spatial axes; the input is {type_}",
                "mode",
                help="`linear` fits any number of axes",
            )
        if self.align_corners and self.mode == "nearest":
            raise Misfit(shapes.SIZE, "`align_corners` is for `linear`", "align_corners", help="drop it")

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, self.size or ()),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if self.mode == "nearest" else None

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(map(self._sample, inputs[0].sizes, self.size or ())))

    def _sample(self, i: int, o: int) -> Sample:
        if self.mode == "nearest":
            return Sample(i, o)
        if self.align_corners:
            return Sample(i - 1, max(o - 1, 1), between=True)
        return Sample(2 * i, 2 * o, i - o, between=True)


class Pad(Op):
    """A border around a map: of a constant, of its mirror image, or of its outermost values."""

    keyword: ClassVar[str] = "pad"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "amount"

    amount: Amounts
    """How much is added at both ends: a number, one an axis, or a pair an axis."""
    mode: Literal["constant", "reflect", "replicate"] = "constant"
    """What the border is made of."""
    value: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """The constant of the border."""

    @property
    def pads(self) -> Pads:
        """The border before and after each axis, once resolved."""
        return cast(Pads, self.amount)

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        pads = _pairs(self.amount, len(sizes), "amount")
        if self.value and self.mode != "constant":
            raise Misfit(shapes.SIZE, "`value` is for `mode: constant`", "value", help="drop one of the two")
        if self.mode == "reflect":
            for size, pair in zip(sizes, pads, strict=True):
                if max(pair) >= size:
                    raise Misfit(
                        shapes.SIZE, f"a mirror image of {size} values has {size - 1}, not {max(pair)}", "amount",
                        help="pad by less, or use `mode: replicate`",
                    )  # fmt: skip
        return self.replace(amount=pads)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        sizes = (i + lo + hi for i, (lo, hi) in zip(inputs[0].sizes, self.pads, strict=True))
        return (Type(inputs[0].channels, tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return None if self.mode == "constant" and any(map(any, self.pads)) else "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        # Far from the border, which the mode fills, a position sees its own place.
        return Reach(tuple(Window(before=lo) for lo, _ in self.pads))


class Crop(Op):
    """A part of a map: an `amount` taken off, a `size` left, or as large as another layer (`like: name`).

    With a size, `offset` tells where the part begins; without one it is the middle, the odd position
    being taken off at the end.
    """

    keyword: ClassVar[str] = "crop"
    keeps_order: ClassVar[bool] = True
    main: ClassVar[str | None] = "amount"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    amount: Amounts | None = None
    """How much is taken off at both ends: a number, one an axis, or a pair an axis."""
    size: PerAxis | None = None
    """How large it becomes; `like: name` takes the sizes of another layer."""
    offset: Counts | None = None
    """Where the part begins."""

    @property
    def cuts(self) -> Pads:
        """What is taken off before and after each axis, once resolved."""
        return cast(Pads, self.amount)

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        if (self.amount is None) == (self.size is None):
            raise Misfit(
                shapes.SIZE,
                "`crop` takes one of `amount`, `size` and `like`",
                help="keep one of the two"
                if self.amount is not None
                else "write `crop: {size: …}`, `crop: 2` or `crop: {like: NAME}`",
            )
        if self.offset is not None and self.size is None:
            raise Misfit(shapes.SIZE, "`offset` is for a `size`", "offset", help="give the amounts as pairs")
        if self.amount is not None:
            cuts = _pairs(self.amount, len(sizes), "amount")
        else:
            cuts = self._cuts(sizes)
        if any(lo + hi >= size or min(lo, hi) < 0 for (lo, hi), size in zip(cuts, sizes, strict=True)):
            wanted = self.size or cuts
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0]} cannot be cropped so: {_listed(wanted)}",
                "amount" if self.size is None else "size",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help="what is left must lie inside the input",
            )
        return self.replace(amount=cuts, size=None, offset=None)

    def _cuts(self, sizes: tuple[int, ...]) -> Pads:
        wanted = broadcast("size", self.size or (), len(sizes))
        if self.offset is None:
            starts = tuple((i - o) // 2 for i, o in zip(sizes, wanted, strict=True))
        else:
            starts = broadcast("offset", self.offset, len(sizes))
        return tuple((lo, i - o - lo) for i, o, lo in zip(sizes, wanted, starts, strict=True))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        sizes = (i - lo - hi for i, (lo, hi) in zip(inputs[0].sizes, self.cuts, strict=True))
        return (Type(inputs[0].channels, tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(Window(before=-lo) for lo, _ in self.cuts))


def _pairs(amounts: int | Pads, rank: int, field: str) -> Pads:
    if isinstance(amounts, int):
        return ((amounts, amounts),) * rank
    if len(amounts) != rank:
        raise Misfit(
            shapes.AXES, f"`{field}` is given for {len(amounts)} axes, but the input has {rank}", field,
            help=f"give one number for all, or a list of {rank}",
        )  # fmt: skip
    return amounts


def _listed(values: object) -> str:
    if isinstance(values, tuple):
        return f"[{', '.join(map(_listed, values))}]"
    return str(values)
