"""Writes the initialisers that the layers of a node are constructed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import prod
from typing import Any

from netspec.dataclass import replace
from netspec.graph import Node
from netspec.lowering.parts import Argument, Call, Piece, Slot
from netspec.lowering.tree import LiteralValue
from netspec.ops.base import Weight
from netspec.ops.fans import SCALED, Scaled, constant, fans
from netspec_keras.arguments import Arguments
from netspec_keras.layer import Holder, LayerText, Lowered

KERAS = "keras.initializers."


def _word(kind: str) -> Slot:
    """An initialiser of Keras without settings, by name."""
    return Slot(kind, "init")


def _own(name: str, *values: LiteralValue, **settings: LiteralValue) -> Call:
    """The call that constructs an initialiser."""
    positional = (Argument(Slot(value, "value")) for value in values)
    return Call(name, (*positional, *(Argument(Slot(value, key), key) for key, value in settings.items())))


def _normal(std: float, mean: float = 0.0) -> Call:
    about = {"mean": mean} if mean else {}
    return _own(f"{KERAS}RandomNormal", **about, stddev=std)


def _constant(value: float) -> Slot | Call:
    words = {"0.0": "zeros", "1.0": "ones"}
    return _word(words[repr(value)]) if repr(value) in words else _own(f"{KERAS}Constant", value)


def _gates(*values: float) -> Call:
    return Call("GateBias", tuple(Argument(Slot(value, "value")) for value in values))


OWN: Mapping[str, Piece] = {
    "beta": _word("zeros"),
    "bias": _word("zeros"),
    "depthwise_kernel": _word("glorot_uniform"),
    "embeddings": _own(f"{KERAS}RandomUniform", -0.05, 0.05),
    "gamma": _word("ones"),
    "gates": _gates(0.0, 1.0, 0.0, 0.0),
    "kernel": _word("glorot_uniform"),
    "moving_mean": _word("zeros"),
    "moving_variance": _word("ones"),
    "peephole": _word("zeros"),
    "pointwise_kernel": _word("glorot_uniform"),
    "projector": _word("glorot_uniform"),
    "recurrent_kernel": _word("orthogonal"),
    "scale": _word("ones"),
    "value": _word("zeros"),
}
"""The initialisation of variables without an initialiser in the text."""


def started(lowered: Lowered, node: Node) -> Lowered:
    """The layers of a node; the layer with its weights is constructed with their initialisers."""
    if not node.weights:
        return lowered
    layers = tuple(layer if layer.suffix else _started(layer, lowered, node) for layer in lowered.layers)
    return replace(lowered, layers=layers)


def _started(layer: LayerText, lowered: Lowered, node: Node) -> LayerText:
    """The layer with an argument for each weight that starts otherwise than Keras, or our class, lets it start.

    Weights of one kind, of several cells, have one argument. The argument of a layer in a wrapper is that layer's.
    """
    found: dict[str, Argument] = {}
    for weight in node.weights:
        holder = lowered.holders[node.local(weight)]
        start = initializer(weight, holder)
        if start != OWN.get(holder.start or holder.name):
            keyword = _keyword(layer, holder)
            found.setdefault(keyword, Argument(start, keyword))
    return replace(layer, arguments=_innermost(layer.arguments, found.values())) if found else layer


def _innermost(arguments: Arguments, more: Iterable[Argument]) -> Arguments:
    """The arguments of a layer, and more of them: for a wrapper, in those of the layer in it."""
    first, *others = arguments or (None,)
    if first is None or not isinstance(first.value, Call):
        return (*arguments, *more)
    inner = replace(first.value, arguments=_innermost(first.value.arguments, more))
    return (replace(first, value=inner), *others)


def _keyword(layer: LayerText, holder: Holder) -> str:
    part = {"projector": "projection"}.get(holder.name, holder.name.removesuffix("_kernel"))
    depthwise = layer.cls.startswith("layers.Depthwise") and part == "kernel"
    return "depthwise_initializer" if depthwise else f"{part}_initializer"


def initializer(weight: Weight, holder: Holder) -> Piece:
    """The initialiser of a weight in Keras' layout, for its own initialiser and what is added to it."""
    start = _unlifted(weight, holder)
    if not weight.lifts:
        return start
    return Call("LiftedGates", (Argument(start), *(Argument(Slot(each, "lift")) for each in weight.lifts)))


