"""Times a network in PyTorch: eager, a forward pass without gradients, a plain training step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from netspec.graph import Graph
from netspec.recipe.optimizers import Sgd
from netspec_torch.runtime import build, choose
from netspec_torch.training.optimizers import make_optimizer

if TYPE_CHECKING:
    from netspec.backend import Arrays

STEP = Sgd(learning_rate=1e-4, momentum=0.9)


class TorchWorkload:
    """See `netspec.backend.Workload`."""

    def __init__(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> None:
        self.graph, self.given = graph, (weights, inputs, targets)
        self.where = choose(device)
        self.device = str(self.where)

    def prepare(self) -> None:
        """Build the model and the optimiser, and move the data to the device."""
        weights, inputs, targets = self.given
        self.model = build(self.graph, weights, "float32", self.device)
        self.inputs = [torch.as_tensor(inputs[each.name]).to(self.where) for each in self.graph.inputs]
        self.targets = {name: torch.as_tensor(array).to(self.where) for name, array in targets.items()}
        self.only = self.graph.outputs[0].name
        learns = any(parameter.requires_grad for parameter in self.model.parameters())
        self.optimizer = make_optimizer(STEP, self.model) if learns else None

    def forward(self) -> None:
        """Run a batch in evaluation mode."""
        self.model.eval()
        with torch.inference_mode():
            self.model(*self.inputs)
        self._wait()

    def train(self) -> None:
        """Run one training step."""
        self.model.train()
        result = self.model(*self.inputs)
        outputs = result if isinstance(result, Mapping) else {self.only: result}
        loss = torch.stack([F.mse_loss(outputs[name], target) for name, target in self.targets.items()]).sum()
        if self.optimizer is not None:
            self.optimizer.zero()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        self._wait()

    def peak_bytes(self) -> int | None:
        """The peak memory of PyTorch's allocator."""
        return torch.cuda.max_memory_allocated(self.where) if self.where.type == "cuda" else None

    def _wait(self) -> None:
        if self.where.type == "cuda":
            torch.cuda.synchronize(self.where)
