"""Recurrent layers, computed step by step from the equations in the docstrings of `netspec.ops.recurrent`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netspec.backend.table import on, table
from netspec.ops.base import Op
from netspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from netspec_numpy.calculation import Calculation, Values
from netspec_numpy.norms import check_still

States = tuple[Values, ...]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The results of a recurrent layer: outputs (N, steps, channels), and the last states of each layer and direction.

    Each state is (N, channels). N counts the samples times the positions along the other axes.
    """

    outputs: Values
    states: list[States]


def sequence(op: Recurrent, this: Calculation) -> Values:
    """The first output, as `return` selects it: all steps, the last step of each direction, or the last states."""
    check_still(op, this)
    swept = _sweep(op, this)
    if op.returns == "sequence":
        return _unfolded(op, this, swept.outputs)
    if op.returns == "state":
        return end(op, this, "state")
    last = [states[0] for states in swept.states[-len(op.suffixes) :]]
    return _unfolded(op, this, _merged(op, last))


def end(op: Recurrent, this: Calculation, port: str) -> Values:
    """A further output: the last states or cells (`port`) of all layers and directions, along the channels."""
    which = ("state", "cell").index(port)
    return _unfolded(op, this, np.concatenate([states[which] for states in _sweep(op, this).states], axis=-1))


# Along an axis


def _axis(op: Recurrent, this: Calculation) -> int:
    """The axis along which the layer runs, in (N, channels, *spatial)."""
    names = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}[this.x.ndim - 2]
    return 2 + names.index(str(op.axis))


def _unfolded(op: Recurrent, this: Calculation, y: Values) -> Values:
    """The result for (N · other positions, …) as (N, channels, *spatial), with the other axes restored."""
    axis, shape = _axis(op, this), this.x.shape
    others = [size for at, size in enumerate(shape[2:], start=2) if at != axis]
    y = y.reshape(shape[0], *others, *y.shape[1:])
    if y.ndim == this.x.ndim:  # (N, *others, steps, channels)
        return np.moveaxis(np.moveaxis(y, -1, 1), -1, axis)
    return np.moveaxis(y, -1, 1)


def _folded(op: Recurrent, this: Calculation) -> tuple[Values, list[Values], Values | None]:
    """The input as (N · other positions, steps, channels), the initial states without the steps, and the lengths."""
    x, *given = this.inputs
    x = np.moveaxis(np.moveaxis(x, _axis(op, this), -1), 1, -1)
    states = [np.moveaxis(each, 1, -1) for each in given if each.dtype.kind == "f"]
    lengths = [each for each in given if each.dtype.kind == "i"]
    folded = [each.reshape(-1, each.shape[-1]) for each in states]
    return x.reshape(-1, *x.shape[-2:]), folded, lengths[0] if lengths else None


def _sweep(op: Recurrent, this: Calculation) -> SweepResult:
    """Run all layers and directions; the merged output of a layer is the input of the next."""
    x, given, lengths = _folded(op, this)
    finals: list[States] = []
    for layer in range(op.layers):
        outputs = []
        for suffix in op.suffixes:
            ending = f"_l{layer}{suffix}"
            weights = {
                name.removesuffix(ending): each
                for name, each in this.weights.items()
                if name.endswith(ending)
            }
            start = _start(op, given, len(finals), len(x))
            backward = suffix == "_reverse" or op.direction == "backward"
            y, final = _run(op, weights, x, start, lengths, backward)
            outputs.append(y)
            finals.append(final)
        x = _merged(op, outputs)
    return SweepResult(x, finals)


def _start(op: Recurrent, given: list[Values], number: int, count: int) -> States:
    """The initial states of one layer and direction, counted layer by layer: zeros, or its part of the given ones."""
    if not given:
        return tuple(np.zeros((count, size)) for size in op.state_sizes)
    return tuple(
        each[:, number * size : (number + 1) * size] for each, size in zip(given, op.state_sizes, strict=True)
    )


