"""Finds what is not finite first in a step: the output of a layer, or else a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from netspec.lowering.outline import outline
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec_torch.runtime import execute, instance, keys, read
from netspec_torch.source import source

if TYPE_CHECKING:
    from netspec.fit import Step
    from netspec_torch.training.trainer import TorchTrainer


def first_not_finite(trainer: TorchTrainer, step: Step) -> str:
    """The output of the first layer that is not finite in training mode, or the first such gradient on the way back."""
    graph = trainer.task.graph
    text = source(graph)
    recorder = Recorder(order(outline(graph)), None)
    space = execute(text, instrument(text), graph.name, {HOOK: recorder})
    weights = read(trainer.model, graph)
    model = instance(space, graph, weights, "float64" if trainer.dtype == torch.float64 else "float32")
    model = model.to(trainer.device).train()
    held = dict(model.named_parameters(remove_duplicate=False))
    parameters = {name: held[key] for name, key in keys(graph).items() if key in held}
    for batch in trainer.feeder.batches(iter(step)):
        recorder.start()
        model.zero_grad()
        result = model(*(batch.inputs[each.name] for each in graph.inputs))
        outputs = dict(result) if isinstance(result, Mapping) else {graph.outputs[0].name: result}
        for node in graph.nodes:
            if not recorder.seen[node.name].isfinite().all():
                return f"the output of `{node.name}`"
        loss, _ = trainer.loss(outputs, batch)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        for name, parameter in reversed(parameters.items()):
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                return f"the gradient of `{name}`"
    return ""
