"""How the weights of a training lie in its processes: whole in one, a copy in each (DDP), or a part in each (FSDP2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from netspec_torch.training.processes import Processes

if TYPE_CHECKING:
    from netspec.fit import Task

Tensor = torch.Tensor
Tensors = dict[str, Tensor]
Squares = Callable[[Tensor], Tensor]
UNSYNCED = next(
    name
    for name in ("forward_sync_buffers", "broadcast_buffers")
    if name in signature(DistributedDataParallel.__init__).parameters
)
"""The name in this version of PyTorch for copies of buffers in every step: statistics are the same anyway."""


class Spread(Protocol):
    """The weights of a training in this process, and the way to those of all."""

    @property
    def learnt(self) -> Mapping[str, nn.Parameter]:
        """By canonical names, what this process has of the weights that learn."""
        ...

    @property
    def scale(self) -> int:
        """The factor of a loss whose gradients are averaged over processes."""
        ...

    @property
    def across(self) -> Squares | None:
        """Sums squares over the parts of a gradient; None: every process has the whole."""
        ...

    def forward(self, *inputs: Tensor) -> Any:
        """The outputs of the network in training."""
        ...

    def waiting(self, last: bool) -> AbstractContextManager[object]:
        """Around the forward and backward pass of a batch: only after the `last` one gradients are exchanged."""
        ...

    def collect(self) -> None:
        """Set the gradients of `learnt`."""
        ...

    def freeze(self, names: frozenset[str]) -> None:
        """See `netspec.fit.Trainer`."""
        ...

    def state(self) -> Tensors:
        """The whole state dict of the model."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over such a state dict.

        Raises:
            ValueError: it is that of another network.
        """
        ...

    def whole(self, name: str, part: Tensor) -> Tensor:
        """The whole of what belongs to a weight, from the part of this process."""
        ...

    def part(self, name: str, whole: Tensor) -> Tensor:
        """The part of this process of what belongs to a weight."""
        ...


class Unsharded:
    """See `Spread`: one process has all."""

    scale = 1
    across: Squares | None = None

    def __init__(self, model: nn.Module, compiled: Any, learnt: Mapping[str, nn.Parameter]) -> None:
        self.model, self.compiled, self.learnt = model, compiled, learnt

    def forward(self, *inputs: Tensor) -> Any:
        return self.compiled(*inputs)

    def waiting(self, last: bool) -> AbstractContextManager[object]:
        return nullcontext()

    def collect(self) -> None:
        """Do nothing."""

    def freeze(self, names: frozenset[str]) -> None:
        for name, parameter in self.learnt.items():
            parameter.requires_grad_(name not in names)

    def state(self) -> Tensors:
        return dict(self.model.state_dict())

    def restore(self, state: Mapping[str, Tensor]) -> None:
        try:
            self.model.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"the state is that of another network: {error}") from None

    def whole(self, name: str, part: Tensor) -> Tensor:
        return part

    def part(self, name: str, whole: Tensor) -> Tensor:
        return whole


class Copies(Unsharded):
    """See `Spread`: every process has all, and DDP averages the gradients while the backward pass runs."""

    def __init__(
        self, model: nn.Module, compiled: Any, learnt: Mapping[str, nn.Parameter], task: Task, size: int
    ) -> None:
        super().__init__(model, compiled, learnt)
        self.scale = size
        self._unused = bool(learnt.keys() - used(task))
        self._heads = _Heads(compiled, {term.output for term in task.terms}) if self._unused else compiled
        self._wrap()

    def _wrap(self) -> None:
        if any(each.requires_grad for each in self.learnt.values()):
            settings: dict[str, Any] = {UNSYNCED: False, "find_unused_parameters": self._unused}
            self._run: Any = DistributedDataParallel(self._heads, **settings)
        else:
            self._run = self.compiled

    def forward(self, *inputs: Tensor) -> Any:
        return self._run(*inputs)

    def waiting(self, last: bool) -> AbstractContextManager[object]:
        found: AbstractContextManager[object] = nullcontext()
        if not last and isinstance(self._run, DistributedDataParallel):
            found = self._run.no_sync()
        return found

    def freeze(self, names: frozenset[str]) -> None:
        before = [each.requires_grad for each in self.learnt.values()]
        super().freeze(names)
        if before != [each.requires_grad for each in self.learnt.values()]:
            self._wrap()  # DDP waits for the gradients that there were when it was made


class _Heads(nn.Module):
    """Outputs without a loss have no gradient, so that DDP does not wait for one."""

    def __init__(self, model: Any, names: set[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: Tensor) -> Any:
        outputs = self.model(*inputs)
        if not isinstance(outputs, Mapping):
            return outputs
        return {name: each if name in self.names else each.detach() for name, each in outputs.items()}


class Sharded:
    """See `Spread`: every process has a part of each weight, gradient and slot, by FSDP2.

    Optimisers work on every number by itself, so they run on the parts.
    """

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        processes: Processes,
        device: torch.device,
        parameters: Callable[[], Mapping[str, Any]],
    ) -> None:
        names = [name for name, each in parameters().items() if each.requires_grad]
        self.model, self.scale = model, processes.size
        self.across: Squares | None = processes.summed
        self._rank, self._size = processes.rank, processes.size
        mesh = init_device_mesh(device.type, (processes.size,))
        # A layer whose weights another one uses is gathered with the whole network.
        if all(node.shares is None for node in task.graph.nodes):
            for child in model.children():
                if any(True for _ in child.parameters()) and not isinstance(
                    child, nn.ModuleList | nn.ModuleDict | nn.ParameterList
                ):
                    fully_shard(child, mesh=mesh, reshard_after_forward=True)
        # Not kept after a pass: weights change between two passes, also those of an evaluation.
        fully_shard(model, mesh=mesh, reshard_after_forward=True)
        held = parameters()
        self._sharded: dict[str, DTensor] = {name: held[name] for name in names}
        self.learnt = {name: nn.Parameter(each.to_local().detach()) for name, each in self._sharded.items()}

    def forward(self, *inputs: Tensor) -> Any:
        return self.model(*inputs)

    def waiting(self, last: bool) -> AbstractContextManager[object]:
        return nullcontext()  # parts of gradients add up

    def collect(self) -> None:
        for name, own in self.learnt.items():
            slope = self._sharded[name].grad
            own.grad = None if slope is None else slope.to_local()  # type: ignore[attr-defined]
            self._sharded[name].grad = None

    def freeze(self, names: frozenset[str]) -> None:
        for name, own in self.learnt.items():
            own.requires_grad_(name not in names)

    def state(self) -> Tensors:
        return {
            key: each.full_tensor() if isinstance(each, DTensor) else each
            for key, each in self.model.state_dict().items()
        }

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        known = self.model.state_dict()
        if known.keys() != state.keys():
            raise ValueError(
                f"the state is that of another network: {sorted(known.keys() ^ state.keys())[:3]}"
            )
        for key, each in known.items():
            if each.shape != state[key].shape:
                raise ValueError(f"the state is that of another network: {key} is {tuple(state[key].shape)}")
            if isinstance(each, DTensor):
                each.to_local().copy_(self._cut(state[key]))
            else:
                each.copy_(state[key])

    def whole(self, name: str, part: Tensor) -> Tensor:
        like = self._sharded[name]
        if part.shape != like.to_local().shape or not part.ndim:
            return part
        found = DTensor.from_local(
            part, like.device_mesh, like.placements, run_check=False, shape=like.shape, stride=like.stride()
        )
        return found.full_tensor()

    def part(self, name: str, whole: Tensor) -> Tensor:
        return self._cut(whole) if whole.shape == self._sharded[name].shape and whole.ndim else whole

    def _cut(self, whole: Tensor) -> Tensor:
        """The rows of this process, as FSDP2 divides them."""
        rows = whole.chunk(self._size)
        return rows[self._rank] if self._rank < len(rows) else whole[:0]


def used(task: Task) -> set[str]:
    """The weights on which a loss depends."""
    graph = task.graph
    values = {each.name: each.value for each in graph.outputs}
    wanted = {values[term.output] for term in task.terms}
    owners: set[str] = set()
    for node in reversed(graph.nodes):
        if wanted & set(node.values):
            wanted |= set(node.inputs)
            owners.add(node.shares or node.name)
    return {weight.name for node in graph.nodes if node.name in owners for weight in node.weights}


@contextmanager
def exchanged(own: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> Iterator[None]:
    """Put other values into parameters meanwhile."""
    before = {name: own[name].detach().clone() for name in values}
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in before.items():
                own[name].copy_(value)