def _run(
    op: Recurrent,
    weights: Mapping[str, Values],
    x: Values,
    states: States,
    lengths: Values | None,
    backward: bool,
) -> tuple[Values, States]:
    """One layer in one direction. Steps beyond the length of a sample keep its states and output 0."""
    steps = range(x.shape[1])
    y = np.zeros((len(x), len(steps), op.size))
    for at in reversed(steps) if backward else steps:
        counts = np.ones(len(x), bool) if lengths is None else at < lengths
        fresh = STEPS[type(op)](op, weights, x[:, at], states)
        states = tuple(np.where(counts[:, None], new, old) for new, old in zip(fresh, states, strict=True))
        y[:, at] = np.where(counts[:, None], fresh[0], 0.0)
    return y, states


def _merged(op: Recurrent, outputs: list[Values]) -> Values:
    """The outputs of the directions, combined by `merge`."""
    if len(outputs) == 1:
        return outputs[0]
    first, second = outputs
    return {
        "concat": np.concatenate(outputs, axis=-1),
        "sum": first + second,
        "average": (first + second) / 2,
        "multiply": first * second,
    }[op.merge]


# One step


def _sigmoid(x: Values) -> Values:
    """1 / (1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


def _affine(weights: Mapping[str, Values], which: str, x: Values) -> Values:
    """W x + b with the weights of the input (`ih`) or of the state (`hh`); W x if there is no bias."""
    y = x @ weights[f"weight_{which}"].T
    return y + weights[f"bias_{which}"] if f"bias_{which}" in weights else y


def rnn(op: Rnn, weights: Mapping[str, Values], x: Values, states: States) -> States:
    """One step: h = f(W x + U h + b)."""
    functions: Mapping[str, Callable[[Values], Values]] = {
        "tanh": np.tanh,
        "relu": lambda a: np.maximum(a, 0),
        "sigmoid": _sigmoid,
    }
    (h,) = states
    return (functions[op.activation](_affine(weights, "ih", x) + _affine(weights, "hh", h)),)


def gru(op: Gru, weights: Mapping[str, Values], x: Values, states: States) -> States:
    """One step: h = (1 − z) · n + z · h."""
    (h,) = states
    of_x = np.split(_affine(weights, "ih", x), 3, axis=-1)
    of_h = np.split(_affine(weights, "hh", h), 3, axis=-1)
    r, z = (_sigmoid(a + b) for a, b in zip(of_x[:2], of_h[:2], strict=True))
    if op.reset == "after":
        n = np.tanh(of_x[2] + r * of_h[2])
    else:
        n = np.tanh(of_x[2] + (r * h) @ np.split(weights["weight_hh"], 3)[2].T)
    return ((1 - z) * n + z * h,)


def lstm(op: Lstm, weights: Mapping[str, Values], x: Values, states: States) -> States:
    """One step: c = f · c + i · g, h = o · tanh(c)."""
    h, c = states
    names = ("i", "g", "o") if op.coupled else ("i", "f", "g", "o")
    sums = _affine(weights, "ih", x) + _affine(weights, "hh", h)
    gate = dict(zip(names, np.split(sums, len(names), axis=-1), strict=True))
    seen = [name for name in names if name != "g"] if op.peepholes else []
    peep = dict(zip(seen, np.split(weights["weight_ch"], len(seen)), strict=True)) if seen else {}
    i = _sigmoid(gate["i"] + peep.get("i", 0.0) * c)
    f = 1 - i if op.coupled else _sigmoid(gate["f"] + peep.get("f", 0.0) * c)
    c = f * c + i * np.tanh(gate["g"])
    o = _sigmoid(gate["o"] + peep.get("o", 0.0) * c)
    h = o * np.tanh(c)
    return (h @ weights["weight_hr"].T if op.projection else h), c


STEPS: Mapping[type[Op], Callable[[Any, Mapping[str, Values], Values, States], States]] = table(
    on(Rnn, rnn), on(Gru, gru), on(Lstm, lstm)
)
"""The equations of one step of each cell."""
