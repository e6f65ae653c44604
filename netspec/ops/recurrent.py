"""Recurrent layers: a cell that runs along one axis of its input and keeps a state from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit, Op, Weight
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init, Initializer, by_gate
from netspec.ops.reach import EACH, WHOLE, Reach
from netspec.ops.roles import Port, Role, assigned
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
LENGTHS = Role(
    "lengths",
    "How many steps of each sample count, a whole number: an input with `shape: []` and a `vocabulary`.",
    takes=("indices",),
    least=0,
)

DIRECTIONS: dict[Direction, tuple[str, ...]] = {
    "forward": ("",),
    "backward": ("",),
    "both": ("", "_reverse"),
}
"""What the names of the weights of each direction end with."""


class Recurrent(Op):
    """The common part of recurrent layers."""

    width = "units"
    main = "units"
    gives = Meaning.SCORES
    quiet: ClassVar[Mapping[str, object]] = {"dropout": 0.0}
    inputs: ClassVar[tuple[Role, ...]] = (SEQUENCE, STATE, LENGTHS)
    ports: ClassVar[tuple[Port, ...]] = (
        Port("state", "The last state of every layer and direction, one after the other in the channels."),
    )
    units: Annotated[int, Field(ge=1)]
    """The number of units of each direction."""
    axis: Annotated[str | int | None, Field(union_mode="left_to_right")] = None
    """The axis along which the layer runs: its name, or its number from 0. Only a map with several needs it."""
    direction: Direction = "forward"
    """Whether it runs from the first position to the last, from the last to the first, or both, with weights each."""
    merge: Literal["concat", "sum", "average", "multiply"] = "concat"
    """What becomes of the two outputs of `direction: both`."""
    __annotations__["return"] = Annotated[Returns, Field(default="sequence")]
    """The output: at every step, at the last step of each direction, or all last states, for another layer."""
    layers: Annotated[int, Field(ge=1)] = 1
    """The number of such layers, one after the other."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """In training, the probability with which an output of a layer is set to 0 on its way to the next layer."""
    variational: bool = False
    """Whether `dropout` sets the same channels to 0 at all steps, also in the state that enters a step (Gal 2016)."""
    bias: bool = True
    """Whether a bias is added in each gate."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the matrices that the inputs are multiplied with."""
    recurrent_init: Init = ORTHOGONAL
    """The initialiser of the matrices that the state is multiplied with."""

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
        """What the names of the weights of each direction end with."""
        return DIRECTIONS[self.direction]

    @property
    def size(self) -> int:
        """The number of channels of the state."""
        return self.units

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The channels of each tensor that goes from step to step."""
        return (self.size,)

    @property
    def merged(self) -> int:
        """The number of channels of the output of a layer."""
        return self.size * (len(self.suffixes) if self.merge == "concat" else 1)

    def dimension(self, inputs: Inputs) -> int:
        """The number of the spatial axis along which the layer runs. The op must be resolved."""
        assert isinstance(self.axis, str)
        return inputs[0].axes.index(self.axis)

    # Whether it fits

    def _resolve(self, inputs: Inputs) -> Self:
        op = self.replace(axis=self._axis(inputs[0]))
        op._check_directions()
        op._check_dropout()
        op._check_inputs_by_role(inputs)
        return op

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

    def _check_dropout(self) -> None:
        if self.dropout and self.layers == 1 and not self.variational:
            raise Misfit(
                shapes.RECURRENT,
                "`dropout` acts between the layers of the op, and this one has one layer",
                "dropout",
                help=f"write `- dropout: {self.dropout:g}` after it, or `variational: true`, which also acts on the "
                "state",
            )

    def _check_inputs_by_role(self, inputs: Inputs) -> None:
        given = {role.name: type_ for role, type_ in assigned(self.inputs, inputs)}
        if STATE.name in given:
            self._check_states(given, inputs[0])
        if LENGTHS.name in given:
            self._check_lengths(given[LENGTHS.name], inputs[0])

    def _check_states(self, given: dict[str, Type], sequence: Type) -> None:
        names = [role.name for role in (STATE, CELL) if role in self.inputs]
        missing = [name for name in names if name not in given]
        if missing:
            raise Misfit(
                shapes.RECURRENT,
                f"`{self.keyword}` starts with a `state` and a `cell`; here it gets only one of them",
                help="write `from: [NAME, OTHER.state, OTHER.cell]`, where OTHER is another `lstm`",
            )
        for name, wanted in zip(names, self.states((sequence,)), strict=True):
            if given[name] != wanted:
                kinds = f"{self.layers} layer{'s' * (self.layers > 1)} × {len(self.suffixes)} direction"
                raise Misfit(
                    shapes.RECURRENT,
                    f"the `{name}` that `{self.keyword}` starts with must be {wanted}; it gets {given[name]}",
                    notes=(
                        f"{kinds}{'s' * (len(self.suffixes) > 1)} × {wanted.channels // self._count} channels",
                    )
                    if wanted.channels
                    else (),
                    help=f"take it from a layer with the same units, `layers` and `direction`, or give it "
                    f"{wanted.channels} channels with `dense: {wanted.channels}`",
                )

    def _check_lengths(self, lengths: Type, sequence: Type) -> None:
        if len(sequence.spatial) > 1:
            raise Misfit(
                shapes.RECURRENT,
                f"`lengths` says how long each sequence is, and {sequence} is a map: its rows are as long as the map",
                help="leave the lengths out, or give it sequences, with one axis",
            )
        if lengths.spatial:
            raise Misfit(
                shapes.RECURRENT,
                f"`lengths` is one whole number for each sample; it gets {lengths}",
                help="give that input `shape: []`",
            )
        steps = sequence.sizes[0]
        if (lengths.vocabulary or 0) > steps + 1:
            raise Misfit(
                shapes.RECURRENT,
                f"`lengths` goes up to {(lengths.vocabulary or 0) - 1}, and the sequence has {steps} steps",
                help=f"give that input `vocabulary: {steps + 1}`: its numbers are then 0 to {steps}",
            )

    @property
    def _count(self) -> int:
        return self.layers * len(self.suffixes)

    # What it gives

    def states(self, inputs: Inputs) -> tuple[Type, ...]:
        """The types of the last states, which are those of the first ones."""
        others = self._others(inputs)
        return tuple(Type(self._count * size, others) for size in self.state_sizes)

    def _others(self, inputs: Inputs) -> tuple[int, ...]:
        at = self.dimension(inputs)
        sizes = inputs[0].sizes
        return sizes[:at] + sizes[at + 1 :]

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        states = self.states(inputs)
        first = {
            "sequence": Type(self.merged, inputs[0].sizes),
            "last": Type(self.merged, self._others(inputs)),
            "state": states[0],
        }
        return (first[self.returns], *states)

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        at, rank = self.dimension(inputs), len(inputs[0].spatial)
        others = tuple(EACH for _ in range(rank - 1))
        if self.returns == "sequence":
            own = Reach(tuple(WHOLE if axis == at else EACH for axis in range(rank)), mixes=True)
            along = tuple(axis for axis in range(rank) if axis != at)
        else:
            gone = tuple(max(axis - (axis > at), 0) for axis in range(rank))
            own = Reach(tuple(WHOLE if axis == at else EACH for axis in range(rank)), gone, mixes=True)
            along = tuple(range(rank - 1))
        state = Reach(others, along, mixes=True)
        roles = assigned(self.inputs, inputs)
        return [own if role is SEQUENCE else Reach(()) if role is LENGTHS else state for role, _ in roles]

    # Weights

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        """The weights of one layer in one direction, whose input has so many channels."""
        rows = self.gates * self.units
        found = [
            Weight("weight_ih", (rows, channels), "OI", self.init),
            Weight("weight_hh", (rows, self.size), "OI", self.recurrent_init),
        ]
        if self.bias:
            found.append(Weight("bias_ih", (rows,), "O", self.bias_start))
        return tuple(found)

    @property
    def bias_start(self) -> Initializer:
        """The initialiser of the biases of the gates."""
        return ZEROS

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found = []
        channels = inputs[0].channels or 0
        for layer in range(self.layers):
            for suffix in self.suffixes:
                for each in self.cell_weights(channels):
                    name = f"{each.name}_l{layer}{suffix}"
                    found.append(Weight(name, each.shape, each.axes, each.init))
            channels = self.merged
        return tuple(found)

    def macs(self, inputs: Inputs) -> int | None:
        # Each number but a bias is multiplied once at each position.
        products = sum(prod(each.shape) for each in self.weights(inputs) if not each.name.startswith("bias"))
        return products * prod(inputs[0].sizes)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"units": 1, "axis": 0}


class Rnn(Recurrent):
    """A simple recurrent layer (Elman 1990): h = f(W x + U h + b), where f is the activation.

    A layer of `layers`, in each `direction`, has the weights `weight_ih` (W), `weight_hh` (U) and `bias_ih` (b).
    """

    keyword = "rnn"

    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The activation of each step."""

    @property
    def gates(self) -> int:
        return 1


