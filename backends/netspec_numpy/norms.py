"""Normalisations, scalings, noise and dense layers, from their definitions."""

from __future__ import annotations

from typing import cast

import numpy as np

from netspec.backend import Unsupported
from netspec.ops.norm import BatchNorm, GroupNorm, L2Norm, LayerNorm, LocalResponseNorm, Normalisation
from netspec.ops.scale import ScaleBy
from netspec_numpy.call import Call, Values, along_channels, biased, spatial


def normal(x: Values, axes: tuple[int, ...], epsilon: float) -> Values:
    """To mean 0 and variance 1 over these axes; the variance is the biased one."""
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + epsilon))


def learnt(y: Values, call: Call) -> Values:
    """Times the scale and plus the shift, those that are there: one a channel, or of the sample's shape."""
    for name, join in (("weight", np.multiply), ("bias", np.add)):
        if name in call.weights:
            value = call.weights[name]
            y = join(y, along_channels(value, y) if value.ndim == 1 else value)
    return y


def batch_norm(call: Call) -> Values:
    """(x − mean) / √(variance + ε), a channel at a time, scaled and shifted."""
    op = cast(BatchNorm, call.node.op)
    if call.training and call.node.trainable:
        return learnt(normal(call.x, (0, *spatial(call.x)), op.epsilon), call)
    mean, variance = call.weights["running_mean"], call.weights["running_var"]
    x = call.x - along_channels(mean, call.x)
    return learnt(x / np.sqrt(along_channels(variance, call.x) + op.epsilon), call)


def layer_norm(call: Call) -> Values:
    """A sample at a time: at each position over the channels, or over everything."""
    op = cast(LayerNorm, call.node.op)
    axes = (1,) if op.over == "channels" else tuple(range(1, call.x.ndim))
    return learnt(normal(call.x, axes, op.epsilon), call)


def group_norm(call: Call) -> Values:
    """A sample and a group of channels at a time, over all positions."""
    op = cast(GroupNorm, call.node.op)
    grouped = call.x.reshape(len(call.x), op.groups, -1)
    return learnt(normal(grouped, (2,), cast(Normalisation, op).epsilon).reshape(call.x.shape), call)


def local_response_norm(call: Call) -> Values:
    """X / (bias + alpha · Σ x²)^beta over a window of channels; alpha · the mean with `average`."""
    op = cast(LocalResponseNorm, call.node.op)
    before, after = op.size // 2, (op.size - 1) // 2
    squares = np.pad(call.x**2, [(0, 0), (before, after), *[(0, 0)] * (call.x.ndim - 2)])
    count = call.x.shape[1]
    total = sum(squares[:, shift : shift + count] for shift in range(op.size))
    alpha = op.alpha / op.size if op.average else op.alpha
    return np.asarray(call.x / (op.bias + alpha * total) ** op.beta)


def l2_norm(call: Call) -> Values:
    """X / √(Σ x² + ε) over the channels, scaled."""
    op = cast(L2Norm, call.node.op)
    return learnt(call.x / np.sqrt((call.x**2).sum(axis=1, keepdims=True) + op.epsilon), call)


def scale(call: Call) -> Values:
    """X · weight + bias, a channel at a time."""
    return learnt(call.x, call)


def scale_by(call: Call) -> Values:
    """X · factor."""
    return call.x * cast(ScaleBy, call.node.op).factor


def dense(call: Call) -> Values:
    """y[o] = Σ over channels i of w[o, i] · x[i] + b[o], at every position."""
    return biased(np.moveaxis(np.tensordot(call.weights["weight"], call.x, axes=(1, 1)), 0, 1), call)


def rbf(call: Call) -> Values:
    """y[u] = Σ over channels (x − w[u])², at every position."""
    weight = call.weights["weight"]
    apart = call.x[:, None] - weight.reshape(1, *weight.shape, *(1,) * (call.x.ndim - 2))
    return np.asarray((apart**2).sum(axis=2))


def noise(call: Call) -> Values:
    """Nothing, unless it is drawn."""
    op = call.node.op
    if call.training and any(getattr(op, name) != value for name, value in op.quiet.items()):
        raise Unsupported(
            f"{call.node.name}: {op.keyword} in training is drawn, not defined; `still` takes it out"
        )
    return call.x
