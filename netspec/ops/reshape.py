"""Ops that move values without changing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator, Field
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.fields import AuthorForm, listed, listed_schema
from netspec.ops.reach import EACH, WHOLE, Reach, Sampling, Window
from netspec.ops.roles import Role
from netspec.ops.window import spatial
from netspec.ops.words import Lead
from netspec.types import Type

WantedSize = Annotated[int, Field(ge=-1)]
WantedShape = Annotated[
    tuple[WantedSize, ...],
    BeforeValidator(listed),
    Field(min_length=1, max_length=4),
    AuthorForm(
        lambda: listed_schema(
            "a size, or a list of sizes, channels first; one can be −1", {"type": "integer", "minimum": -1}
        )
    ),
]
AxisNames = Annotated[
    tuple[str, ...],
    BeforeValidator(listed),
    Field(min_length=1, max_length=4),
    AuthorForm(
        lambda: listed_schema(
            "a list of names of axes", {"enum": ["channels", "time", "depth", "height", "width"]}
        )
    ),
]


CHANNELS = -1
"""The target of an axis that becomes channels; the spatial axes of the output are counted from 0."""


def _axes_for(names: Sequence[str], known: Sequence[str]) -> str:
    """Advice for names of axes, some of which do not exist."""
    from netspec.ops.words import lead
    from netspec.ops.words.values import MODES

    words = {word: entry for word, entry in MODES.items() if isinstance(entry, Lead) and entry.ours in known}
    found = [lead(name, known, words) for name in names]
    meant = [each.ours for each in found if each is not None]
    if sorted(str(each) for each in meant) == sorted(known):
        return f"write `[{', '.join(map(str, meant))}]`"
    return f"its axes are {', '.join(f'`{each}`' for each in known)}"


class Rearranged(Op):
    """An op that moves values to other positions and channels."""

    def reach(self, inputs: Inputs) -> Reach | None:
        """An input axis keeps its field if an output axis counts the same values, or if it becomes channels."""
        channels, *axes = self._places(inputs)
        kept = tuple(WHOLE if place == CHANNELS else None if place is None else EACH for place in axes)
        return Reach(
            kept,
            along=tuple(place or 0 for place in axes),
            gathers=tuple(
                axis for axis, size in enumerate(inputs[0].sizes) if kept[axis] is not EACH and size > 1
            ),
            splits=channels != CHANNELS and inputs[0].channels != 1,
        )

    def _places(self, inputs: Inputs) -> tuple[int | None, ...]:
        """The target of each input axis, channels first: CHANNELS, an output axis, or None for several."""
        raise NotImplementedError


class Flatten(Rearranged):
    """Turns a map into a vector: channel by channel, and row by row within a channel."""

    keyword = "flatten"
    keeps_order = True

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(inputs[0].elements),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if prod(inputs[0].sizes) == 1 else "values"

    def _places(self, inputs: Inputs) -> tuple[int | None, ...]:
        return (CHANNELS,) * len(inputs[0].shape)


class Reshape(Rearranged):
    """The same values in another shape, channels first. One size can be −1; netspec computes it."""

    keyword = "reshape"
    keeps_order = True
    main = "shape"
    opens: ClassVar[Mapping[str, str]] = {"shape": "rest"}
    resolved_only = frozenset({"rest"})

    shape: WantedShape
    """The new shape, channels first."""
    rest: int | None = None
    """The axis that takes what the others leave, whatever the size of the input.

    Its size was given as −1, or is the only one that the spec calculates from the sizes of a map.
    """

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        known = prod(size for size in self.shape if size != -1)
        elements = inputs[0].elements
        fits = (
            self.shape.count(-1) <= 1
            and 0 not in self.shape
            and (elements % known == 0 if -1 in self.shape else elements == known)
        )
        if not fits:
            raise Misfit(
                shapes.SIZE,
                f"{inputs[0]} has {elements:,} values; {list(self.shape)} does not have as many",
                "shape",
                notes=(f"the input is {inputs[0]}{{source}}",),
                help="one size can be −1: netspec computes it",
            )
        rest = self.shape.index(-1) if -1 in self.shape else self.rest
        shape = tuple(elements // known if size == -1 else size for size in self.shape)
        return self.replace(shape=shape, rest=rest)

    def settings(self) -> dict[str, object]:
        """Its fields by name: the shape says all about what it does to this input."""
        return {name: value for name, value in super().settings().items() if name != "rest"}

    @property
    def open_shape(self) -> tuple[int, ...]:
        """The shape with −1 for what the other sizes leave."""
        return tuple(-1 if axis == self.rest else size for axis, size in enumerate(self.shape))

    def kept_axes(self, inputs: Inputs) -> tuple[int | None, ...] | None:
        """For each axis of the output, the axis of the input that it is; None for a new axis of size 1.

        None if it does more than to add and to drop axes of size 1, for this input or for one of another size. Such a
        reshape does the same for every order of the axes.
        """
        given = inputs[0].shape
        before = [axis for axis, size in enumerate(given) if size != 1]
        after = [axis for axis, size in enumerate(self.shape) if size != 1]
        if [given[axis] for axis in before] != [self.shape[axis] for axis in after]:
            return None
        if self.rest is not None and (len(before) < len(given) or self.rest not in after):
            return None  # the open axis also takes what a dropped axis has for a larger input
        kept = dict(zip(after, before, strict=True))
        return tuple(map(kept.get, range(len(self.shape))))

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.shape[0], self.shape[1:]),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if self.shape[0] == inputs[0].channels else "values"

    def _places(self, inputs: Inputs) -> tuple[int | None, ...]:
        # Values are stored row by row. Two axes with equal sizes and equal strides (in values) count the same values.
        axes, positions = _steps(self.shape)[1:], prod(self.shape[1:])
        places: list[int | None] = []
        for own, (size, step) in enumerate(_steps(inputs[0].shape), start=-1):
            same = [axis for axis, each in enumerate(axes) if each == (size, step)]
            elsewhere = None if step % positions else CHANNELS
            places.append(own if own in same else same[0] if same else elsewhere)
        return tuple(places)


def _steps(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """For each axis, its size and its stride in values."""
    return [(size, prod(shape[axis + 1 :])) for axis, size in enumerate(shape)]


class Permute(Rearranged):
    """Reorders the axes by name: `permute: [channels, width, height]` transposes an image.

    The first axis in the list becomes the channels of the output.
    """

    keyword = "permute"
    keeps_order = True
    main = "axes"

    axes: AxisNames
    """The names of the axes in their new order."""

    def _resolve(self, inputs: Inputs) -> Self:
        super()._resolve(inputs)
        known = ("channels", *inputs[0].axes)
        for name in self.axes:
            if name not in known:
                raise Misfit(
                    shapes.RANK, f"{inputs[0]} has no axis `{name}`", "axes",
                    help=_axes_for(self.axes, known),
                )  # fmt: skip
        if sorted(self.axes) != sorted(known):
            raise Misfit(
                shapes.RANK,
                "`permute` must name every axis exactly once",
                "axes",
                help=f"write all of {', '.join(f'`{each}`' for each in known)} in their new order",
            )
        return self

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"axes": ["channels", *type_.axes]}

    def order(self, inputs: Inputs) -> tuple[int, ...]:
        """The old index of each new axis, channels first without the batch."""
        known = ("channels", *inputs[0].axes)
        return tuple(known.index(name) for name in self.axes)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        shape = [inputs[0].shape[axis] for axis in self.order(inputs)]
        return (Type(shape[0], tuple(shape[1:])),)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions" if self.axes[0] == "channels" else "values"

    def _places(self, inputs: Inputs) -> tuple[int | None, ...]:
        order = self.order(inputs)
        return tuple(order.index(axis) - 1 for axis in range(len(order)))


class Blocks(Op):
    """The common part of `space_to_depth` and `depth_to_space`."""

    main = "block"

    block: Annotated[int, Field(ge=1)] = 2
    """The length of a block along each axis."""

    def moves(self, inputs: Inputs) -> Moves | None:
        return "values"


class SpaceToDepth(Blocks):
    """Turns each block of positions into channels; positions in a block are counted row by row.

    Channel c of C, position p in the block becomes channel c·blockⁿ + p with `order: crd`, a pixel unshuffle, and
    channel p·C + c with `dcr`. `depth_to_space` with the same order is the inverse. `darknet` is the reorg layer of
    Darknet (YOLOv2) as it runs, for images: it reads its C input channels as C/block² channels of a map that is `block`
    times as high and wide, makes C channels of them by `dcr`, and reads the result as C·block² channels of the smaller
    map.
    """

    keyword = "space_to_depth"
    keeps_order = True

    unlisted = frozenset({"order"})

    order: Literal["crd", "dcr", "darknet"] = "crd"
    """The order of the channels of the output."""

    def _resolve(self, inputs: Inputs) -> Self:
        if any(size % self.block for size in spatial(self, inputs[0])):
            raise Misfit(
                shapes.SIZE, f"the sizes of {inputs[0]} cannot be divided into blocks of {self.block}", "block",
                help="crop or pad the input to a multiple",
            )  # fmt: skip
        if self.order == "darknet":
            self._check_darknet(inputs[0])
        return self

    def _check_darknet(self, type_: Type) -> None:
        if len(type_.spatial) != 2:
            raise Misfit(
                shapes.RANK,
                f"Darknet's order is one of images; the input is {type_}",
                "order",
                help="`crd` and `dcr` fit any number of axes",
            )
        if (type_.channels or 0) % self.block**2:
            raise Misfit(
                shapes.GROUPS,
                f"{type_.channels} channels cannot be divided into {self.block**2}, which Darknet's order does first",
                "order",
                notes=(f"the input is {type_}{{source}}",),
                help=f"the input needs a multiple of {self.block**2} channels; `crd` and `dcr` take any number",
            )

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        channels = (inputs[0].channels or 0) * self.block ** len(inputs[0].spatial)
        return (Type(channels, tuple(size // self.block for size in inputs[0].sizes)),)

    def reach(self, inputs: Inputs) -> Reach | None:
        if self.order == "darknet":
            return None  # the channels of one position are from everywhere in the map
        block = Window(self.block, self.block)
        rank = len(inputs[0].spatial)
        return Reach((block,) * rank, gathers=tuple(range(rank)) if self.block > 1 else ())


class DepthToSpace(Blocks):
    """Turns channels into blocks of positions, as the pixel shuffle of Shi et al. 2016: `space_to_depth` undone.

    Channel c·blockⁿ + p becomes channel c of C, position p in the block, counted row by row; with `order: dcr`,
    channel p·C + c does.
    """

    keyword = "depth_to_space"
    keeps_order = True

    unlisted = frozenset({"order"})

    order: Literal["crd", "dcr"] = "crd"
    """The order of the channels of the input."""

    def _resolve(self, inputs: Inputs) -> Self:
        count = self.block ** len(spatial(self, inputs[0]))
        if (inputs[0].channels or 0) % count:
            raise Misfit(
                shapes.GROUPS, f"{inputs[0].channels} channels cannot be divided into blocks of {count}", "block",
                help=f"the input needs a multiple of {count} channels",
            )  # fmt: skip
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        channels = (inputs[0].channels or 0) // self.block ** len(inputs[0].spatial)
        return (Type(channels, tuple(size * self.block for size in inputs[0].sizes)),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach((Sampling(1, self.block),) * len(inputs[0].spatial), splits=self.block > 1)


class Identity(Op):
    """Its input, unchanged. Use it to give a tensor another name."""

    keyword = "identity"
    inputs = (Role("input", takes=("numbers", "indices")),)
    keeps_order = True

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)

    def moves(self, inputs: Inputs) -> Moves | None:
        return "positions"
