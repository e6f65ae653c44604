"""A whole step as one CUDA graph: forward, backward, optimiser, average and tallies, without Python in between.

After the first steps, one is captured. It is used only if it gives the same bits as a plain one from the same state;
else, and for batches of other sizes, steps are calculated plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from netspec_torch.training.feeding import DeviceBatch
from netspec_torch.training.optimizers import KINDS

if TYPE_CHECKING:
    from netspec.fit import Task

Tensor = torch.Tensor
Result = tuple[Tensor, dict[str, Tensor]]
Step = Callable[[tuple[DeviceBatch, ...]], Result]
WARM = 3
"""So many plain steps come first: libraries prepare themselves in them, which a graph cannot hold."""


def uncaptured(task: Task, kind: str) -> str:
    """Why a step of this task cannot be captured on a kind of device; empty if nothing is known to prevent it."""
    if kind != "cuda":
        return "only GPUs have CUDA graphs"
    if task.world.size > 1:
        return "several processes exchange gradients while a step runs"
    if task.compile:
        return "`compile: true` already compiles the step"
    if task.precision == "fp16":
        return "the scale of float16 losses is decided on the host"
    if any(getattr(term.loss, "class_weights", None) is not None for term in task.terms):
        return "the weights of classes are copied to the GPU in every step"
    return KINDS[type(task.optimizer)].uncaptured


class Captured:
    """Takes steps; `kept` gives all tensors that a step changes. `reason` says why it captures none."""

    def __init__(self, step: Step, kept: Callable[[], Sequence[Tensor]], device: torch.device) -> None:
        self._step, self._kept, self._device = step, kept, device
        self.reason = ""
        self.forget()

    def forget(self) -> None:
        """Capture again: what a step calculates has changed."""
        self._graph: Any = None
        self._shapes: tuple[Any, ...] = ()
        self._held: tuple[DeviceBatch, ...] = ()
        self._result: Result | None = None
        self._seen = 0

    def __call__(self, batches: tuple[DeviceBatch, ...]) -> Result:
        """Take a step; its results are copies."""
        shapes = _shapes(batches)
        if self.reason:
            return self._step(batches)
        if self._graph is None:
            self._seen = self._seen + 1 if shapes == self._shapes else 1
            self._shapes = shapes
            return self._step(batches) if self._seen <= WARM else self._begin(batches)
        return self._replayed(batches) if shapes == self._shapes else self._step(batches)

    def _begin(self, batches: tuple[DeviceBatch, ...]) -> Result:
        """Capture a step, and take it in both ways."""
        try:
            self._capture(batches)
        except RuntimeError as error:
            self.reason = f"PyTorch cannot capture it: {str(error).splitlines()[0]}"
            self._graph = None
            return self._step(batches)
        tensors = self._kept()
        before, drawn = _copies(tensors), torch.cuda.get_rng_state(self._device)
        rows, tallies = self._replayed(batches)
        captured, after = _copies(tensors), torch.cuda.get_rng_state(self._device)
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
        torch.cuda.set_rng_state(drawn, self._device)
        result = self._step(batches)
        same = [
            *zip(captured, tensors, strict=True),
            (rows, result[0]),
            (after, torch.cuda.get_rng_state(self._device)),
        ]
        same += [(tallies[name], each) for name, each in result[1].items()]
        if not all(torch.equal(one, other) for one, other in same):
            self.reason = "a captured step does not give the bits of a plain one"
            self._graph = None
        return result

    def _capture(self, batches: tuple[DeviceBatch, ...]) -> None:
        self._held = tuple(_held(batch) for batch in batches)
        torch.cuda.synchronize(self._device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._result = self._step(self._held)
        self._graph = graph

    def _replayed(self, batches: tuple[DeviceBatch, ...]) -> Result:
        for held, batch in zip(self._held, batches, strict=True):
            for own, given in ((held.inputs, batch.inputs), (held.targets, batch.targets)):
                for name, tensor in own.items():
                    tensor.copy_(given[name])
        self._graph.replay()
        assert self._result is not None
        # The next step writes to the same memory.
        rows, tallies = self._result
        return rows.clone(), {name: each.clone() for name, each in tallies.items()}


def _shapes(batches: tuple[DeviceBatch, ...]) -> tuple[Any, ...]:
    return tuple(
        (name, each.shape, each.dtype, each.stride())
        for batch in batches
        for tensors in (batch.inputs, batch.targets)
        for name, each in tensors.items()
    )


def _held(batch: DeviceBatch) -> DeviceBatch:
    def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: each.clone() for name, each in tensors.items()}

    return DeviceBatch(copied(batch.inputs), copied(batch.targets), batch.samples, batch.whole)


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [each.detach().clone() for each in tensors]
