"""Dense layers, normalisations, scalings and noise in ONNX."""

from __future__ import annotations

from itertools import product
from math import exp, prod

from netspec.ops.contrast import LocalContrastNorm
from netspec.ops.dense import Dense, Rbf
from netspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, L2Norm, LayerNorm, LocalResponseNorm, RmsNorm
from netspec.ops.regularize import Noise
from netspec.ops.sample import Sample
from netspec.ops.scale import Scale, ScaleBy
from netspec_onnx.functions import activate
from netspec_onnx.site import Site


def dense(op: Dense, site: Site) -> str:
    """`Gemm` on a vector; on a map, the same product at every position."""
    weight, bias = site.weights["weight"], site.weights.get("bias")
    if not site.rank:
        biases = () if bias is None else (bias,)
        return activate(site, site.emit("Gemm", site.x, weight, *biases, transB=1), op.activation)
    positions = site.emit("MatMul", weight, site.reshape(site.x, (site.channels, -1)))
    if bias is not None:
        positions = site.emit("Add", positions, site.broadcast(bias, 1))
    return activate(site, site.reshape(positions, (op.units, *site.sizes)), op.activation)


def rbf(op: Rbf, site: Site) -> str:
    """The squared distance to each unit's weights."""
    apart = site.emit("Unsqueeze", site.x, site.integers((1,)))
    weight = site.weights["weight"]
    if site.rank:
        weight = site.emit("Unsqueeze", weight, site.integers(range(2, 2 + site.rank)))
    return site.emit("ReduceSumSquare", site.emit("Sub", apart, weight), site.integers((2,)), keepdims=0)


def _learnt(site: Site, x: str) -> str:
    """Multiply by the scale and add the shift, per channel, if they exist."""
    for name, operator in (("weight", "Mul"), ("bias", "Add")):
        if name in site.weights:
            x = site.emit(operator, x, site.broadcast(site.weights[name], site.rank))
    return x


def _or_constant(site: Site, name: str, value: float, shape: tuple[int, ...]) -> str:
    """A weight, or a constant if the op does not have this weight."""
    if name in site.weights:
        return site.weights[name]
    return site.emit("Expand", site.number(value), site.integers(shape))


def _normal(site: Site, x: str, axes: tuple[int, ...], epsilon: float) -> str:
    """Normalise to mean 0 and variance 1 over these axes, counted with the batch."""
    over = site.integers(axes)
    apart = site.emit("Sub", x, site.emit("ReduceMean", x, over, keepdims=1))
    variance = site.emit("ReduceMean", site.emit("Mul", apart, apart), over, keepdims=1)
    return site.emit("Div", apart, site.emit("Sqrt", site.emit("Add", variance, site.number(epsilon))))


def batch_norm(op: BatchNorm, site: Site) -> str:
    """`BatchNormalization` for inference, its formula in float64.

    In training it uses the statistics of the batch, unless it is frozen.
    """
    if site.training and site.node.trainable:
        return _learnt(site, _normal(site, site.x, (0, *range(2, 2 + site.rank)), op.epsilon))
    mean, variance = site.weights["running_mean"], site.weights["running_var"]
    if not site.double:
        scale = _or_constant(site, "weight", 1.0, (site.channels,))
        shift = _or_constant(site, "bias", 0.0, (site.channels,))
        settings = {"epsilon": float(op.epsilon)}
        return site.emit("BatchNormalization", site.x, scale, shift, mean, variance, **settings)
    deviation = site.emit("Sqrt", site.emit("Add", variance, site.number(op.epsilon)))
    apart = site.emit("Sub", site.x, site.broadcast(mean, site.rank))
    return _learnt(site, site.emit("Div", apart, site.broadcast(deviation, site.rank)))


def layer_norm(op: LayerNorm, site: Site) -> str:
    """`LayerNormalization`, which normalises the last axes, if they are those; else its formula."""
    over_channels = op.over == "channels" and site.rank > 0
    if over_channels or site.double:
        normal = _normal(site, site.x, (1,) if over_channels else tuple(range(1, 2 + site.rank)), op.epsilon)
        if over_channels or not site.rank:
            return _learnt(site, normal)
        for name, operator in (("weight", "Mul"), ("bias", "Add")):
            normal = site.emit(operator, normal, site.weights[name]) if name in site.weights else normal
        return normal
    # The scale is a required input.
    scale = _or_constant(site, "weight", 1.0, site.types[0].shape)
    shift = (site.weights["bias"],) if op.center else ()
    return site.emit("LayerNormalization", site.x, scale, *shift, axis=1, epsilon=float(op.epsilon))


def group_norm(op: GroupNorm, site: Site) -> str:
    """The formula, because ONNX's operator does not accept vectors."""
    normal = _normal(site, site.reshape(site.x, (op.groups, -1)), (2,), op.epsilon)
    return _learnt(site, site.reshape(normal, site.types[0].shape))