class Gru(Recurrent):
    """A gated recurrent unit (Cho et al. 2014), as frameworks have it: h = (1 − z) · n + z · h.

    r = σ(W_r x + U_r h + b_r), z = σ(W_z x + U_z h + b_z). With `reset: after`, which frameworks default to,
    n = tanh(W_n x + b_n + r · (U_n h + b'_n)); with `reset: before`, as in the paper,
    n = tanh(W_n x + b_n + U_n (r · h)).
    Where a text has h = (1 − z) · h + z · n, its z is 1 − z here: negate the weights and the bias of z.
    The gates stand in the order r, z, n. With `reset: after` each gate has a second bias, `bias_hh`, beside U.
    """

    keyword = "gru"

    reset: Literal["after", "before"] = "after"
    """Whether the gate r resets the product with the state, or the state before the product."""

    @property
    def gates(self) -> int:
        return 3

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        found = super().cell_weights(channels)
        if self.bias and self.reset == "after":
            found += (Weight("bias_hh", (self.gates * self.units,), "O", ZEROS),)
        return found


class Lstm(Recurrent):
    """A long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000): c = f · c + i · g, h = o · tanh(c).

    i, f, o = σ(W x + U h + b) and g = tanh(W x + U h + b), each with its own weights, in the order i, f, g, o.
    With `peepholes` (Gers and Schmidhuber 2000) i and f also see the old cell and o the new one, each unit its own:
    `weight_ch` is added times the cell. With `coupled`, f = 1 − i, and there is no third gate.
    With a `projection`, the state is `weight_hr` · h (Sak et al. 2014).
    """

    keyword = "lstm"
    inputs = (SEQUENCE, STATE, CELL, LENGTHS)
    ports = (*Recurrent.ports, Port("cell", "The last cell of every layer and direction, likewise."))

    forget_bias: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """The value with which the bias of the forget gate starts."""
    peepholes: bool = False
    """Whether the gates see the cell."""
    coupled: bool = False
    """Whether a unit forgets just as much as it takes in."""
    projection: Annotated[int, Field(ge=1)] | None = None
    """The number of channels to which the output of the units is projected."""

    @property
    def gates(self) -> int:
        return 3 if self.coupled else 4

    @property
    def size(self) -> int:
        return self.projection or self.units

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return (self.size, self.units)

    @property
    def bias_start(self) -> Initializer:
        # With coupled gates f = 1 − i, so that a bias of f is one of i with the other sign.
        if self.coupled:
            return by_gate(i=-self.forget_bias, g=0.0, o=0.0)
        return by_gate(i=0.0, f=self.forget_bias, g=0.0, o=0.0)

    def _resolve(self, inputs: Inputs) -> Self:
        if not self.bias and self.forget_bias != 1:
            raise Misfit(
                shapes.RECURRENT,
                "`forget_bias` is the start of a bias, and with `bias: false` there is none",
                "forget_bias",
                help="leave one of them out",
            )
        return super()._resolve(inputs)

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        found = super().cell_weights(channels)
        if self.peepholes:
            found += (Weight("weight_ch", ((self.gates - 1) * self.units,), "O", ZEROS),)
        if self.projection is not None:
            found += (Weight("weight_hr", (self.projection, self.units), "OI", self.init),)
        return found
