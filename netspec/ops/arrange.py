"""Ops that put channels or positions in another order, or beside themselves."""

from __future__ import annotations

from typing import Annotated, Self

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.axes import Along, resized
from netspec.ops.base import Inputs, Misfit, Moves, Op
from netspec.ops.reach import EACH, Listed, Reach
from netspec.types import Type


class ChannelShuffle(Op):
    """Mixes groups of channels: the first channel of each group, then the second of each (Zhang et al. 2018).

    Channel i of group g becomes channel i · groups + g. A grouped convolution after it sees every group.
    """

    keyword = "channel_shuffle"
    keeps_order = True
    main = "groups"

    groups: Annotated[int, Field(ge=1)]
    """The number of groups of consecutive channels."""

    def _resolve(self, inputs: Inputs) -> Self:
        channels = inputs[0].channels or 0
        if channels % self.groups:
            raise Misfit(
                shapes.GROUPS,
                f"{channels} channels cannot be divided into {self.groups} groups",
                "groups",
                help=f"the input is {inputs[0]}: use a divisor of {channels}",
            )
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (inputs[0],)

    def moves(self, inputs: Inputs) -> Moves | None:
        # Channels in another order, all of them, have the same softmax.
        return "positions"


class Tile(Along):
    """The positions of an axis again and again, one after the other; `upsample` repeats each position by itself.

    Like `roll` and `reverse` it works along one axis: two axes take two of them.
    """

    keyword = "tile"
    main = "times"

    times: Annotated[int, Field(ge=1)]
    """How often the axis stands in the output."""

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"times": 2, "axis": (*type_.axes, "channels")[0]}

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (resized(inputs[0], self.dimension(inputs), self.size(inputs) * self.times),)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.along(inputs, Listed(range(self.size(inputs))) if self.times > 1 else EACH)