def instance_norm(op: InstanceNorm, site: Site) -> str:
    """`InstanceNormalization`; its formula in float64."""
    if site.double:
        return _learnt(site, _normal(site, site.x, tuple(range(2, 2 + site.rank)), op.epsilon))
    scale = _or_constant(site, "weight", 1.0, (site.channels,))
    shift = _or_constant(site, "bias", 0.0, (site.channels,))
    return site.emit("InstanceNormalization", site.x, scale, shift, epsilon=float(op.epsilon))


def rms_norm(op: RmsNorm, site: Site) -> str:
    """The formula."""
    over_channels = op.over == "channels" or not site.rank
    axes = site.integers((1,) if over_channels else tuple(range(1, 2 + site.rank)))
    squared = site.emit("ReduceMean", site.emit("Mul", site.x, site.x), axes, keepdims=1)
    normal = site.emit("Div", site.x, site.emit("Sqrt", site.emit("Add", squared, site.number(op.epsilon))))
    if over_channels:
        return _learnt(site, normal)
    return site.emit("Mul", normal, site.weights["weight"]) if op.scale else normal


def local_contrast_norm(op: LocalContrastNorm, site: Site) -> str:
    """A convolution of the mean of the channels with the window, divided by that of a map of ones."""
    rows = [[exp(-(((at - k // 2) / (op.spread * k)) ** 2) / 2) for at in range(k)] for k in op.kernel]
    window = site.numbers([prod(each) for each in product(*rows)], (1, 1, *op.kernel))
    # A window's share inside the map is a product of shares along its axes.
    shares = [
        [sum(row[max(0, k // 2 - at) : k // 2 + size - at]) for at in range(size)]
        for row, k, size in zip(rows, op.kernel, site.sizes, strict=True)
    ]
    inside = site.numbers([prod(each) for each in product(*shares)], (1, 1, *site.sizes))
    pads = tuple(k // 2 for k in op.kernel) * 2

    def around(x: str) -> str:
        mean = site.emit("ReduceMean", x, site.integers((1,)), keepdims=1)
        return site.emit("Div", site.emit("Conv", mean, window, pads=pads), inside)

    apart = site.emit("Sub", site.x, around(site.x))
    if not op.divide:
        return apart
    squared = site.emit("Max", around(site.emit("Mul", apart, apart)), site.number(op.epsilon**2))
    deviation = site.emit("Sqrt", squared)
    least = site.emit("ReduceMean", deviation, site.integers(range(2, 2 + site.rank)), keepdims=1)
    return site.emit("Div", apart, site.emit("Max", deviation, least))


def local_response_norm(op: LocalResponseNorm, site: Site) -> str:
    """`LRN` on images if as many channels are before as after; else the sum of shifted squares."""
    if site.rank == 2 and op.size % 2:
        alpha = op.alpha if op.average else op.alpha * op.size
        settings = {"alpha": float(alpha), "beta": float(op.beta), "bias": float(op.bias)}
        return site.emit("LRN", site.x, size=op.size, **settings)
    before, after = op.size // 2, (op.size - 1) // 2
    none = (0,) * site.rank
    pads = site.integers((0, before, *none, 0, after, *none))
    squares = site.emit("Pad", site.emit("Mul", site.x, site.x), pads)
    axis = site.integers((1,))
    rows = [
        site.emit("Slice", squares, site.integers((shift,)), site.integers((shift + site.channels,)), axis)
        for shift in range(min(op.size, before + site.channels + after))
    ]
    total = site.emit("Sum", *rows) if len(rows) > 1 else rows[0]
    alpha = op.alpha / op.size if op.average else op.alpha
    hedged = site.emit("Add", site.emit("Mul", total, site.number(alpha)), site.number(op.bias))
    return site.emit("Div", site.x, site.emit("Pow", hedged, site.number(op.beta)))


def l2_norm(op: L2Norm, site: Site) -> str:
    """The channels at each position, divided by the root of the sum of their squares plus epsilon, and scaled."""
    squared = site.emit("ReduceSumSquare", site.x, site.integers((1,)), keepdims=1)
    length = site.emit("Sqrt", site.emit("Add", squared, site.number(op.epsilon)))
    return _learnt(site, site.emit("Div", site.x, length))


def scale(op: Scale, site: Site) -> str:
    """One coefficient per channel, and a shift."""
    return activate(site, _learnt(site, site.x), op.activation)


def scale_by(op: ScaleBy, site: Site) -> str:
    """A product with a constant."""
    return site.emit("Mul", site.x, site.number(op.factor))


def noise(op: Noise, site: Site) -> str:
    """Nothing: a file is for inference, in which no noise is drawn."""
    return site.emit("Identity", site.x)


def sample(op: Sample, site: Site) -> str:
    """The mean plus one deviation: a sample that draws is refused."""
    mean, log_variance = site.values
    return site.emit("Add", mean, site.emit("Exp", site.emit("Mul", log_variance, site.number(0.5))))
