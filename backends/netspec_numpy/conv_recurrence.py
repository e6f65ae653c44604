"""Convolutional recurrent layers, computed step by step from the equations in `netspec.ops.conv_recurrent`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netspec.backend.table import on, table
from netspec.ops.base import Op
from netspec.ops.conv_recurrent import ConvGru, ConvLstm, ConvRecurrent
from netspec_numpy.calculation import Calculation, Values, along_channels
from netspec_numpy.windows import correlate

States = tuple[Values, ...]
Weights = Mapping[str, Values]

FUNCTIONS: Mapping[str, Callable[[Values], Values]] = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "hard_sigmoid": lambda a: np.clip(a + 3, 0, 6) / 6,
}


def sequence(op: ConvRecurrent, this: Calculation) -> Values:
    """The first output, as `return` selects it: all steps, the last step of each direction, or the last states."""
    directions = [_run(op, this, number) for number in range(len(op.suffixes))]
    if op.returns == "state":
        return end(op, this, "state")
    if op.returns == "last":
        return _merged(op, [states[0] for _, states in directions])
    # From (steps, N, channels, *sizes).
    return np.moveaxis(_merged(op, [outputs for outputs, _ in directions], axis=2), 0, _axis(op, this))


def end(op: ConvRecurrent, this: Calculation, port: str) -> Values:
    """A further output: the last states (`state`) or cells (`cell`) of all directions, along the channels."""
    which = ("state", "cell").index(port)
    return np.concatenate([_run(op, this, number)[1][which] for number in range(len(op.suffixes))], axis=1)


def _axis(op: ConvRecurrent, this: Calculation) -> int:
    """The axis along which the layer runs, in (N, channels, *spatial)."""
    names = {2: ("height", "width"), 3: ("depth", "height", "width")}[this.x.ndim - 2]
    return 2 + names.index(str(op.axis))


def _run(op: ConvRecurrent, this: Calculation, number: int) -> tuple[Values, States]:
    """One direction: its outputs (steps, N, channels, *sizes) in the order of the input, and its last states."""
    ending = f"_l0{op.suffixes[number]}"
    weights = {
        name.removesuffix(ending): each for name, each in this.weights.items() if name.endswith(ending)
    }
    x = np.moveaxis(this.x, _axis(op, this), 0)
    own = slice(number * op.filters, (number + 1) * op.filters)
    given = [each[:, own] for each in this.inputs[1:]]
    sizes = _sizes(op, x.shape[3:])
    states: States = tuple(given) or tuple(np.zeros((x.shape[1], size, *sizes)) for size in op.state_sizes)
    y = np.zeros((len(x), *states[0].shape))
    backward = op.direction == "backward" or number == 1
    for at in reversed(range(len(x))) if backward else range(len(x)):
        states = STEPS[type(op)](op, weights, x[at], states)
        y[at] = states[0]
    return y, states


def _sizes(op: ConvRecurrent, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of a state: ⌊(i + pads − span) / stride⌋ + 1 along each axis."""
    rows = zip(sizes, op.of_input.span, op.of_input.strides, op.of_input.pads, strict=True)
    return tuple((i + lo + hi - k) // s + 1 for i, k, s, (lo, hi) in rows)


def _merged(op: ConvRecurrent, outputs: list[Values], axis: int = 1) -> Values:
    """The outputs of the directions, combined by `merge`."""
    if len(outputs) == 1:
        return outputs[0]
    first, second = outputs
    return {
        "concat": lambda: np.concatenate(outputs, axis),
        "sum": lambda: first + second,
        "average": lambda: (first + second) / 2,
        "multiply": lambda: first * second,
    }[op.merge]()


# One step


def _of_input(op: ConvRecurrent, weights: Weights, x: Values) -> list[Values]:
    """W ∗ x + b of each gate."""
    y = correlate(op.of_input, weights["weight_ih"], x, _sizes(op, x.shape[2:]), 1)
    return np.split(y + along_channels(weights["bias_ih"], y) if op.bias else y, op.gates, axis=1)


def _of_state(op: ConvRecurrent, weights: Weights, h: Values) -> list[Values]:
    """U ∗ h of each gate."""
    return np.split(correlate(op.of_state, weights["weight_hh"], h, h.shape[2:], 1), op.gates, axis=1)


def conv_lstm(op: ConvLstm, weights: Weights, x: Values, states: States) -> States:
    """One step: c = f ∘ c + i ∘ g, h = o ∘ tanh(c)."""
    act, gate = FUNCTIONS[op.activation], FUNCTIONS[op.recurrent_activation]
    h, c = states
    i, f, g, o = (a + b for a, b in zip(_of_input(op, weights, x), _of_state(op, weights, h), strict=True))
    of_i, of_f, of_o = np.split(weights["weight_ch"], 3) if op.peepholes else (0.0, 0.0, 0.0)
    c = gate(f + of_f * c) * c + gate(i + of_i * c) * act(g)
    return gate(o + of_o * c) * act(c), c


def conv_gru(op: ConvGru, weights: Weights, x: Values, states: States) -> States:
    """One step: h = (1 − z) ∘ n + z ∘ h."""
    act, gate = FUNCTIONS[op.activation], FUNCTIONS[op.recurrent_activation]
    (h,) = states
    of_x, of_h = _of_input(op, weights, x), _of_state(op, weights, h)
    if "bias_hh" in weights:
        biases = np.split(weights["bias_hh"], 3)
        of_h = [each + along_channels(bias, each) for each, bias in zip(of_h, biases, strict=True)]
    r, z = gate(of_x[0] + of_h[0]), gate(of_x[1] + of_h[1])
    if op.reset == "after":
        n = act(of_x[2] + r * of_h[2])
    else:
        n = act(of_x[2] + _of_state(op, weights, r * h)[2])
    return ((1 - z) * n + z * h,)


STEPS: Mapping[type[Op], Callable[[Any, Weights, Values, States], States]] = table(
    on(ConvLstm, conv_lstm), on(ConvGru, conv_gru)
)
"""The equations of one step of each cell."""
