"""The processes of a training: sums over all of them, and decisions that they take together."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.distributed as dist

from netspec.backend import LostProcess, NoDevice, Unavailable
from netspec_torch.runtime import choose

if TYPE_CHECKING:
    from netspec.fit import World

Tensor = torch.Tensor
PATIENCE = timedelta(minutes=30)
"""How long a process waits for another one."""


class Processes(Protocol):
    """The processes of a training, of which this is one. All of them call each method together."""

    rank: int
    size: int

    def summed(self, tensor: Tensor) -> Tensor:
        """The sum of the tensors of all processes, which has the same bits in each."""
        ...

    def gathered(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes, one after the other along the first axis; their lengths can differ."""
        ...

    def largest(self, number: int) -> int:
        """The largest of the numbers of all processes. It does not wait for a GPU."""
        ...

    def first(self, value: Any) -> Any:
        """The value of the first process."""
        ...


class Alone:
    """See `Processes`: there is only this one."""

    rank, size = 0, 1

    def summed(self, tensor: Tensor) -> Tensor:
        return tensor

    def gathered(self, tensor: Tensor) -> Tensor:
        return tensor

    def largest(self, number: int) -> int:
        return number

    def first(self, value: Any) -> Any:
        return value


class Several:
    """See `Processes`: they talk by gloo, and GPUs by NCCL."""

    def __init__(self, world: World, device: torch.device) -> None:
        self.rank, self.size, self.device = world.rank, world.size, device
        if not dist.is_initialized():
            _begin(world, device)
        if dist.get_world_size() != world.size:
            raise Unavailable(
                f"this training has {world.size} processes, but PyTorch's group has {dist.get_world_size()}"
            )
        # Numbers of the host do not go over the GPU.
        self._hosts = dist.new_group(backend="gloo", timeout=PATIENCE)

    def summed(self, tensor: Tensor) -> Tensor:
        found = tensor.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(found)
        return found

    def gathered(self, tensor: Tensor) -> Tensor:
        length = torch.tensor([len(tensor)], device=tensor.device)
        lengths = [torch.zeros_like(length) for _ in range(self.size)]
        dist.all_gather(lengths, length)
        counts = [int(each) for each in lengths]
        padded = tensor.new_zeros((max(counts), *tensor.shape[1:]))
        padded[: len(tensor)] = tensor
        parts = [torch.zeros_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])

    def largest(self, number: int) -> int:
        found = torch.tensor([number])
        dist.all_reduce(found, dist.ReduceOp.MAX, self._hosts)
        return int(found)

    def first(self, value: Any) -> Any:
        held = [value if self.rank == 0 else None]
        dist.broadcast_object_list(held, 0, self._hosts)
        return held[0]


def processes(world: World, device: torch.device) -> Processes:
    """The processes of a training.

    Raises:
        Unavailable: they do not find each other.
    """
    if world.size == 1:
        return Alone()
    with connected():
        return Several(world, device)


def device_of(name: str, world: World) -> torch.device:
    """The device of this process: of several on one machine, each has its own GPU.

    Raises:
        NoDevice: the device does not exist, or all processes would have the same one.
    """
    device = choose(name)
    if world.size == 1 or device.type != "cuda":
        return device
    if ":" in name:
        raise NoDevice(f"`{name}` is one GPU, but each of {world.size} processes takes its own", "name cuda")
    local = int(os.environ.get("LOCAL_RANK", world.rank))
    if local >= torch.cuda.device_count():
        raise NoDevice.counted(f"cuda:{local}", torch.cuda.device_count())
    found = torch.device("cuda", local)
    torch.cuda.set_device(found)
    return found


@contextmanager
def connected() -> Iterator[None]:
    """Say in one sentence that another process is gone, in place of an error of the network.

    Raises:
        LostProcess: another process of the training has ended.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if type(error).__name__.startswith("Dist") or "gloo" in text or "nccl" in text:
            raise LostProcess("another process of this training has ended") from error
        raise


def _begin(world: World, device: torch.device) -> None:
    if missing := [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in os.environ]:
        raise Unavailable(
            f"this is process {world.rank} of {world.size}, but {' and '.join(missing)} is not set",
            "start the processes by torchrun, or by netspec train --devices N",
        )
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, rank=world.rank, world_size=world.size, timeout=PATIENCE)
    atexit.register(_end)


def _end() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
