"""Tallies of metrics, on the device: sums that `netspec.scoring` turns into figures. Channels first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch

from netspec.dataclass import dataclass
from netspec.recipe.losses import CrossEntropy
from netspec.recipe.metrics import SCORES, Measured
from netspec_torch.training.losses import elements, sums

Tensor = torch.Tensor
Tensors = Mapping[str, Tensor]


@torch.no_grad()
def tallies(
    metrics: Iterable[Measured], outputs: Tensors, targets: Tensors, given: Tensors | None = None
) -> dict[str, Tensor]:
    """The tallies of a batch, by their keys.

    `given` has for the inputs with lengths a weight per step, (N, steps): steps of weight 0 do not count.
    """
    found: dict[str, Tensor] = {}
    for measured in metrics:
        if measured.key not in found:
            weights = None if measured.lengths is None or given is None else given[measured.lengths]
            read = _read(measured, outputs[measured.output], targets[measured.target], weights)
            found[measured.key] = TALLIES[measured.metric.tally](measured, read)
    return found


@dataclass(frozen=True, eq=False)
class _Read:
    """Outputs as scores, targets as class indices or numbers, and which elements count."""

    outputs: Tensor
    targets: Tensor
    counted: Tensor

    def classes(self, bits: bool) -> Tensor:
        """The classes of the outputs."""
        return (self.outputs > 0).long() if bits else self.outputs.argmax(1)


def _read(measured: Measured, outputs: Tensor, targets: Tensor, given: Tensor | None) -> _Read:
    if outputs.dtype in (torch.float16, torch.bfloat16):
        outputs = outputs.float()
    if measured.reading in ("bits", "numbers"):
        targets = targets.reshape(outputs.shape)
        targets = targets.to(outputs.dtype if measured.reading == "numbers" else torch.int64)
    elif measured.reading == "shares":
        targets = targets.argmax(1)
    else:
        targets = targets.to(torch.int64).reshape(outputs.shape[0], *outputs.shape[2:])
    counted = torch.ones_like(targets, dtype=torch.bool)
    if given is not None:
        here = given > 0
        counted = counted & (here if here.ndim == counted.ndim else here.unsqueeze(1))
    if measured.ignore is not None:
        counted = counted & (targets != measured.ignore)
        targets = torch.where(counted, targets, 0)
    return _Read(-outputs if measured.reading == "nearest" else outputs, targets, counted)


def _counts(hits: Tensor, counted: Tensor) -> Tensor:
    return torch.stack([(hits & counted).sum(), counted.sum()])


def _right(measured: Measured, read: _Read) -> Tensor:
    return _counts(read.classes(measured.reading == "bits") == read.targets, read.counted)


def _confusion(measured: Measured, read: _Read) -> Tensor:
    bits = measured.reading == "bits"
    classes = 2 if bits else read.outputs.shape[1]
    cells = read.targets * classes + read.classes(bits)
    counts = torch.zeros(classes * classes, dtype=torch.int64, device=cells.device)
    counts.scatter_add_(0, cells.flatten(), read.counted.long().flatten())
    return counts.reshape(classes, classes)


def _top(measured: Measured, read: _Read) -> Tensor:
    labels = read.targets.unsqueeze(1)
    own = read.outputs.gather(1, labels)
    shape = (1, -1, *(1,) * (read.outputs.ndim - 2))
    earlier = torch.arange(read.outputs.shape[1], device=labels.device).reshape(shape) < labels
    before = (read.outputs > own) | ((read.outputs == own) & earlier)
    return _counts(before.sum(1) < measured.metric.k, read.counted)


def _entropy(measured: Measured, read: _Read) -> Tensor:
    total, count = sums(*elements(CrossEntropy(), read.outputs, read.targets, read.counted))
    return torch.stack([total, count]).double()


def _mean(losses: Tensor, counted: Tensor) -> Tensor:
    kept = torch.where(counted, losses, 0).double()
    return torch.stack([kept.sum(), counted.sum().double()])


def _absolute(measured: Measured, read: _Read) -> Tensor:
    return _mean((read.outputs - read.targets).abs(), read.counted)


def _square(measured: Measured, read: _Read) -> Tensor:
    return _mean((read.outputs - read.targets).square(), read.counted)


def _overlap(measured: Measured, read: _Read) -> Tensor:
    found, true = read.outputs, read.targets
    start, end = torch.maximum(found[:, :2], true[:, :2]), torch.minimum(found[:, 2:], true[:, 2:])
    both = (end - start).clamp(min=0).prod(1)
    whole = _area(found) + _area(true) - both
    shares = torch.where(whole > 0, both / torch.where(whole > 0, whole, 1), 0)
    return _mean(shares, read.counted[:, 0])


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)


def _scores(measured: Measured, read: _Read) -> Tensor:
    columns = (read.outputs, read.targets.to(read.outputs.dtype), read.counted.to(read.outputs.dtype))
    return torch.stack([each.flatten() for each in columns], dim=1)


TALLIES: Mapping[str, Callable[[Measured, _Read], Tensor]] = {
    "right": _right,
    "confusion": _confusion,
    "top": _top,
    "entropy": _entropy,
    "absolute": _absolute,
    "square": _square,
    "overlap": _overlap,
    SCORES: _scores,
}