def _unlifted(weight: Weight, holder: Holder) -> Piece:
    init, value = weight.init, constant(weight.init)
    if value is not None:
        return _constant(value)
    if init.kind == "uniform":
        return _own(f"{KERAS}RandomUniform", init["low"], init["high"])
    if init.kind == "normal":
        return _normal(init["std"], init["mean"])
    if init.kind == "orthogonal":
        return _orthogonal(weight, holder)
    if init.values is not None:
        return _given(weight, holder)
    if init.kind == "by_gate":
        return _gates(*(each for _, each in init.settings))
    if init.kind == "bilinear":
        return _word("ones") if len(weight.shape) == 1 else _own("Bilinear", **_groups(weight, holder))
    return _scaled(init.kind, SCALED[init.kind], weight, holder)


def _given(weight: Weight, holder: Holder) -> Call:
    """The values that the spec gives, in the order of the variable's axes."""
    import numpy as np

    values = holder.inward(np.array(weight.init.values, "float64"))
    return _own("Given", _tuples(values.tolist()))


def _tuples(values: Any) -> Any:
    return tuple(map(_tuples, values)) if isinstance(values, list) else values


def _groups(weight: Weight, holder: Holder) -> dict[str, Any]:
    """The setting of a helper that initialises the last axis group by group, or each channel of the last but one."""
    # Of the two biases of a gate, which one variable holds, each starts on its own.
    if "M" in holder.wanted or holder.part is not None:
        return {"by_channel": True}
    return {"groups": weight.groups} if weight.groups > 1 else {}


def _orthogonal(weight: Weight, holder: Holder) -> Piece:
    gain = {} if weight.init["gain"] == 1 else {"gain": weight.init["gain"]}
    if len(holder.axes) > 1 and not _groups(weight, holder):
        return _own(f"{KERAS}Orthogonal", **gain) if gain else _word("orthogonal")
    return _own("GroupedOrthogonal", **_groups(weight, holder), **gain)


def _scaled(kind: str, rule: Scaled, weight: Weight, holder: Holder) -> Piece:
    """Keras' initialiser if it counts the same fan; it truncates normal values, and counts the fans of all groups."""
    fan, mode = rule.of(fans(weight)), _mode(rule, weight, holder)
    if mode is None:
        number = int(fan) if fan == int(fan) else float(fan)
        settings = Argument(Slot(rule.scale, "scale")), Argument(Slot(number, "fan"))
        return Call(f"{rule.form}_by_fan", settings)
    crosswise = (mode,) if mode == "fan_out" else ()
    if rule.form == "normal":
        return _own(f"untruncated_{kind}", *crosswise)
    return _own(f"{KERAS}VarianceScaling", float(rule.scale), mode, "uniform") if crosswise else _word(kind)


def _mode(rule: Scaled, weight: Weight, holder: Holder) -> str | None:
    """Keras' name for the fan of the rule; None if it counts no such fan."""
    if holder.part is not None:
        return None
    sizes = dict(zip(holder.axes, holder.shape or weight.shape, strict=True))
    first, second = _fans([sizes[letter] for letter in holder.wanted])
    # It takes the last axis of a kernel for its outputs, which of a transposed one is that of its inputs.
    transposed = holder.wanted.endswith("OI")
    mode = rule.fan if rule.fan == "fan_avg" or not transposed else "fan_out"
    counts = {"fan_in": first, "fan_out": second, "fan_avg": Fraction(first + second, 2)}
    return mode if counts[mode] == rule.of(fans(weight)) else None


def _fans(shape: list[int]) -> tuple[int, int]:
    """The fans as Keras counts them."""
    if len(shape) == 1:
        return shape[0], shape[0]
    kernel = prod(shape[:-2])
    return shape[-2] * kernel, shape[-1] * kernel
