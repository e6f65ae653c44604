"""Ops without weights that add to the ends of a map, or cut them off: pad, crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, cast

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import Amounts, Counts, Pads, PerAxis
from netspec.ops.reach import Reach, Window
from netspec.ops.window import broadcast, spatial
from netspec.types import Type


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
