"""Normalisations, scalings, noise and dense layers, from their definitions."""

from __future__ import annotations

from itertools import product

import numpy as np

from netspec.backend import Unsupported
from netspec.ops.base import Op
from netspec.ops.contrast import LocalContrastNorm
from netspec.ops.dense import Dense, Rbf
from netspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, L2Norm, LayerNorm, LocalResponseNorm, RmsNorm
from netspec.ops.regularize import Noise
from netspec.ops.sample import Sample
from netspec.ops.scale import Scale, ScaleBy
from netspec_numpy.calculation import Calculation, Values, along_channels, biased, spatial


def normal(x: Values, axes: tuple[int, ...], epsilon: float) -> Values:
    """Normalise to mean 0 and variance 1 over these axes, with the biased variance."""
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + epsilon))


def learnt(y: Values, this: Calculation) -> Values:
    """Apply the scale and the shift, if they exist: one per channel, or with the shape of the sample."""
    for name, join in (("weight", np.multiply), ("bias", np.add)):
        if name in this.weights:
            value = this.weights[name]
            y = join(y, along_channels(value, y) if value.ndim == 1 else value)
    return y


def batch_norm(op: BatchNorm, this: Calculation) -> Values:
    """(x − mean) / √(variance + ε) per channel, scaled and shifted."""
    if this.training and this.node.trainable:
        return learnt(normal(this.x, (0, *spatial(this.x)), op.epsilon), this)
    mean, variance = this.weights["running_mean"], this.weights["running_var"]
    x = this.x - along_channels(mean, this.x)
    return learnt(x / np.sqrt(along_channels(variance, this.x) + op.epsilon), this)


def layer_norm(op: LayerNorm, this: Calculation) -> Values:
    """Per sample: at each position over the channels, or over everything."""
    axes = (1,) if op.over == "channels" else tuple(range(1, this.x.ndim))
    return learnt(normal(this.x, axes, op.epsilon), this)


def group_norm(op: GroupNorm, this: Calculation) -> Values:
    """Per sample and group of channels, over all positions."""
    grouped = this.x.reshape(len(this.x), op.groups, -1)
    return learnt(normal(grouped, (2,), op.epsilon).reshape(this.x.shape), this)


def instance_norm(op: InstanceNorm, this: Calculation) -> Values:
    """Per sample and channel, over all positions."""
    return learnt(normal(this.x, spatial(this.x), op.epsilon), this)


def rms_norm(op: RmsNorm, this: Calculation) -> Values:
    """X / √(mean of x² + ε): at each position over the channels, or over everything."""
    axes = (1,) if op.over == "channels" else tuple(range(1, this.x.ndim))
    return learnt(this.x / np.sqrt((this.x**2).mean(axis=axes, keepdims=True) + op.epsilon), this)


def local_contrast_norm(op: LocalContrastNorm, this: Calculation) -> Values:
    """V = x − the mean of its window; v / max(c, σ), σ being the root of the mean of v² there, c the mean of σ."""
    apart = this.x - _around(this.x, op)
    if not op.divide:
        return apart
    deviation = np.sqrt(np.maximum(_around(apart**2, op), op.epsilon**2))
    return np.asarray(apart / np.maximum(deviation, deviation.mean(axis=spatial(this.x), keepdims=True)))


def _around(x: Values, op: LocalContrastNorm) -> Values:
    """The mean over the channels and the window around each position, with Gaussian weights; one channel."""
    total, share = np.zeros_like(x[:, :1]), np.zeros_like(x[:, :1])
    border = [(0, 0), (0, 0), *((size // 2, size // 2) for size in op.kernel)]
    values = np.pad(x.mean(axis=1, keepdims=True), border)
    inside = np.pad(np.ones_like(total), border)
    for place in product(*map(range, op.kernel)):
        steps = [(at - size // 2) / (op.spread * size) for at, size in zip(place, op.kernel, strict=True)]
        weight = np.exp(-sum(step**2 for step in steps) / 2)
        rows = zip(place, x.shape[2:], strict=True)
        here = (slice(None), slice(None), *(slice(at, at + size) for at, size in rows))
        total, share = total + weight * values[here], share + weight * inside[here]
    return total / share


def local_response_norm(op: LocalResponseNorm, this: Calculation) -> Values:
    """X / (bias + alpha · Σ x²)^beta over a window of channels; alpha · the mean with `average`."""
    before, after = op.size // 2, (op.size - 1) // 2
    squares = np.pad(this.x**2, [(0, 0), (before, after), *[(0, 0)] * (this.x.ndim - 2)])
    count = this.x.shape[1]
    total = sum(squares[:, shift : shift + count] for shift in range(op.size))
    alpha = op.alpha / op.size if op.average else op.alpha
    return np.asarray(this.x / (op.bias + alpha * total) ** op.beta)


def l2_norm(op: L2Norm, this: Calculation) -> Values:
    """X / √(Σ x² + ε) over the channels, scaled."""
    return learnt(this.x / np.sqrt((this.x**2).sum(axis=1, keepdims=True) + op.epsilon), this)


def scale(op: Scale, this: Calculation) -> Values:
    """One coefficient per channel: x · weight + bias."""
    return learnt(this.x, this)


def scale_by(op: ScaleBy, this: Calculation) -> Values:
    """X · factor."""
    return this.x * op.factor


def dense(op: Dense, this: Calculation) -> Values:
    """y[o] = Σ over channels i of w[o, i] · x[i] + b[o], at every position."""
    return biased(np.moveaxis(np.tensordot(this.weights["weight"], this.x, axes=(1, 1)), 0, 1), this)


def rbf(op: Rbf, this: Calculation) -> Values:
    """y[u] = Σ over channels (x − w[u])², at every position."""
    weight = this.weights["weight"]
    apart = this.x[:, None] - weight.reshape(1, *weight.shape, *(1,) * (this.x.ndim - 2))
    return np.asarray((apart**2).sum(axis=2))


def noise(op: Noise, this: Calculation) -> Values:
    """The input, unless values are drawn."""
    check_still(op, this)
    return this.x


def sample(op: Sample, this: Calculation) -> Values:
    """Mean + exp(log-variance / 2), which is the sample for ε = 1."""
    check_still(op, this, "")
    mean, log_variance = this.inputs
    return np.asarray(mean + np.exp(log_variance / 2))


def check_still(op: Op, this: Calculation, when: str = " in training") -> None:
    """Refuse layers that draw values, in training or, with an empty `when`, at any time.

    Raises:
        Unsupported: the layer is not a function of its input.
    """
    if (this.training or not when) and any(getattr(op, name) != value for name, value in op.quiet.items()):
        raise Unsupported(f"{this.node.name}: {op.keyword}{when} is drawn, not defined; `still` takes it out")
