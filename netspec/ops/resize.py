"""Ops without weights that change the sizes of a map: upsample, pad, crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, cast

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import Amounts, Counts, Pads, PerAxis
from netspec.ops.reach import Reach, Sampling, Window
from netspec.ops.window import broadcast, spatial
from netspec.types import Type

WORDS = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Upsample(Op):
    """Enlarges a map by a whole `factor`, to a `size` or to the size of a layer (`like: name`).

    It repeats values, or interpolates linearly.

    Linear: output position p is at (p + ½) / factor − ½ of the input, clamped to the input. With `align_corners` it
    is at p · (i − 1) / (o − 1), so the corners of input and output coincide.
    """

    keyword = "upsample"
    keeps_order = True
    main = "factor"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    factor: PerAxis | None = None
    """The factor of the sizes."""
    size: PerAxis | None = None
    """The output size; `like: name` uses the sizes of another layer."""
    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"
    """Whether values are repeated (`nearest`) or interpolated (`linear`)."""
    align_corners: bool = False
    """Whether the outermost positions of input and output coincide."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        self._check_mode(inputs[0])
        if (self.factor is None) == (self.size is None):
            raise Misfit(
                shapes.SIZE,
                "`upsample` takes one of `factor`, `size` and `like`",
                help="keep one of the two" if self.size is not None else "write `upsample: 2`",
            )
        mode = "nearest" if self.mode == "nearest" else "linear"
        if self.size is None:
            return self.replace(factor=broadcast("factor", self.factor or (), len(sizes)), mode=mode)
        size = broadcast("size", self.size, len(sizes))
        if any(o < i for o, i in zip(size, sizes, strict=True)):
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0]} is larger than {'×'.join(map(str, size))}",
                "size",
                help="`size` is the output size; for a factor write `factor: …`; for a smaller output use a pool",
            )
        return self.replace(size=size, mode=mode)

    def _check_mode(self, type_: Type) -> None:
        if self.mode not in ("nearest", "linear", WORDS[len(type_.spatial)]):
            raise Misfit(
                shapes.RANK,
                f"`{self.mode}` does not fit {len(type_.spatial)} spatial axes; the input is {type_}",
                "mode",
                help="`linear` fits any number of axes",
            )
        if self.align_corners and self.mode == "nearest":
            raise Misfit(
                shapes.SIZE, "`align_corners` is only for `linear`", "align_corners", help="remove it"
            )

    def sizes(self, inputs: Inputs) -> tuple[int, ...]:
        """The sizes of the output. The op must be resolved."""
        if self.factor is None:
            return self.size or ()
        return tuple(i * f for i, f in zip(inputs[0].sizes, self.factor, strict=True))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].channels, self.sizes(inputs)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if self.mode == "nearest" else None

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(map(self._sample, inputs[0].sizes, self.sizes(inputs))))

    def _sample(self, i: int, o: int) -> Sampling:
        if self.mode == "nearest":
            return Sampling(i, o)
        if self.align_corners:
            return Sampling(i - 1, max(o - 1, 1), between=True)
        return Sampling(2 * i, 2 * o, i - o, between=True)


