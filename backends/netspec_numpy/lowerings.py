"""Every op from its definition: one function each, one table. Arrays are (N, channels, *spatial) in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from netspec.backend import Unsupported
from netspec.graph import Graph, Node
from netspec.ops.activation import Activation, LeakyRelu, Relu, Sigmoid, Softmax, Tanh
from netspec.ops.base import Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netspec.ops.regularize import Dropout
from netspec.ops.reshape import Flatten, Identity
from netspec.ops.window import Windowed

Array: TypeAlias = NDArray[np.generic]
Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Call:
    """One node about to be calculated: its inputs, its weights by local names, and whether this is training."""

    node: Node
    inputs: tuple[Values, ...]
    weights: Mapping[str, Values]
    training: bool

    @property
    def x(self) -> Values:
        return self.inputs[0]


def forward(
    graph: Graph,
    weights: Mapping[str, Array],
    inputs: Mapping[str, Array],
    training: bool = True,
    inject: tuple[str, float] | None = None,
) -> dict[str, Array]:
    """The output of every node by its name. `inject` adds a number to one node's output, wherever it is used.

    In training, batch normalisation takes the statistics of the batch unless it is frozen; the running ones
    are not changed.

    Raises:
        Unsupported: dropout in training: what it draws is no function of its input.
    """
    values = {each.name: np.asarray(inputs[each.name], _KINDS[each.type.dtype]) for each in graph.inputs}
    results: dict[str, Array] = {}
    for node in graph.nodes:
        given = tuple(values[value] for value in node.inputs)
        held = {
            node.local(each): np.asarray(weights[each.name], "float64") for each in node.weights
        }
        result = _activated(node.op, LOWERINGS[type(node.op)](Call(node, given, held, training)))
        if inject is not None and inject[0] == node.name:
            result = result + inject[1]
        values[node.name] = results[node.name] = result
    return results


_KINDS = {"float": "float64", "int": "int64"}


def _activated(op: Op, result: Values) -> Values:
    activation: Activation | None = getattr(op, "activation", None)
    return result if activation is None else _FUNCTIONS[type(activation)](activation, result)


# Windows.


def taps(op: Windowed, padded: Values, sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Values]]:
    """For every place in the kernel, what the windows of all positions see there."""
    for place in product(*(range(k) for k in op.kernel)):
        starts = [at * d for at, d in zip(place, op.dilation, strict=True)]
        cuts = [
            slice(start, start + (size - 1) * stride + 1, stride)
            for start, size, stride in zip(starts, sizes, op.strides, strict=True)
        ]
        yield place, padded[(slice(None), slice(None), *cuts)]


def pad(x: Values, pads: Sequence[tuple[int, int]], value: float = 0.0) -> Values:
    """The spatial axes lengthened at both ends."""
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)


def _conv(call: Call) -> Values:
    """y[o, p] = Σ over input channels i of o's group and places t of w[o, i, t] · x[i, p·s + t·d − pad], + b[o]."""
    op = cast(Conv, call.node.op)
    sizes = call.node.output.sizes
    weight = call.weights["weight"]
    padded = pad(call.x, op.pads)
    blocks = []
    for kernel, x in zip(np.split(weight, op.groups), np.split(padded, op.groups, axis=1), strict=True):
        block = np.zeros((len(kernel), len(x), *sizes))
        for place, seen in taps(op, x, sizes):
            at: tuple[slice | int, ...] = (slice(None), slice(None), *place)
            block += np.tensordot(kernel[at], seen, axes=(1, 1))
        blocks.append(block)
    return _biased(np.moveaxis(np.concatenate(blocks), 0, 1), call)


def _dense(call: Call) -> Values:
    """y[o] = Σ over channels i of w[o, i] · x[i] + b[o], at every position."""
    return _biased(np.moveaxis(np.tensordot(call.weights["weight"], call.x, axes=(1, 1)), 0, 1), call)


def _biased(y: Values, call: Call) -> Values:
    return y + along_channels(call.weights["bias"], y) if "bias" in call.weights else y


def along_channels(vector: Values, like: Values) -> Values:
    """One value a channel, shaped to meet (N, C, *spatial)."""
    return vector.reshape(1, -1, *(1,) * (like.ndim - 2))


def _max_pool(call: Call) -> Values:
    op = cast(MaxPool, call.node.op)
    padded = pad(call.x, op.pads, -np.inf)
    return np.asarray(np.max([seen for _, seen in taps(op, padded, call.node.output.sizes)], axis=0))


