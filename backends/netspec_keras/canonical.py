"""Defines one form for the layers of a node, however padding, cropping and activation are written.

A shared layer has these as separate layers beside it, and a convolution of single positions may say `same` for `valid`.
Both must be equal to the node's own lowering, which this module checks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from netspec import arithmetic
from netspec.graph import Graph
from netspec.lowering.parts import Slot
from netspec.lowering.template import WrongFold
from netspec.ops.fields import Pads
from netspec_keras.arguments import Types, padded
from netspec_keras.functions import LINEAR, NAMED, behind
from netspec_keras.layer import LayerText, Lowered

Layers = tuple[LayerText, ...]
CanonicalStep = tuple[Any, ...]

BY_NAME = {name: cls() for cls, name in NAMED.items()}


def ways(
    graph: Graph, own: Mapping[str, Lowered], *lowered: Mapping[str, Lowered]
) -> Mapping[str, Collection[Layers]]:
    """The layers by which each value may be written; `own` are those of its lowering.

    Raises:
        WrongFold: some of them do not do what the node's own lowering does.
    """
    found: dict[str, Collection[Layers]] = {}
    lowered = tuple({id(each): each for each in lowered}.values())
    alone: dict[int, Collection[Layers]] = {}
    for node in graph.nodes:
        name = node.name
        mine = own[name].layers
        if not own[name].gives:
            found.update({f"{name}.{port}": [(own[name].ports[port],)] for port in node.ports})
        written = {id(each[name].layers): each[name].layers for each in lowered}
        if len(written) == 1 and id(mine) in written:
            found[name] = alone.setdefault(id(mine), (mine,))
        else:
            found[name] = set(written.values()) if len(written) > 1 else tuple(written.values())
        if own[name].gives:
            found.update(dict.fromkeys((f"{name}.{port}" for port in node.ports), found[name]))
        for layers in (each for key, each in written.items() if key != id(mine) and each != mine):
            types = [graph.types[value] for value in node.inputs]
            if canonical(layers, types) != canonical(mine, types):
                raise WrongFold(f"{node.name}: {_spelled(layers)} is not its own lowering {_spelled(mine)}")
    return found


def canonical(layers: Layers, types: Types) -> tuple[CanonicalStep, ...]:
    """The canonical form of layers: padding is part of the following convolution, cropping of the previous one."""
    steps: list[CanonicalStep] = []
    nothing: Pads = ((0, 0),) * len(types[0].sizes)
    pads, activation = nothing, LINEAR
    for layer in layers:
        values = _values(layer)
        if layer.cls.startswith("layers.ZeroPadding"):
            pads = _pairs(values["padding"], len(nothing))
            continue
        if layer.cls.startswith("layers.Cropping") and steps and steps[-1][0] == "transposed":
            *before, cuts = steps.pop()
            more = _pairs(values["cropping"], len(nothing))
            total = tuple((a + c, b + d) for (a, b), (c, d) in zip(cuts, more, strict=True))
            steps.append((*before, total))
            continue
        if "activation" in values and ("kernel" in values or "use_bias" in values):
            activation = values.pop("activation")
        if "kernel" in values and "Transpose" in layer.cls:
            steps.append(("transposed", layer.cls, *_transposed(values, len(nothing))))
        elif "kernel" in values and "Conv" in layer.cls:
            pads = _resolved(values, pads, types)
            steps.append((layer.cls, _settled(values), pads))
        else:
            steps += [("zeros", pads)] if padded(pads) else []
            steps.append((layer.cls, _settled(values), layer.after))
        pads = nothing
    if activation != LINEAR:
        # It gives the same result for any positions that are kept.
        steps += [(each.cls, _settled(_values(each)), each.after) for each in behind(BY_NAME[activation])]
    return (*steps, *([("zeros", pads)] if padded(pads) else ()))


def _spelled(layers: Layers) -> str:
    return ", ".join(f"{layer.cls}{_values(layer)}" for layer in layers)


def _values(layer: LayerText) -> dict[str, Any]:
    """The arguments by keyword, or by the name of the positional argument."""
    values: dict[str, Any] = {}
    for each in layer.arguments:
        if isinstance(each.value, Slot):
            values[each.keyword or each.value.hint] = each.value.value
        else:  # what draws the first values of a weight
            values[each.keyword] = each.value
    return values


def _settled(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(values.items()))


def _each(value: Any, rank: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * rank


def _pairs(value: Any, rank: int) -> Pads:
    """A border in the form of Keras' layers: one number, one per axis, or one pair per axis."""
    if rank == 1 and isinstance(value, tuple):
        return (value,)
    return tuple(each if isinstance(each, tuple) else (each, each) for each in _each(value, rank))


def _resolved(values: dict[str, Any], pads: Pads, types: Types) -> Pads:
    """The padding of a convolution: that of the layer before it, or that of its own word for this input."""
    word, rank = values.pop("padding", "valid"), len(pads)
    if word == "valid":
        return pads
    if padded(pads):
        raise WrongFold(f"what is padded already is padded by `{word}`, too")
    window = zip(*(_each(values[name], rank) for name in ("kernel", "strides", "dilation_rate")), strict=True)
    if word == "causal":
        return tuple(arithmetic.causal_pads(kernel, rate) for kernel, _, rate in window)
    sizes = types[0].sizes
    return tuple(arithmetic.same_pads(size, *each) for size, each in zip(sizes, window, strict=True))


def _transposed(values: dict[str, Any], rank: int) -> CanonicalStep:
    """The output padding of a transposed convolution, and what it crops: Keras' words determine both."""
    word, more = values.pop("padding", "valid"), values.pop("output_padding", None)
    window = list(zip(_each(values["kernel"], rank), _each(values["strides"], rank), strict=True))
    added = (
        _each(more, rank) if more is not None else tuple(max(stride - kernel, 0) for kernel, stride in window)
    )
    beyond = [max(kernel - stride, 0) if word == "same" else 0 for kernel, stride in window]
    return _settled(values), added, tuple((each // 2, each - each // 2) for each in beyond)
