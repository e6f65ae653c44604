"""Ops without weights that add to the ends of a map, or cut them off: pad, crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, cast

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import Amounts, Counts, Ends, Pads, PerAxis
from netspec.ops.reach import Reach, Window
from netspec.ops.window import broadcast, spatial
from netspec.types import Type


class Edged(Op):
    """What adds positions and channels at both ends of axes, or removes them."""

    example: ClassVar[str]
    """What an author can write."""

    if TYPE_CHECKING:
        amount: Amounts | None
        size: PerAxis | None
        channels: Ends | None

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {} if type_.spatial else {"channels": 1}

    def _sized(self, type_: Type) -> Self:
        """The op with its amount or its size for each axis; with `channels` only, the positions keep their number.

        Raises:
            Misfit: it has both, or neither, or the input is a vector and has no positions.
        """
        if self.channels is not None and not self.amount and self.size is None:
            return self.replace(amount=((0, 0),) * len(type_.spatial))
        rank = len(spatial(self, type_))
        if (self.amount is None) == (self.size is None):
            help_ = "keep one of the two" if self.amount is not None else self.example
            raise Misfit(
                shapes.SIZE, f"`{self.keyword}` takes one of `amount`, `size` and `like`", help=help_
            )
        if self.amount is not None:
            return self.replace(amount=_pairs(self.amount, rank, "amount"))
        return self.replace(size=broadcast("size", self.size or (), rank))


class Pad(Edged):
    """Adds a border around a map: a constant, the mirror image of the map, or its outermost values.

    The border has an `amount`, or brings the map to a `size` or to the size of a layer (`like: name`). With a size, the
    map is in the middle; an odd number of added positions has one more at the end, as in `crop`. `channels` adds
    channels in the same way, also to a vector; without an amount and a size, the positions stay as they are.
    """

    keyword = "pad"
    example = "write `pad: {size: …}`, `pad: 1` or `pad: {like: NAME}`"
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
    channels: Ends | None = None
    """The number of channels to add before and behind those of the input."""

    def pads(self, inputs: Inputs) -> Pads:
        """The border before and after each axis. The op must be resolved."""
        return self._border(inputs[0]) if self.amount is None else cast(Pads, self.amount)

    def _resolve(self, inputs: Inputs) -> Self:
        op = self._sized(inputs[0])
        pads = op.pads(inputs)
        if self.value and self.mode != "constant":
            raise Misfit(
                shapes.SIZE, "`value` is only for `mode: constant`", "value", help="remove one of the two"
            )
        if self.mode == "reflect":
            field = "amount" if self.size is None else "size"
            given = [(size, pair, field) for size, pair in zip(inputs[0].sizes, pads, strict=True)]
            for size, pair, name in (*given, (inputs[0].channels or 0, self.channels or (0, 0), "channels")):
                if max(pair) >= max(size, 1):
                    raise Misfit(
                        shapes.SIZE, f"a mirror image of {size} values has {size - 1}, not {max(pair)}", name,
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
        return (Type((inputs[0].channels or 0) + sum(self.channels or ()), tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        more = any(self.channels or ())
        if self.mode == "constant" and (more or any(map(any, self.pads(inputs)))):
            return None
        return "values" if more else "positions"

    def reach(self, inputs: Inputs) -> Reach | None:
        # Far from the border, an output position depends only on the same input position. New channels that are
        # constant depend on nothing, so that not every channel has the field of the position.
        apart = range(len(inputs[0].spatial)) if self.mode == "constant" and any(self.channels or ()) else ()
        return Reach(tuple(Window(before=lo) for lo, _ in self.pads(inputs)), gathers=tuple(apart))


class Crop(Edged):
    """Cuts out a part of a map: removes an `amount`, keeps a `size`, or keeps the size of a layer (`like: name`).

    With a size, `offset` is the start of the part. Without an offset, the part is in the middle; an odd number of
    removed positions has one more at the end. `channels` removes channels in the same way, also of a vector; without an
    amount and a size, the positions stay as they are.
    """

    keyword = "crop"
    example = "write `crop: {size: …}`, `crop: 2` or `crop: {like: NAME}`"
    keeps_order = True
    main = "amount"
    likes: ClassVar[Mapping[str, str]] = {"like": "size"}

    amount: Amounts | None = None
    """The number of positions to remove at both ends: one number, one per axis, or one pair per axis."""
    size: PerAxis | None = None
    """The output size; `like: name` uses the sizes of another layer."""
    offset: Counts | None = None
    """The start of the part."""
    channels: Ends | None = None
    """The number of channels to remove, the first and the last ones."""

    def cuts(self, inputs: Inputs) -> Pads:
        """The number of removed positions before and after each axis. The op must be resolved."""
        return self._cuts(inputs[0].sizes) if self.amount is None else cast(Pads, self.amount)

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = inputs[0].sizes
        if self.offset is not None and self.size is None:
            raise Misfit(
                shapes.SIZE, "`offset` is only for `size`", "offset", help="give the amounts as pairs"
            )
        op = self._sized(inputs[0])
        if self.offset is not None:
            op = op.replace(offset=broadcast("offset", self.offset, len(sizes)))
        if sum(self.channels or ()) >= (inputs[0].channels or 0) > 0:
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0].channels} channels cannot be cropped by {_listed(self.channels)}",
                "channels",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help="one channel must be left",
            )
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
        return (Type((inputs[0].channels or 0) - sum(self.channels or ()), tuple(sizes)),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "values" if any(self.channels or ()) else "positions"

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