class Pad(Op):
    """Adds a border around a map: a constant, the mirror image of the map, or its outermost values.

    The border has an `amount`, or brings the map to a `size` or to the size of a layer (`like: name`). With a size, the
    map is in the middle; an odd number of added positions has one more at the end, as in `crop`.
    """

    keyword = "pad"
    keeps_order = True
    main = "amount"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    amount: Amounts | None = None
    """The width of the border at both ends: one number, one per axis, or one pair per axis."""
    size: PerAxis | None = None
    """The output size; `like: name` uses the sizes of another layer."""
    mode: Literal["constant", "reflect", "replicate"] = "constant"
    """The content of the border."""
    value: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """The value of a constant border."""

    def pads(self, inputs: Inputs) -> Pads:
        """The border before and after each axis. The op must be resolved."""
        return self._border(inputs[0]) if self.amount is None else cast(Pads, self.amount)

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        if (self.amount is None) == (self.size is None):
            raise Misfit(
                shapes.SIZE,
                "`pad` takes one of `amount`, `size` and `like`",
                help="keep one of the two"
                if self.amount is not None
                else "write `pad: {size: …}`, `pad: 1` or `pad: {like: NAME}`",
            )
        if self.amount is not None:
            op = self.replace(amount=_pairs(self.amount, len(sizes), "amount"))
        else:
            op = self.replace(size=broadcast("size", self.size or (), len(sizes)))
        pads = op.pads(inputs)
        if self.value and self.mode != "constant":
            raise Misfit(
                shapes.SIZE, "`value` is only for `mode: constant`", "value", help="remove one of the two"
            )
        if self.mode == "reflect":
            for size, pair in zip(sizes, pads, strict=True):
                if max(pair) >= size:
                    raise Misfit(
                        shapes.SIZE, f"a mirror image of {size} values has {size - 1}, not {max(pair)}",
                        "amount" if self.size is None else "size",
                        help="use a smaller amount, or `mode: replicate`",
                    )  # fmt: skip
        return op

    def _border(self, type_: Type) -> Pads:
        """The border that brings a map to the size."""
        size = broadcast("size", self.size or (), len(type_.spatial))
        more = [o - i for i, o in zip(type_.sizes, size, strict=True)]
        if min(more) < 0:
            raise Misfit(
                shapes.SIZE,
                f"{type_} is larger than {'×'.join(map(str, size))}",
                "size",
                help="`crop` makes a map smaller, with the same `size` or `like`",
            )
        return tuple((each // 2, each - each // 2) for each in more)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        sizes = (i + lo + hi for i, (lo, hi) in zip(inputs[0].sizes, self.pads(inputs), strict=True))
        return (Type(inputs[0].channels, tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return None if self.mode == "constant" and any(map(any, self.pads(inputs))) else "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        # Far from the border, an output position depends only on the same input position.
        return Reach(tuple(Window(before=lo) for lo, _ in self.pads(inputs)))


class Crop(Op):
    """Cuts out a part of a map: removes an `amount`, keeps a `size`, or keeps the size of a layer (`like: name`).

    With a size, `offset` is the start of the part. Without an offset, the part is in the middle; an odd number of
    removed positions has one more at the end.
    """

    keyword = "crop"
    keeps_order = True
    main = "amount"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    amount: Amounts | None = None
    """The number of positions to remove at both ends: one number, one per axis, or one pair per axis."""
    size: PerAxis | None = None
    """The output size; `like: name` uses the sizes of another layer."""
    offset: Counts | None = None
    """The start of the part."""

    def cuts(self, inputs: Inputs) -> Pads:
        """The number of removed positions before and after each axis. The op must be resolved."""
        return self._cuts(inputs[0].sizes) if self.amount is None else cast(Pads, self.amount)

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
            raise Misfit(
                shapes.SIZE, "`offset` is only for `size`", "offset", help="give the amounts as pairs"
            )
        if self.amount is not None:
            op = self.replace(amount=_pairs(self.amount, len(sizes), "amount"))
        else:
            offset = None if self.offset is None else broadcast("offset", self.offset, len(sizes))
            op = self.replace(size=broadcast("size", self.size or (), len(sizes)), offset=offset)
        cuts = op.cuts(inputs)
        if any(lo + hi >= size or min(lo, hi) < 0 for (lo, hi), size in zip(cuts, sizes, strict=True)):
            wanted = self.size or cuts
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0]} cannot be cropped by {_listed(wanted)}",
                "amount" if self.size is None else "size",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help="the remaining part must be inside the input"
                + (
                    "; `pad` makes a map larger, with the same `size` or `like`"
                    if self.size is not None
                    else ""
                ),
            )
        return op

    def _cuts(self, sizes: tuple[int, ...]) -> Pads:
        wanted = broadcast("size", self.size or (), len(sizes))
        if self.offset is None:
            starts = tuple((i - o) // 2 for i, o in zip(sizes, wanted, strict=True))
        else:
            starts = broadcast("offset", self.offset, len(sizes))
        return tuple((lo, i - o - lo) for i, o, lo in zip(sizes, wanted, starts, strict=True))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        sizes = (i - lo - hi for i, (lo, hi) in zip(inputs[0].sizes, self.cuts(inputs), strict=True))
        return (Type(inputs[0].channels, tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach(tuple(Window(before=-lo) for lo, _ in self.cuts(inputs)))


def _pairs(amounts: int | Pads, rank: int, field: str) -> Pads:
    if isinstance(amounts, int):
        return ((amounts, amounts),) * rank
    if len(amounts) != rank:
        raise Misfit(
            shapes.AXES, f"`{field}` has values for {len(amounts)} axes, but the input has {rank}", field,
            help=f"give one number for all axes, or a list of {rank}",
        )  # fmt: skip
    return amounts


def _listed(values: object) -> str:
    if isinstance(values, tuple):
        return f"[{', '.join(map(_listed, values))}]"
    return str(values)
