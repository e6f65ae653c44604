"""Convolutional recurrent layers: the states are maps, and the gates are convolutions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd, prod
from typing import Annotated, ClassVar, Literal, Self

from netspec.dataclass import replace
from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit, Weight
from netspec.ops.conv import Conv
from netspec.ops.fields import Padding, PerAxis
from netspec.ops.initializers import ZEROS, Initializer, lifted
from netspec.ops.reach import WHOLE, Reach, Window
from netspec.ops.roles import Port, Role, assigned
from netspec.ops.swept import CELL, SEQUENCE, STATE, Swept
from netspec.ops.window import broadcast
from netspec.types import Type


class ConvRecurrent(Swept):
    """The common part of convolutional recurrent layers."""

    width = "filters"
    inputs: ClassVar[tuple[Role, ...]] = (SEQUENCE, STATE)
    ports: ClassVar[tuple[Port, ...]] = (
        Port("state", "The last state of every direction, one after the other in the channels."),
    )

    filters: Annotated[int, Field(ge=1)]
    """The number of channels of the state of each direction."""
    kernel: PerAxis
    """The size of the kernel that convolves the input, along the axes other than that of the steps."""
    recurrent_kernel: PerAxis | None = None
    """The size of the kernel that convolves the state; its padding is `same`. The default is `kernel`."""
    stride: PerAxis = (1,)
    """The step of the convolution of the input."""
    padding: Padding = "valid"
    """The padding of the convolution of the input. `same` gives ⌈i/s⌉ outputs along an axis."""
    dilation: PerAxis = (1,)
    """The distance between neighbouring elements of the kernel that convolves the input."""
    axis: Annotated[str | int, Field(union_mode="left_to_right")] = 0
    """The axis along which the layer runs: its name, or its number from 0. By default the first: time, of a video."""
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The activation of what enters the state."""
    recurrent_activation: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"
    """The activation of the gates."""

    @property
    def size(self) -> int:
        return self.filters

    @property
    def recurrent(self) -> tuple[int, ...]:
        """The size of the kernel that convolves the state. The op must be resolved."""
        return self.kernel if self.recurrent_kernel is None else self.recurrent_kernel

    # Checks

    def _resolve(self, inputs: Inputs) -> Self:
        type_ = inputs[0]
        self._check_order(inputs)
        if len(type_.spatial) == 1:
            raise Misfit(
                shapes.RANK,
                f"`{self.keyword}` convolves along the axes that it does not run along, and {type_} has one axis",
                help=f"use `{self.keyword.removeprefix('conv_')}`, or give the input a further axis",
            )
        op = self.replace(axis=self._axis(type_))
        op._check_directions()
        op._check_starts()
        step = op.step(inputs)
        op._check_axes(type_, len(step.spatial))
        try:
            window = op.of_input.resolve((step,))
        except Misfit as misfit:
            steps = f"the layer runs along `{op.axis}` of {type_}: the input of a step is {step}"
            notes = (steps, *misfit.notes)
            raise Misfit(misfit.code, misfit.message, misfit.field, notes, misfit.help) from None
        op = op.replace(
            kernel=window.kernel,
            recurrent_kernel=broadcast("recurrent_kernel", op.recurrent, len(step.spatial)),
            stride=window.strides,
            padding=window.padding,
            dilation=window.dilation,
        )
        given = {role.name: each for role, each in assigned(self.inputs, inputs)}
        if STATE.name in given:
            op._check_states(given, type_)
        return op

    def _check_axes(self, type_: Type, rank: int) -> None:
        """Raise Misfit for a list whose length is not the number of axes of a step."""
        if self.padding == "causal":
            raise Misfit(
                shapes.RANK,
                f"`causal` padding is along time, and `{self.keyword}` convolves along the other axes",
                "padding",
                help="use `same`: the layer sees no later step unless `direction` says so",
            )
        for name in ("kernel", "recurrent_kernel", "stride", "padding", "dilation"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != rank and (len(values) > 1 or name == "padding"):
                axes = " and ".join(f"`{each}`" for each in type_.axes if each != self.axis)
                number = f"{len(values)} ax{'i' if len(values) == 1 else 'e'}s"
                raise Misfit(
                    shapes.AXES,
                    f"`{name}` has values for {number}; the layer runs along `{self.axis}` and convolves "
                    f"along {axes}",
                    name,
                    help=f"give one number for all axes, or a list of {rank}",
                )

    def _wrong_kind(self, role: Role, type_: Type, inputs: Inputs) -> Misfit:
        found = super()._wrong_kind(role, type_, inputs)
        if role is SEQUENCE or type_.kind != "indices":
            return found
        help_ = "leave lengths out: every step of a video counts"
        return Misfit(found.code, found.message, found.field, found.notes, help_)

    def advice_for_states(self, wanted: Type) -> str:
        return (
            f"take it from a layer with the same `filters` and `direction` on maps of these sizes, or give it "
            f"{wanted.channels} channels with `conv: {{filters: {wanted.channels}, kernel: 1}}`"
        )

    @property
    def passes(self) -> int:
        """The number of consecutive convolutions of the state in a step."""
        return 1

    # The two convolutions

    def step(self, inputs: Inputs) -> Type:
        """The type of the input of one step."""
        return Type(inputs[0].channels, self.others(inputs))

    @property
    def of_input(self) -> Conv:
        """The convolution of the input of a step, for all gates at once."""
        return Conv.model_construct(
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            filters=self.gates * self.filters,
            bias=self.bias,
            init=self.init,
        )

    @property
    def of_state(self) -> Conv:
        """The convolution of the state, for all gates at once. The op must be resolved."""
        ones = (1,) * len(self.recurrent)
        return Conv.model_construct(
            kernel=self.recurrent,
            stride=ones,
            padding=tuple(((k - 1) // 2, k // 2) for k in self.recurrent),
            dilation=ones,
            bias=False,
            init=self.recurrent_init,
            filters=self.gates * self.filters,
        )

    # Outputs

    def ends(self, inputs: Inputs) -> tuple[int, ...]:
        return self.of_input.outputs((self.step(inputs),))[0].sizes

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        yield from self.of_input.extents((self.step(inputs),))
        yield (
            "the gates of all steps",
            prod(self.ends(inputs)) * self.gates * self.filters * self.steps(inputs),
        )

    def reaches_of(self, inputs: Inputs, each_step: bool) -> Sequence[Reach | None]:
        at, steps = self.dimension(inputs), self.steps(inputs)
        window = self.of_input
        rows = zip(window.kernel, window.strides, window.pads, window.dilation, self.recurrent, strict=True)
        starts = len(inputs) > 1
        of_input = self.passes * (steps - 1) + (self.passes - 1) * starts
        own: list[Window] = []
        for k, s, (lo, _), d, recurrent in rows:
            # Each step further back is seen through more windows of the recurrent kernel.
            spread, before = recurrent - 1, (recurrent - 1) // 2
            wide = of_input * spread
            between = d if not wide else s if k == 1 else gcd(s, d)
            count = ((k - 1) * d + wide * s) // between + 1
            own.append(Window(count, s, lo + of_input * before * s, between))
        others = tuple(axis for axis in range(len(own) + 1) if axis != at)
        axes: tuple[Window | Literal["whole"], ...] = (*own[:at], WHOLE, *own[at:])
        if each_step:
            seen, along = Reach(axes, mixes=True), others
        else:
            gone = tuple(max(axis - (axis > at), 0) for axis in range(len(axes)))
            seen, along = Reach(axes, gone, mixes=True), tuple(range(len(own)))

        def reach(role: Role) -> Reach:
            if role is SEQUENCE:
                return seen
            # The first step does not convolve the cell, only the state.
            times = self.passes * (steps - (role is CELL))
            first = (Window(times * (r - 1) + 1, 1, times * ((r - 1) // 2)) for r in self.recurrent)
            return Reach(tuple(first), along, mixes=self.mixes_states(role, inputs))

        return [reach(role) for role, _ in assigned(self.inputs, inputs)]

    # Weights

    def cell_weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """The weights of one direction."""
        kernel = self.of_input.weights((self.step(inputs),))[0]
        (recurrent,) = self.of_state.weights((Type(self.filters, self.ends(inputs)),))
        found = [replace(kernel, name="weight_ih"), replace(recurrent, name="weight_hh")]
        if self.bias:
            found.append(self.bias_of_gates("bias_ih", self.gates * self.filters))
        return tuple(found)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        own = self.cell_weights(inputs)
        return tuple(
            replace(each, name=f"{each.name}_l0{suffix}") for suffix in self.suffixes for each in own
        )

    def macs(self, inputs: Inputs) -> int | None:
        positions = prod(self.ends(inputs))
        # A kernel is multiplied at each position; a peephole has a number for each position.
        products = sum(
            prod(each.shape) * (1 if each.name == "weight_ch" else positions)
            for each in self.cell_weights(inputs)
            if not each.name.startswith("bias")
        )
        return products * len(self.suffixes) * self.steps(inputs)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"filters": 1, "kernel": 1}


class ConvLstm(ConvRecurrent):
    """A convolutional LSTM (Shi et al. 2015): c = f ∘ c + i ∘ g, h = o ∘ tanh(c), where every product is a map.

    i, f, o = σ(W ∗ x + U ∗ h + b) and g = tanh(W ∗ x + U ∗ h + b), each with its own kernels, in the order i, f, g, o.
    W slides over the input with `kernel`, `stride`, `padding` and `dilation`, U over the state with `recurrent_kernel`.
    With `peepholes`, as in the paper, i and f also see the old cell and o the new one: `weight_ch`, with a number for
    each position and channel, is added times the cell. tanh and σ are `activation` and `recurrent_activation`.
    """

    keyword = "conv_lstm"
    inputs = (SEQUENCE, STATE, CELL)
    ports = (*ConvRecurrent.ports, Port("cell", "The last cell of every direction, likewise."))

    forget_bias: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """What is added to the start of the bias of the forget gate."""
    peepholes: bool = False
    """Whether the gates see the cell. The weights then fit maps of one size only."""

    @property
    def gates(self) -> int:
        return 4

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return (self.filters, self.filters)

    @property
    def bias_start(self) -> tuple[Initializer, tuple[float, ...]]:
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

    def cell_weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found = super().cell_weights(inputs)
        if self.peepholes:
            shape = (3 * self.filters, *self.ends(inputs))
            found += (Weight("weight_ch", shape, "O" + self.of_input.axes, ZEROS),)
        return found


class ConvGru(ConvRecurrent):
    """A convolutional gated recurrent unit (Ballas et al. 2016): h = (1 − z) ∘ n + z ∘ h, where every product is a map.

    r, z = σ(W ∗ x + U ∗ h + b), each with its own kernels. With `reset: before`, as in the paper,
    n = tanh(W ∗ x + b + U ∗ (r ∘ h)); with `reset: after`, n = tanh(W ∗ x + b + r ∘ (U ∗ h + b')).
    W slides over the input with `kernel`, `stride`, `padding` and `dilation`, U over the state with `recurrent_kernel`.
    Where a text has h = (1 − z) ∘ h + z ∘ n, its z is 1 − z here: negate the weights and the bias of z.
    The gates stand in the order r, z, n; b', `bias_hh`, has a part for each of them. tanh and σ are `activation` and
    `recurrent_activation`.
    """

    keyword = "conv_gru"

    reset: Literal["before", "after"] = "before"
    """Whether the gate r resets the state before the convolution, or the convolution of the state."""

    @property
    def gates(self) -> int:
        return 3

    @property
    def passes(self) -> int:
        # The gate r is a convolution of the state; resetting before, the state times r is convolved again.
        return 2 if self.reset == "before" else 1

    def cell_weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found = super().cell_weights(inputs)
        if self.bias and self.reset == "after":
            found += (self.bias_of_gates("bias_hh", self.gates * self.filters),)
        return found
