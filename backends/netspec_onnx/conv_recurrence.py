"""Convolutional recurrent layers in ONNX: one `Conv` for the inputs of all steps, then the nodes of each step.

ONNX has no operator for them, so the graph grows with the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netspec.backend.table import on, table
from netspec.ops.base import Op
from netspec.ops.conv_recurrent import ConvGru, ConvLstm, ConvRecurrent
from netspec_onnx.recurrence import REDUCTIONS
from netspec_onnx.site import Emitted, Site
from netspec_onnx.windows import sliding

States = list[str]


def recurrent(op: ConvRecurrent, site: Site) -> str:
    """The nodes of all steps, one step after the other."""
    at = op.dimension(site.types)
    axis, order = 2 + at, [1, *(2 + other for other in range(site.rank) if other != at)]
    x = site.emit("Transpose", site.x, perm=(0, axis, *order))
    x = site.emit("Reshape", x, site.integers((-1, site.channels, *op.others(site.types))))
    runs = [_run(op, site, x, number) for number in range(len(op.suffixes))]
    ends = {
        "state": lambda: _joined(op, site, [states[0] for _, states in runs], "concat"),
        "cell": lambda: _joined(op, site, [states[1] for _, states in runs], "concat"),
        "last": lambda: _joined(op, site, [states[0] for _, states in runs], op.merge),
    }
    for port, name in zip(site.node.ports, site.further, strict=True):
        site.emitted.append(Emitted("Identity", (ends[port](),), (name,)))
    if op.returns != "sequence":
        return ends[op.returns]()
    whole = []
    for outputs, _ in runs:
        apart = [site.emit("Unsqueeze", each, site.integers((axis,))) for each in outputs]
        whole.append(site.emit("Concat", *apart, axis=axis))
    return _joined(op, site, whole, op.merge)


def _run(op: ConvRecurrent, site: Site, x: str, number: int) -> tuple[list[str], States]:
    """One direction: the output of each step, (N, filters, *sizes), in the order of the input, and the last states."""
    suffix = f"_l0{op.suffixes[number]}"
    weights = {
        name.removesuffix(suffix): each for name, each in site.weights.items() if name.endswith(suffix)
    }
    bias = (weights["bias_ih"],) if op.bias else ()
    gates = site.emit("Conv", x, weights["weight_ih"], *bias, **sliding(op.of_input))
    sizes, steps = op.ends(site.types), site.sizes[op.dimension(site.types)]
    gates = site.emit("Reshape", gates, site.integers((-1, steps, op.gates * op.filters, *sizes)))
    own = (number * op.filters, (number + 1) * op.filters)
    states = [_cut(site, each, *own) if len(op.suffixes) > 1 else each for each in site.values[1:]]
    outputs = [""] * steps
    backward = op.direction == "backward" or number == 1
    for at in reversed(range(steps)) if backward else range(steps):
        fresh = site.emit("Gather", gates, site.integer(at), axis=1)
        if not states:
            zeros = site.emit("Mul", _cut(site, fresh, 0, op.filters), site.number(0.0))
            states = [zeros] * len(op.state_sizes)
        states = STEPS[type(op)](op, site, weights, fresh, states)
        outputs[at] = states[0]
    return outputs, states


def _cut(site: Site, x: str, start: int, end: int, axis: int = 1) -> str:
    """x[start:end] along an axis."""
    return site.emit("Slice", x, site.integers((start,)), site.integers((end,)), site.integers((axis,)))


def _joined(op: ConvRecurrent, site: Site, outputs: Sequence[str], merge: str) -> str:
    """The values of the directions, combined by `merge`."""
    if len(outputs) == 1:
        return outputs[0]
    if merge == "concat":
        return site.emit("Concat", *outputs, axis=1)
    apart = [site.emit("Unsqueeze", each, site.integers((0,))) for each in outputs]
    return site.emit(REDUCTIONS[merge], site.emit("Concat", *apart, axis=0), site.integers((0,)), keepdims=0)


# One step


def _blocks(op: ConvRecurrent, site: Site, x: str) -> list[str]:
    """The channels of each gate."""
    count = op.filters
    return [_cut(site, x, at * count, (at + 1) * count) for at in range(op.gates)]


def _gate(op: ConvRecurrent, site: Site, x: str) -> str:
    """The activation of a gate: sigmoid, or hard sigmoid, min(max(x + 3, 0), 6) / 6."""
    if op.recurrent_activation == "sigmoid":
        return site.emit("Sigmoid", x)
    moved = site.emit("Add", x, site.number(3.0))
    return site.emit("Div", site.emit("Clip", moved, site.number(0.0), site.number(6.0)), site.number(6.0))


def _active(op: ConvRecurrent, site: Site, x: str) -> str:
    """The activation of the candidate state."""
    return site.emit(op.activation.capitalize(), x)


def _of_state(op: ConvRecurrent, site: Site, h: str, *weights: str) -> str:
    """The convolution of the state with a kernel, and with a bias if it is given."""
    return site.emit("Conv", h, *weights, **sliding(op.of_state))


def _seen(site: Site, gate: str, peephole: str, cell: str) -> str:
    """The gate plus peephole · cell, if there is a peephole."""
    return site.emit("Add", gate, site.emit("Mul", peephole, cell)) if peephole else gate


def conv_lstm(op: ConvLstm, site: Site, weights: Mapping[str, str], x: str, states: States) -> States:
    """One step: c = f ∘ c + i ∘ g, h = o ∘ tanh(c). Returns [h, c]."""
    h, c = states
    sums = site.emit("Add", x, _of_state(op, site, h, weights["weight_hh"]))
    i, f, g, o = _blocks(op, site, sums)
    peepholes = [""] * 3
    if op.peepholes:
        rows = [(at * op.filters, (at + 1) * op.filters) for at in range(3)]
        peepholes = [_cut(site, weights["weight_ch"], *row, axis=0) for row in rows]
    i = _gate(op, site, _seen(site, i, peepholes[0], c))
    f = _gate(op, site, _seen(site, f, peepholes[1], c))
    kept = site.emit("Mul", f, c)
    c = site.emit("Add", kept, site.emit("Mul", i, _active(op, site, g)))
    o = _gate(op, site, _seen(site, o, peepholes[2], c))
    return [site.emit("Mul", o, _active(op, site, c)), c]


def conv_gru(op: ConvGru, site: Site, weights: Mapping[str, str], x: str, states: States) -> States:
    """One step: h = (1 − z) ∘ n + z ∘ h. Returns [h]."""
    (h,) = states
    count = op.filters
    r, z, n = _blocks(op, site, x)
    if op.reset == "after":
        bias = (weights["bias_hh"],) if op.bias else ()
        of_r, of_z, of_n = _blocks(op, site, _of_state(op, site, h, weights["weight_hh"], *bias))
        r = _gate(op, site, site.emit("Add", r, of_r))
        n = site.emit("Add", n, site.emit("Mul", r, of_n))
    else:
        gates = _of_state(op, site, h, _cut(site, weights["weight_hh"], 0, 2 * count, axis=0))
        of_r, of_z = _cut(site, gates, 0, count), _cut(site, gates, count, 2 * count)
        kernel = _cut(site, weights["weight_hh"], 2 * count, 3 * count, axis=0)
        kept = site.emit("Mul", _gate(op, site, site.emit("Add", r, of_r)), h)
        n = site.emit("Add", n, _of_state(op, site, kept, kernel))
    z = _gate(op, site, site.emit("Add", z, of_z))
    fresh = site.emit("Mul", site.emit("Sub", site.number(1.0), z), _active(op, site, n))
    return [site.emit("Add", fresh, site.emit("Mul", z, h))]


STEPS: Mapping[type[Op], Callable[[Any, Site, Mapping[str, str], str, States], States]] = table(
    on(ConvLstm, conv_lstm), on(ConvGru, conv_gru)
)
"""The function that emits one step of each op."""
