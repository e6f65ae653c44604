"""The common part of layers that run along one axis of their input and keep a state from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Meaning, Misfit, Op, Weight
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init, Initializer
from netspec.ops.reach import Reach
from netspec.ops.roles import Role
from netspec.types import Type

ORTHOGONAL = Initializer.model_construct(kind="orthogonal", settings=())

Direction = Literal["forward", "backward", "both"]
Returns = Literal["sequence", "last", "state"]

SEQUENCE = Role("sequence", "The sequence, or the map, along an axis of which the layer runs.")
STATE = Role(
    "state", "The state that it starts with, in place of zeros: the `state` of another layer.", least=0
)
CELL = Role(
    "cell", "The cell that it starts with, where a state is given: the `cell` of another layer.", least=0
)
DIRECTIONS: dict[Direction, tuple[str, ...]] = {
    "forward": ("",),
    "backward": ("",),
    "both": ("", "_reverse"),
}
"""The suffixes of the names of weights, one per direction."""


class Swept(Op):
    """The common part of layers that run along an axis and keep a state."""

    gives = Meaning.SCORES
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {
        "bias_init": ("bias", False),
        "merge": ("return", "state"),
    }

    axis: Annotated[str | int | None, Field(union_mode="left_to_right")] = None
    """The axis along which the layer runs: its name, or its number from 0. Only a map with several needs it."""
    direction: Direction = "forward"
    """Whether it runs from the first position to the last, from the last to the first, or both, with weights each."""
    merge: Literal["concat", "sum", "average", "multiply"] = "concat"
    """How the two outputs of `direction: both` are combined."""
    __annotations__["return"] = Annotated[Returns, Field(default="sequence")]
    """The output: at every step, at the last step of each direction, or all last states, for another layer."""
    bias: bool = True
    """Whether a bias is added in each gate."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the matrices that the inputs are multiplied with."""
    recurrent_init: Init = ORTHOGONAL
    """The initialiser of the matrices that the state is multiplied with."""
    bias_init: Init = ZEROS
    """The initialiser of the biases of the gates."""

    @property
    def returns(self) -> Returns:
        """The field `return`, whose name is a word of Python's."""
        value: Returns = getattr(self, "return")
        return value

    @property
    def gates(self) -> int:
        """The number of gates, whose weights stand one after the other."""
        raise NotImplementedError

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of the names of weights, one per direction."""
        return DIRECTIONS[self.direction]

    @property
    def size(self) -> int:
        """The number of channels of the state."""
        raise NotImplementedError

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The number of channels of each state: of h, and of the cell if there is one."""
        return (self.size,)

    @property
    def merged(self) -> int:
        """The number of channels of the output of a layer."""
        return self.size * (len(self.suffixes) if self.merge == "concat" else 1)

    @property
    def count(self) -> int:
        """The number of states that the output `state` has along its channels."""
        return len(self.suffixes)

    @property
    def bias_start(self) -> tuple[Initializer, tuple[float, ...]]:
        """The start of the biases of the gates: the initialiser, and a number to add for each gate."""
        return self.bias_init, ()

    def bias_of_gates(self, name: str, rows: int) -> Weight:
        """The weight that holds the biases of all gates."""
        init, lifts = self.bias_start
        return Weight(name, (rows,), "O", init, lifts=lifts)

    def dimension(self, inputs: Inputs) -> int:
        """The number of the spatial axis along which the layer runs. The op must be resolved."""
        assert isinstance(self.axis, str)
        return inputs[0].axes.index(self.axis)

    # Checks

    def _check_order(self, inputs: Inputs) -> None:
        """Refuse a state in the place of the sequence: a state has one axis less."""
        if len(inputs) > 1 and len(inputs[0].spatial) < len(inputs[1].spatial):
            raise Misfit(
                shapes.RECURRENT,
                f"`{self.keyword}` takes the `{SEQUENCE.name}` first; here {inputs[0]} stands before {inputs[1]}, "
                "which has more axes",
                help=f"change their order: `from` names `{SEQUENCE.name}`, then `{STATE.name}`",
            )

    def _axis(self, type_: Type) -> str:
        """The name of the axis along which the layer runs."""
        axes = type_.axes
        if not axes:
            raise Misfit(
                shapes.RANK,
                f"`{self.keyword}` runs along an axis; the input is a vector, {type_}",
                help="move it before the layer that makes the vector (`flatten`, a global pool, `return: last`), use "
                "`dense`, or give the input an axis",
            )
        if self.axis is None:
            if len(axes) == 1:
                return axes[0]
            raise Misfit(
                shapes.RANK,
                f"`{self.keyword}` runs along one axis, and {type_} has {len(axes)}",
                help=f"name it: {' or '.join(f'`axis: {each}`' for each in axes)}; positions along the others are "
                "sequences of their own",
            )
        if isinstance(self.axis, int):
            if 0 <= self.axis < len(axes):
                return axes[self.axis]
        elif self.axis.isdecimal() and int(self.axis) < len(axes):
            raise Misfit(
                shapes.RANK,
                f"{type_} has no axis with the name `{self.axis}`; its number has no quotes",
                "axis",
                help=f"write `axis: {int(self.axis)}`, or `axis: {axes[int(self.axis)]}`",
            )
        elif self.axis in axes:
            return self.axis
        elif self.axis == "time" and len(axes) == 3:
            return axes[0]  # `time` is also a name of the first axis of a video
        raise Misfit(
            shapes.RANK,
            f"{type_} has no axis `{self.axis}`",
            "axis",
            help=f"its axes are {', '.join(f'`{each}` ({number})' for number, each in enumerate(axes))}",
        )

    def _check_directions(self) -> None:
        if self.merge != "concat" and self.direction != "both":
            raise Misfit(
                shapes.RECURRENT,
                f"`merge` joins two directions, and with `direction: {self.direction}` there is one",
                "merge",
                help="write `direction: both`, or leave `merge` out",
            )

    def _check_starts(self) -> None:
        for name in ("init", "recurrent_init"):
            if getattr(self, name).kind == "bilinear":
                raise Misfit(
                    shapes.RECURRENT,
                    "`bilinear` connects each channel with itself, and the rows of this matrix are those of gates",
                    name,
                    help=f"use `{name}: orthogonal`, or another initialiser",
                )

    def _check_states(self, given: dict[str, Type], sequence: Type) -> None:
        names = [role.name for role in (STATE, CELL) if role in self.inputs]
        missing = [name for name in names if name not in given]
        if missing:
            raise Misfit(
                shapes.RECURRENT,
                f"`{self.keyword}` starts with a `state` and a `cell`; here it gets only one of them",
                help=f"write `from: [NAME, OTHER.state, OTHER.cell]`, where OTHER is another `{self.keyword}`",
            )
        states = dict(zip(names, self.states((sequence,)), strict=True))
        for name, wanted in states.items():
            if given[name] != wanted:
                raise Misfit(
                    shapes.RECURRENT,
                    f"the `{name}` that `{self.keyword}` starts with must be {wanted}; it gets {given[name]}",
                    notes=(self.states_in_words(wanted),),
                    help=self.advice_for_states(wanted),
                    wanted=states,
                )

    def states_in_words(self, wanted: Type) -> str:
        """A note that explains the number of channels of the states."""
        count = len(self.suffixes)
        return f"{count} direction{'s' * (count > 1)} × {(wanted.channels or 0) // self.count} channels"

    def advice_for_states(self, wanted: Type) -> str:
        """The help for a state of another type."""
        raise NotImplementedError

    # Outputs

    def to_keep_axes(self) -> str | None:
        return None if self.returns == "sequence" else "return: sequence"

    def states(self, inputs: Inputs) -> tuple[Type, ...]:
        """The types of the last states, which are also those of the initial states."""
        return tuple(Type(self.count * size, self.ends(inputs)) for size in self.state_sizes)

    def ends(self, inputs: Inputs) -> tuple[int, ...]:
        """The spatial sizes of the states."""
        return self.others(inputs)

    def others(self, inputs: Inputs) -> tuple[int, ...]:
        """The sizes of the input along the other axes."""
        at = self.dimension(inputs)
        sizes = inputs[0].sizes
        return sizes[:at] + sizes[at + 1 :]

    def steps(self, inputs: Inputs) -> int:
        """The number of positions along the axis of the layer."""
        return inputs[0].sizes[self.dimension(inputs)]

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        return self.reaches_of(inputs, each_step=self.returns == "sequence")

    def port_reaches(self, port: str, inputs: Inputs) -> Sequence[Reach | None]:
        return self.reaches_of(inputs, each_step=False)  # last states: without the axis of the steps

    def reaches_of(self, inputs: Inputs, each_step: bool) -> Sequence[Reach | None]:
        """For each input, what a position of an output depends on that has, or has not, the axis of the steps."""
        raise NotImplementedError

    def mixes_states(self, role: Role, inputs: Inputs) -> bool:
        """Whether each channel of an output depends on every channel of the first states.

        A direction does not see the states of the other, nor a layer those of later ones. The first cell reaches
        another channel by way of the state, in the second step.
        """
        return self.count == 1 and (role is not CELL or self.steps(inputs) > 1)

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        states, ends, at = self.states(inputs), self.ends(inputs), self.dimension(inputs)
        first = {
            "sequence": Type(self.merged, (*ends[:at], inputs[0].sizes[at], *ends[at:])),
            "last": Type(self.merged, ends),
            "state": states[0],
        }
        return (first[self.returns], *states)
