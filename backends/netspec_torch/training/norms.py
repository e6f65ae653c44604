"""Batch normalisation by the statistics of a whole batch, of which every process has a part.

PyTorch's own `SyncBatchNorm` runs only on GPUs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from netspec_torch.training.processes import Processes

Tensor = torch.Tensor


class Shared:
    """The batch that runs now: what the normalisations of a model know of it."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.rows, self.whole, self.counts = 1, 1, True

    def begin(self, rows: int, samples: int, whole: int) -> None:
        """A batch with these rows runs next, of which so many are samples, and of all processes `whole`."""
        self.rows, self.whole, self.counts = rows, whole, samples > 0


def synchronise(model: nn.Module, processes: Processes) -> Shared:
    """Let every batch normalisation that learns from a batch take the statistics of all processes."""
    shared = Shared(processes)
    for module in model.modules():
        # A frozen one has a method of its own.
        if isinstance(module, _BatchNorm) and type(module).forward is _BatchNorm.forward:
            setattr(module, "forward", partial(_forward, module, shared))  # noqa: B010 (not for mypy)
    return shared


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _forward(module: Any, shared: Shared, x: Tensor) -> Tensor:
    if not module.training:
        return _BatchNorm.forward(module, x)
    count = x.numel() // x.shape[1] * shared.whole // shared.rows
    if count == 1:
        raise ValueError(
            f"a batch has one value for each channel, but batch_norm takes their variance: {tuple(x.shape)}"
        )
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    normal, mean, variance = _Normalised.apply(  # type: ignore[no-untyped-call]
        wide, shared.processes, count, shared.counts, module.eps
    )
    _follow(module, mean, variance * (count / (count - 1)))
    if module.weight is not None:
        normal = normal * _by_channel(module.weight, normal)
    if module.bias is not None:
        normal = normal + _by_channel(module.bias, normal)
    result: Tensor = normal.to(x.dtype)
    return result


@torch.no_grad()
def _follow(module: Any, mean: Tensor, variance: Tensor) -> None:
    """Update the running statistics."""
    if module.running_mean is None:
        return
    module.num_batches_tracked.add_(1)
    share = module.momentum if module.momentum is not None else 1.0 / float(module.num_batches_tracked)
    module.running_mean.mul_(1 - share).add_(mean, alpha=share)
    module.running_var.mul_(1 - share).add_(variance, alpha=share)


class _Normalised(torch.autograd.Function):
    """(x − mean) / √(variance + ε) over the batch of all processes; a process without a sample does not count."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, processes: Processes, count: int, counts: bool, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean = processes.summed(_over(x) * counts) / count
        centred = x - _by_channel(mean, x)
        variance = processes.summed(_over(centred.square()) * counts) / count
        inverse = (variance + epsilon).rsqrt()
        normal = centred * _by_channel(inverse, x)
        ctx.save_for_backward(normal, inverse)
        ctx.processes, ctx.count, ctx.counts = processes, count, counts
        ctx.mark_non_differentiable(mean, variance)
        return normal, mean, variance

    @staticmethod
    def backward(ctx: Any, slope: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        normal, inverse = ctx.saved_tensors
        both = torch.stack([_over(slope), _over(slope * normal)]) * ctx.counts
        first, second = ctx.processes.summed(both) / ctx.count
        whole = slope - _by_channel(first, slope) - normal * _by_channel(second, slope)
        return whole * _by_channel(inverse, slope) * ctx.counts, None, None, None, None


def _over(x: Tensor) -> Tensor:
    """The sums by channel."""
    return x.sum([0, *range(2, x.dim())])


def _by_channel(numbers: Tensor, x: Tensor) -> Tensor:
    return numbers.reshape(1, -1, *(1,) * (x.dim() - 2))
