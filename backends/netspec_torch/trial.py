"""The trial of PyTorch in a comparison: every layer's output, every gradient, steps of the optimisers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from netspec.graph import Graph
from netspec.lowering.outline import outline
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec.recipe.optimizers import Optimizer
from netspec_torch.precision import full_precision
from netspec_torch.runtime import DTYPES, choose, execute, instance, keys, read
from netspec_torch.source import source
from netspec_torch.training.optimizers import make_optimizer

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float

Tensors = dict[str, torch.Tensor]


class TorchTrial:
    """See `netspec.backend.LearningTrial`."""

    def __init__(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> None:
        self.graph, self.dtype, self.device = graph, DTYPES[dtype], choose(device, dtype)
        text = source(graph)
        self.turned = dict(text.turned)
        self.recorder = Recorder(order(outline(graph)), inject)
        space = execute(text, instrument(text), graph.name, {HOOK: self.recorder})
        self.model = instance(space, graph, weights, dtype).to(self.device)
        self.start = {key: value.clone() for key, value in self.model.state_dict().items()}

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        """The output of every node, by its canonical name."""
        self._reset()
        with torch.no_grad(), full_precision():
            self._run(inputs)
        return {node.name: self._seen(node.name).detach().cpu().numpy() for node in self.graph.nodes}

    def _seen(self, value: str) -> torch.Tensor:
        """A value that the text made, in its canonical order."""
        found: torch.Tensor = self.recorder.seen[value]
        return found.permute(self.turned[value]) if value in self.turned else found

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        """The gradient of the loss with respect to every trainable weight."""
        self._reset()
        self._descend(inputs, targets)
        parameters = dict(self.model.named_parameters(remove_duplicate=False))
        return {name: _gradient(parameters[key]) for name, key in self._learnt().items()}

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        """All weights, including statistics, after `count` steps on the same batch."""
        self._reset()
        stepper = make_optimizer(optimizer, self.model) if self._learnt() else None
        for _ in range(count):
            self.model.zero_grad()
            self._descend(inputs, targets)
            if stepper is not None:
                stepper.step()
        return read(self.model, self.graph)

    def _reset(self) -> None:
        self.model.load_state_dict(self.start)
        self.model.zero_grad()
        self.model.train()

    def _run(self, inputs: Arrays) -> Tensors:
        self.recorder.start()
        given = [self._tensor(inputs[each.name], each.vocabulary is not None) for each in self.graph.inputs]
        result = self.model(*given)
        return dict(result) if isinstance(result, Mapping) else {self.graph.outputs[0].name: result}

    def _loss(self, inputs: Arrays, targets: Arrays) -> torch.Tensor:
        outputs = self._run(inputs)
        terms = [
            (value - self._tensor(targets[name])).square().sum() / (2 * len(value))
            for name, value in outputs.items()
        ]
        return torch.stack(terms).sum()

    def _descend(self, inputs: Arrays, targets: Arrays) -> None:
        with full_precision():
            loss = self._loss(inputs, targets)
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]

    def _tensor(self, array: Array, indices: bool = False) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.int64 if indices else self.dtype, device=self.device)

    def _learnt(self) -> dict[str, str]:
        every = keys(self.graph)
        return {
            weight.name: every[weight.name]
            for node in self.graph.nodes
            if node.trainable and node.shares is None
            for weight in node.weights
            if weight.trainable and not weight.statistic
        }


def _gradient(parameter: torch.nn.Parameter) -> Array:
    # A weight on which no output depends has no gradient in PyTorch; its gradient is zero.
    found = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
    array: Array = found.cpu().numpy().copy()
    return array
