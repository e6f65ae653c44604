"""Finds what is not finite first in a step: the output of a layer, or else a gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import torch

from netspec.lowering.outline import outline
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec_torch.runtime import execute, instance, keys
from netspec_torch.source import source
from netspec_torch.training.feeding import DeviceBatch
from netspec_torch.training.frozen import measuring, settle

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.graph import Graph
    from netspec.types import Float

Loss = Callable[[Mapping[str, torch.Tensor], DeviceBatch], torch.Tensor]


def first_not_finite(
    graph: Graph,
    weights: Arrays,
    frozen: frozenset[str],
    dtype: Float,
    device: torch.device,
    batches: Iterable[DeviceBatch],
    loss: Loss,
) -> str:
    """The output of the first layer that is not finite in training mode, or the first such gradient on the way back."""
    text = source(graph)
    recorder = Recorder(order(outline(graph)), None)
    space = execute(text, instrument(text), graph.name, {HOOK: recorder})
    model = instance(space, graph, weights, dtype, device).train()
    settle(measuring(model, graph), frozen)
    held = dict(model.named_parameters(remove_duplicate=False))
    parameters = {name: held[key] for name, key in keys(graph).items() if key in held}
    for batch in batches:
        recorder.start()
        model.zero_grad()
        result = model(*(batch.inputs[each.name] for each in graph.inputs))
        outputs = dict(result) if isinstance(result, Mapping) else {graph.outputs[0].name: result}
        for node in graph.nodes:
            if not recorder.seen[node.name].isfinite().all():
                return f"the output of `{node.name}`"
        value = loss(outputs, batch)
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        for name, parameter in reversed(parameters.items()):
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                return f"the gradient of `{name}`"
    return ""
