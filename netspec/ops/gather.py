"""The op that takes positions of an axis in any order, the same for all samples or others for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator, Field
from netspec.ops.axes import Along, place_on, removed, resized, resolved_axis
from netspec.ops.base import Inputs, Meaning, Misfit, Moves
from netspec.ops.fields import AuthorForm, refusal
from netspec.ops.reach import ANYWHERE, EACH, WHOLE, At, Listed, Reach, Taps, Window
from netspec.ops.roles import Role
from netspec.types import Type


def _listed(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        raise refusal(
            "positions",
            "`gather` takes a list of positions",
            f"write `[{value}]` for a list of one; `- take: {value}` is the op that also removes the axis",
        )
    if value == []:
        raise refusal("positions", "the list has no position", "write at least one, such as `[0]`")
    return tuple(value) if isinstance(value, list) else value


PositionList = Annotated[
    tuple[int, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    AuthorForm(
        lambda: {
            "description": "a list of whole numbers",
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 1,
        }
    ),
]


INDICES = Role(
    "indices",
    "The positions of each sample, in place of `positions`: an input with a `vocabulary`, of one axis or none.",
    takes=("indices",),
    least=0,
)


class Gather(Along):
    """These positions of an axis, in this order, any of them several times: `gather: [0, 2, 2, -1]`.

    With `indices` (`gather: , from: [x, indices]`), the positions are other ones for each sample: a list of indices
    takes the place of the axis; one index for a sample removes it.
    """

    keyword = "gather"
    main = "positions"
    inputs = (*Along.inputs, INDICES)

    positions: PositionList | None = None
    """The positions, from 0; negative ones count from the end."""

    def _resolve(self, inputs: Inputs) -> Self:
        op = self.replace(axis=resolved_axis(inputs[0], self.axis))
        size = op.size(inputs)
        if len(inputs) > 1:
            op._check_indices(size, inputs[1])
            return op
        if self.positions is None:
            raise Misfit(
                shapes.SIZE,
                "`gather` needs the positions to take",
                help="write `gather: [0, 2]`, or `from: [NAME, INDICES]` beside it, where INDICES is an input with a "
                "`vocabulary`",
            )
        for each in self.positions:
            place_on(op, inputs, "positions", each, size)
        return op

    def _check_indices(self, size: int, indices: Type) -> None:
        if self.positions is not None:
            raise Misfit(
                shapes.SIZE,
                "the positions come from the second input, and `positions` states others",
                "positions",
                help="leave one of them out",
            )
        if len(indices.spatial) > 1 or (self.axis == "channels" and not indices.spatial):
            least = "an axis" if self.axis == "channels" else "at most one axis"
            raise Misfit(
                shapes.RANK,
                f"`gather` along {self.axis} takes indices with {least}; it gets {indices}",
                help="give that input one size: `shape: [5]`",
            )
        if (indices.vocabulary or 0) > size:
            raise Misfit(
                shapes.SIZE,
                f"the indices go up to {(indices.vocabulary or 0) - 1}, and {self.axis} has {size} positions, "
                f"from 0 to {size - 1}",
                help=f"give that input `vocabulary: {size}`",
            )

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"positions": [0, 0], "axis": (*type_.axes, "channels")[0]}

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        count: int | None = len(self.positions or ())
        if len(inputs) > 1:
            count = next(iter(inputs[1].sizes), None)
        return (resized(inputs[0], self.dimension(inputs), count),)

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return super().means(inputs[:1])

    def moves(self, inputs: Inputs) -> Moves | None:
        return None if len(inputs) > 1 else super().moves(inputs)

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        if len(inputs) == 1:
            size = self.size(inputs)
            return [self.along(inputs, _taps([place % size for place in self.positions or ()]))]
        if inputs[1].spatial:
            at = self.dimension(inputs) - (inputs[0].channels is not None)
            # Channels are not positions: each position depends on all indices of channels.
            indices = Reach((WHOLE,)) if at < 0 else Reach((EACH,), along=(at,))
            return [self.along(inputs, ANYWHERE), indices]
        return [removed(self, inputs, At(None)), Reach(())]


def _taps(positions: Sequence[int]) -> Taps:
    """A window, where the positions are evenly spaced."""
    first, *others = positions
    step = others[0] - first if others else 1
    even = tuple(range(first, first + step * len(positions), step)) if step else ()
    return Window(stride=step, before=-first) if even == tuple(positions) else Listed(tuple(positions))
