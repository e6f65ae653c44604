"""Brings batches to the device, as they are stored, and converts them there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from netspec.dataclass import dataclass
from netspec.fit import Conversion, Task, Whitening

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Batch, Step

Tensors = Mapping[str, torch.Tensor]


class DeviceBatch(NamedTuple):
    """A batch on the device, converted. `whole` is the number of samples in all processes."""

    inputs: Tensors
    targets: Tensors
    samples: int
    whole: int

    @property
    def rows(self) -> int:
        """The length of its tensors."""
        return len(next(iter(self.inputs.values())))


class Feeder:
    """Converts the batches of a task."""

    def __init__(self, task: Task, device: torch.device, dtype: torch.dtype, channels_last: bool) -> None:
        self.device, self.dtype, self.channels_last = device, dtype, channels_last
        self.inputs = {
            each.name: self._conversion(task.conversions.get(each.name), each.vocabulary is not None)
            for each in task.graph.inputs
        }
        self.targets = {
            name: self._conversion(given, False) for name, given in task.target_conversions.items()
        }
        self._held: dict[str, tuple[Tensors, Tensors]] = {}

    def hold(self, part: str, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> None:
        """Keep the samples of a part on the device, as they are stored."""
        self._held[part] = self._moved(inputs), self._moved(targets)

    def _moved(self, arrays: Mapping[str, Array]) -> Tensors:
        return {name: _tensor(array).to(self.device) for name, array in arrays.items()}

    def steps(self, steps: Iterator[Step]) -> Iterator[tuple[DeviceBatch, ...]]:
        """The same steps on the device. On a GPU a step is copied while the one before is calculated."""
        if self.device.type != "cuda":
            for step in steps:
                yield tuple(self._now(each) for each in step)
            return
        waiting: deque[tuple[tuple[Tensors, Tensors, Batch], ...]] = deque()
        for step in steps:
            waiting.append(tuple(self._copied(each) for each in step))
            if len(waiting) > 1:
                yield tuple(self._on_device(*each) for each in waiting.popleft())
        for late in waiting:
            yield tuple(self._on_device(*each) for each in late)

    def batches(self, batches: Iterator[Batch]) -> Iterator[DeviceBatch]:
        """The same batches on the device."""
        for (only,) in self.steps((each,) for each in batches):
            yield only

    def _now(self, batch: Batch) -> DeviceBatch:
        if batch.part is not None and batch.rows is not None:
            return self._on_device(*self._taken(batch.part, torch.from_numpy(batch.rows)), batch)
        return self._on_device(self._moved(batch.inputs), self._moved(batch.targets), batch)

    def _taken(self, part: str, rows: torch.Tensor) -> tuple[Tensors, Tensors]:
        """The samples with these indices of a part that is on the device."""
        inputs, targets = (
            {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}
            for tensors in self._held[part]
        )
        return inputs, targets

    def _copied(self, batch: Batch) -> tuple[Tensors, Tensors, Batch]:
        """The batch on its way to the GPU, from memory that the GPU reads itself."""
        if batch.part is not None and batch.rows is not None:
            return *self._taken(batch.part, self._sent(batch.rows)), batch
        return (
            {name: self._sent(array) for name, array in batch.inputs.items()},
            {name: self._sent(array) for name, array in batch.targets.items()},
            batch,
        )

    def _sent(self, array: Array) -> torch.Tensor:
        return _tensor(array).pin_memory().to(self.device, non_blocking=True)

    def _on_device(self, inputs: Tensors, targets: Tensors, batch: Batch) -> DeviceBatch:
        return DeviceBatch(
            {
                name: self.inputs[name].applied(tensor)
                for name, tensor in inputs.items()
                if name in self.inputs
            },
            {name: self._target(name, tensor) for name, tensor in targets.items()},
            batch.samples,
            batch.samples if batch.whole is None else batch.whole,
        )

    def _target(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        known = self.targets.get(name)
        if known is not None:
            return known.applied(tensor)
        # Whole numbers are class indices.
        return tensor.to(self.dtype if tensor.is_floating_point() else torch.int64)

    def _conversion(self, given: Conversion | None, indices: bool) -> _Conversion:
        if indices:
            return _Conversion()
        given = given or Conversion()
        return _Conversion(
            self.dtype,
            given.unit,
            torch.tensor(given.mean, dtype=self.dtype, device=self.device) if given.mean else None,
            torch.tensor(given.std, dtype=self.dtype, device=self.device) if given.std else None,
            given.pad,
            self.channels_last,
            given.sample,
            None if given.whiten is None else self._whitening(given.whiten),
        )

    def _whitening(self, given: Whitening) -> tuple[torch.Tensor, torch.Tensor]:
        mean, matrix = (torch.from_numpy(np.array(each)) for each in (given.mean, given.matrix))
        return mean.to(self.device, self.dtype), matrix.to(self.device, self.dtype)


@dataclass(frozen=True, eq=False)
class _Conversion:
    """See `netspec.fit.Conversion`; without a type, the numbers are indices."""

    dtype: torch.dtype | None = None
    unit: float = 1.0
    mean: torch.Tensor | None = None
    std: torch.Tensor | None = None
    pad: int = 0
    channels_last: bool = False
    sample: bool = False
    whiten: tuple[torch.Tensor, torch.Tensor] | None = None

    def applied(self, x: torch.Tensor) -> torch.Tensor:
        """The numbers that the network takes."""
        if self.dtype is None:
            return x.to(torch.int64)
        x = x.to(self.dtype)
        if self.unit != 1:
            x = x / self.unit
        inner = x
        if self.whiten is None:
            x = self._padded(x)
        if self.sample:
            x = (x - inner.mean(tuple(range(1, x.ndim)), keepdim=True)) / _deviation(inner)
        if self.mean is not None:
            x = x - _by_channel(self.mean, x)
        if self.std is not None:
            x = x / _by_channel(self.std, x)
        if self.whiten is not None:
            mean, matrix = self.whiten
            x = self._padded(((x.flatten(1) - mean) @ matrix).reshape(x.shape))
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        return x

    def _padded(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, (self.pad,) * (2 * (x.ndim - 2))) if self.pad else x


def _deviation(x: torch.Tensor) -> torch.Tensor:
    """That of all numbers of each sample."""
    axes = tuple(range(1, x.ndim))
    deviation = (x - x.mean(axes, keepdim=True)).square().mean(axes, keepdim=True).sqrt()
    return torch.where(deviation < Conversion.CONSTANT, torch.ones_like(deviation), deviation)


def _by_channel(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return numbers.reshape(-1, *(1,) * (x.ndim - 2))


def _tensor(array: Array) -> torch.Tensor:
    # PyTorch takes neither negative strides nor, without a warning, memory that it may not write to.
    whole = np.asarray(array, order="C")
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy())
