"""Recurrent layers: a cell that runs along one axis of its input and keeps a state from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from netspec.dataclass import replace
from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Weight
from netspec.ops.initializers import ZEROS, Initializer, lifted
from netspec.ops.reach import EACH, WHOLE, Reach
from netspec.ops.roles import LENGTHS, Port, Role, assigned
from netspec.ops.swept import CELL, SEQUENCE, STATE, Swept
from netspec.types import Type


class Recurrent(Swept):
    """The common part of recurrent layers."""

    width = "units"
    main = "units"
    quiet: ClassVar[Mapping[str, object]] = {"dropout": 0.0}
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {**Swept.idle, "variational": ("dropout", 0.0)}
    inputs: ClassVar[tuple[Role, ...]] = (SEQUENCE, STATE, LENGTHS)
    ports: ClassVar[tuple[Port, ...]] = (
        Port("state", "The last state of every layer and direction, one after the other in the channels."),
    )
    units: Annotated[int, Field(ge=1)]
    """The number of units of each direction."""
    layers: Annotated[int, Field(ge=1, le=1000)] = 1
    """The number of such layers, one after the other."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """In training, the probability with which an output of a layer is set to 0 on its way to the next layer."""
    variational: bool = False
    """Whether `dropout` sets the same channels to 0 at all steps, also in the state that enters a step (Gal 2016)."""

    @property
    def size(self) -> int:
        return self.units

    @property
    def count(self) -> int:
        return self.layers * len(self.suffixes)

    def without_effect(self) -> Sequence[Misfit]:
        # The second layer takes what `merge` makes of the first.
        return [each for each in super().without_effect() if each.field != "merge" or self.layers == 1]

    # Checks

    def _resolve(self, inputs: Inputs) -> Self:
        self._check_order(inputs)
        op = self.replace(axis=self._axis(inputs[0]))
        op._check_directions()
        op._check_starts()
        op._check_dropout()
        op._check_inputs_by_role(inputs)
        return op

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
            self._check_no_lengths(given, inputs[0])
            self._check_states(given, inputs[0])
        if LENGTHS.name in given:
            self._check_lengths(given[LENGTHS.name], inputs[0])

    def _check_no_lengths(self, given: Mapping[str, Type], sequence: Type) -> None:
        """Refuse a single number as a state: it is probably a length."""
        (wanted, *_), state = self.states((sequence,)), given[STATE.name]
        if state == Type(1) != wanted and LENGTHS.name not in given and len(sequence.sizes) == 1:
            raise Misfit(
                shapes.RECURRENT,
                f"the `state` that `{self.keyword}` starts with must be {wanted}; it gets {state}",
                help="if these are lengths, declare that input as "
                f"`{{shape: [], vocabulary: {sequence.sizes[0] + 1}}}`; else {self.advice_for_states(wanted)}",
            )

    def states_in_words(self, wanted: Type) -> str:
        return f"{self.layers} layer{'s' * (self.layers > 1)} × {super().states_in_words(wanted)}"

    def advice_for_states(self, wanted: Type) -> str:
        source = "take it from a layer with the same units, `layers` and `direction`"
        if wanted.spatial:
            sizes = ", ".join(map(str, wanted.sizes))
            source += f" on sequences of these sizes, or spread a vector with `repeat_vector: [{sizes}]`"
        return f"{source}, or give it {wanted.channels} channels with `dense: {wanted.channels}`"

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

    # Reach

    def reaches_of(self, inputs: Inputs, each_step: bool) -> Sequence[Reach | None]:
        at, rank = self.dimension(inputs), len(inputs[0].spatial)
        whole = tuple(WHOLE if axis == at else EACH for axis in range(rank))
        if each_step:
            own = Reach(whole, mixes=True)
            along = tuple(axis for axis in range(rank) if axis != at)
        else:
            own = Reach(whole, tuple(max(axis - (axis > at), 0) for axis in range(rank)), mixes=True)
            along = tuple(range(rank - 1))

        def reach(role: Role) -> Reach:
            if role is SEQUENCE:
                return own
            if role is LENGTHS:
                return Reach(())
            return Reach((EACH,) * (rank - 1), along, mixes=self.mixes_states(role, inputs))

        return [reach(role) for role, _ in assigned(self.inputs, inputs)]

    # Weights

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        """The weights of one layer in one direction, for an input with this number of channels."""
        rows = self.gates * self.units
        found = [
            Weight("weight_ih", (rows, channels), "OI", self.init),
            Weight("weight_hh", (rows, self.size), "OI", self.recurrent_init),
        ]
        if self.bias:
            found.append(self.bias_of_gates("bias_ih", rows))
        return tuple(found)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found = []
        channels = inputs[0].channels or 0
        for layer in range(self.layers):
            for suffix in self.suffixes:
                for each in self.cell_weights(channels):
                    name = f"{each.name}_l{layer}{suffix}"
                    found.append(replace(each, name=name))
            channels = self.merged
        return tuple(found)

    def macs(self, inputs: Inputs) -> int | None:
        # Each value of a weight except the biases is multiplied once per position.
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
            found += (self.bias_of_gates("bias_hh", self.gates * self.units),)
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
    """What is added to the start of the bias of the forget gate."""
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
    def bias_start(self) -> tuple[Initializer, tuple[float, ...]]:
        # With coupled gates f = 1 − i, so that a bias of f is one of i with the other sign.
        if self.coupled:
            return lifted(self.bias_init, i=-self.forget_bias, g=0.0, o=0.0)
        return lifted(self.bias_init, i=0.0, f=self.forget_bias, g=0.0, o=0.0)

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