def _avg_pool(call: Call) -> Values:
    """The sum of each window, divided by how many of its places count.

    Those in the input do, with `count_padding` those in the padding asked for, too; never the overhang.
    """
    op = cast(AvgPool, call.node.op)
    sizes = call.node.output.sizes
    asked = [(lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True)]
    ones = np.ones_like(call.x[:1, :1])
    counted = pad(pad(ones, asked, float(op.count_padding)), [(0, more) for more in op.overhang])
    total = sum(seen for _, seen in taps(op, pad(call.x, op.pads), sizes))
    return np.asarray(total / sum(seen for _, seen in taps(op, counted, sizes)))


def _global_avg_pool(call: Call) -> Values:
    return np.asarray(call.x.mean(axis=_spatial(call.x)))


def _global_max_pool(call: Call) -> Values:
    return np.asarray(call.x.max(axis=_spatial(call.x)))


def _spatial(x: Values) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


# Normalisation and noise.


def _batch_norm(call: Call) -> Values:
    """(x − mean) / √(variance + ε) · weight + bias, a channel at a time; the variance is the biased one."""
    op = cast(BatchNorm, call.node.op)
    mean, variance = call.weights["running_mean"], call.weights["running_var"]
    if call.training and call.node.trainable:
        axes = (0, *_spatial(call.x))
        mean, variance = call.x.mean(axis=axes), call.x.var(axis=axes)
    normal = (call.x - along_channels(mean, call.x)) / np.sqrt(along_channels(variance, call.x) + op.epsilon)
    return normal * along_channels(call.weights["weight"], call.x) + along_channels(
        call.weights["bias"], call.x
    )


def _dropout(call: Call) -> Values:
    op = cast(Dropout, call.node.op)
    if call.training and op.rate > 0:
        raise Unsupported(
            f"{call.node.name}: dropout in training is drawn, not defined; `still` takes it out"
        )
    return call.x


# Merges and shapes.


def _together(inputs: Sequence[Values]) -> list[Values]:
    """Vectors stretched over the positions of the maps beside them; a one-channel map spreads by itself."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(*x.shape, *(1,) * (rank - x.ndim)) for x in inputs]


def _add(call: Call) -> Values:
    first, *others = _together(call.inputs)
    for other in others:
        first = first + other
    return first


def _multiply(call: Call) -> Values:
    first, *others = _together(call.inputs)
    for other in others:
        first = first * other
    return first


def _concat(call: Call) -> Values:
    op = cast(Concat, call.node.op)
    return np.concatenate(call.inputs, axis=1 + ("channels", *call.node.output.axes).index(op.axis))


def _flatten(call: Call) -> Values:
    return call.x.reshape(len(call.x), -1)


def _identity(call: Call) -> Values:
    return call.x


# Activations: functions of their own op, so that they serve as an op and as the end of another.


def _relu(op: Activation, x: Values) -> Values:
    return np.maximum(x, 0.0)


def _leaky_relu(op: Activation, x: Values) -> Values:
    return np.where(x > 0, x, cast(LeakyRelu, op).slope * x)


def _sigmoid(op: Activation, x: Values) -> Values:
    # e⁻ˣ overflows where x is far below zero; eˣ / (1 + eˣ) is the same and does not.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _tanh(op: Activation, x: Values) -> Values:
    return np.tanh(x)


def _softmax(op: Activation, x: Values) -> Values:
    scaled = x / cast(Softmax, op).temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


_FUNCTIONS: dict[type[Activation], Callable[[Activation, Values], Values]] = {
    Relu: _relu,
    LeakyRelu: _leaky_relu,
    Sigmoid: _sigmoid,
    Tanh: _tanh,
    Softmax: _softmax,
}


def _function(call: Call) -> Values:
    op = cast(Activation, call.node.op)
    return _FUNCTIONS[type(op)](op, call.x)


LOWERINGS: dict[type[Op], Callable[[Call], Values]] = {
    Conv: _conv,
    Dense: _dense,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    GlobalAvgPool: _global_avg_pool,
    GlobalMaxPool: _global_max_pool,
    BatchNorm: _batch_norm,
    Dropout: _dropout,
    Add: _add,
    Multiply: _multiply,
    Concat: _concat,
    Flatten: _flatten,
    Identity: _identity,
    **dict.fromkeys(_FUNCTIONS, _function),
}
