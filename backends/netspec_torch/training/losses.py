"""The losses of a recipe: a loss per element, and the weight of each element. Channels first.

The loss of a batch is Σ w · l / Σ w over all its elements, also over those of other processes and of other parts of an
accumulated batch: a trainer forms the two sums and divides them. Outputs in half precision count as float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
import torch.nn.functional as F

from netspec.recipe.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Distances,
    Divergence,
    Focal,
    Huber,
    OutputItself,
    Overlap,
    SquaredError,
)
from netspec.recipe.model import Loss

Tensor = torch.Tensor


def elements(
    loss: Loss, outputs: Tensor, targets: Tensor | None, given: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """The loss of each element, and its weight; None if all weights are 1.

    `given` has a weight per sample, (N,), or per position, (N, *spatial).
    """
    outputs = outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs
    aligned = None if targets is None else _aligned(loss, outputs, targets)
    losses: Tensor = EACH[type(loss)](loss, outputs, aligned)
    return losses, _weights(loss, losses, aligned, given)


def sums(losses: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Σ w · l and Σ w."""
    if weights is None:
        return losses.sum(), losses.new_full((), losses.numel())
    return (losses * weights).sum(), weights.sum()


def mask(lengths: Tensor, steps: int, dtype: torch.dtype) -> Tensor:
    """The weights of the steps of sequences with these lengths, (N, steps): 1 before the length, then 0."""
    return (torch.arange(steps, device=lengths.device) < lengths.reshape(-1, 1)).to(dtype)


def _aligned(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Class indices as (N, *spatial), or numbers in the shape and type of the outputs.

    Raises:
        ValueError: the targets have another shape. PyTorch would repeat them, or pair them in another order.
    """
    shape = outputs.shape
    if loss.targets == "classes":
        wanted, targets = (shape[0], *shape[2:]), targets.to(torch.int64)
    else:
        wanted, targets = tuple(shape), targets.to(outputs.dtype)
    # One channel need not be written.
    if tuple(targets.shape) != wanted and targets.numel() == prod(wanted) and shape[1] == 1:
        targets = targets.reshape(wanted)
    if tuple(targets.shape) != wanted:
        raise ValueError(f"targets of {loss.kind} are {tuple(targets.shape)}, but must be {tuple(wanted)}")
    return targets


def _weights(loss: Loss, losses: Tensor, targets: Tensor | None, given: Tensor | None) -> Tensor | None:
    parts = [] if given is None else [given.to(losses.dtype)]
    ignore = getattr(loss, "ignore", None)
    if ignore is not None and targets is not None:
        parts.append((targets != ignore).to(losses.dtype))
    if isinstance(loss, CrossEntropy) and loss.class_weights is not None and targets is not None:
        parts.append(_by_class(loss, losses, targets))
    if not parts:
        return None
    weights = parts[0]
    for part in parts[1:]:
        weights = weights * part
    if weights.ndim == losses.ndim - 1 and weights.ndim > 1:  # of positions, for losses of every number
        weights = weights.unsqueeze(1)
    return weights.reshape(*weights.shape, *(1,) * (losses.ndim - weights.ndim)).expand_as(losses)


def _by_class(loss: CrossEntropy, losses: Tensor, targets: Tensor) -> Tensor:
    assert not isinstance(loss.class_weights, str), "frequencies are those of the data"
    table = torch.tensor(loss.class_weights, dtype=losses.dtype, device=losses.device)
    if loss.soft:
        weights: Tensor = torch.tensordot(targets, table, dims=([1], [0]))
        return weights
    return table[_counted(loss, targets)]


def _counted(loss: Any, targets: Tensor) -> Tensor:
    """The class indices, with 0 for those that are ignored: they may be no index of a class."""
    return targets if loss.ignore is None else targets.masked_fill(targets == loss.ignore, 0)


def _cross_entropy(loss: CrossEntropy, outputs: Tensor, targets: Tensor) -> Tensor:
    labels = targets if loss.soft else _counted(loss, targets)
    return F.cross_entropy(outputs, labels, reduction="none", label_smoothing=loss.smoothing)


def _binary_cross_entropy(loss: BinaryCrossEntropy, outputs: Tensor, targets: Tensor) -> Tensor:
    if loss.smoothing:
        targets = targets * (1 - loss.smoothing) + loss.smoothing / 2
    factor = None if loss.positive_weight == 1 else outputs.new_tensor(loss.positive_weight)
    return F.binary_cross_entropy_with_logits(outputs, targets, pos_weight=factor, reduction="none")


def _focal(loss: Focal, outputs: Tensor, targets: Tensor) -> Tensor:
    labels = _counted(loss, targets)
    if outputs.shape[1] == 1:
        positive = labels.to(outputs.dtype)
        margin = outputs[:, 0] * (2 * positive - 1)
        alpha = positive * loss.alpha + (1 - positive) * (1 - loss.alpha)
        return alpha * torch.exp(loss.gamma * F.logsigmoid(-margin)) * -F.logsigmoid(margin)
    # 1 − p of the true class is the sum over the others, which is never rounded to 0.
    own = _one_hot(labels, outputs).bool()
    whole = torch.logsumexp(outputs, 1)
    others = torch.logsumexp(outputs.masked_fill(own, float("-inf")), 1) - whole
    likely = outputs.gather(1, labels.unsqueeze(1)).squeeze(1) - whole
    return -loss.alpha * torch.exp(loss.gamma * others) * likely


def _dice(loss: Dice, outputs: Tensor, targets: Tensor) -> Tensor:
    likely, own = _regions(outputs, targets)
    both = (likely * own).sum(-1)
    sizes = (likely.square() + own).sum(-1) if loss.squared else (likely + own).sum(-1)
    return 1 - (2 * both + loss.smooth) / (sizes + loss.smooth)


def _overlap(loss: Overlap, outputs: Tensor, targets: Tensor) -> Tensor:
    likely, own = _regions(outputs, targets)
    both = (likely * own).sum(-1)
    return 1 - (both + loss.smooth) / ((likely + own).sum(-1) - both + loss.smooth)


def _regions(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities and targets as (N, C, positions)."""
    shape = (*outputs.shape[:2], -1)
    if outputs.shape[1] == 1:
        return outputs.sigmoid().reshape(shape), targets.to(outputs.dtype).reshape(shape)
    return outputs.softmax(1).reshape(shape), _one_hot(targets, outputs).reshape(shape)


def _one_hot(labels: Tensor, outputs: Tensor) -> Tensor:
    return torch.zeros_like(outputs).scatter_(1, labels.unsqueeze(1), 1)


def _squared_error(loss: SquaredError, outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).square()


def _absolute_error(loss: AbsoluteError, outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs()


def _huber(loss: Huber, outputs: Tensor, targets: Tensor) -> Tensor:
    return F.huber_loss(outputs, targets, reduction="none", delta=loss.delta)


def _divergence(loss: Divergence, outputs: Tensor, targets: Tensor) -> Tensor:
    return (torch.xlogy(targets, targets) - targets * outputs.log_softmax(1)).sum(1)


def _distances(loss: Distances, outputs: Tensor, targets: Tensor) -> Tensor:
    own = outputs.gather(1, targets.unsqueeze(1)).squeeze(1)
    if loss.competition is None:
        return own
    near = torch.logsumexp(-outputs, 1)
    return own + torch.logaddexp(near, near.new_tensor(-loss.competition))


def _output(loss: OutputItself, outputs: Tensor, targets: None) -> Tensor:
    if outputs.numel() != outputs.shape[0]:
        raise ValueError(f"the output is {tuple(outputs.shape)}, but a loss is one number per sample")
    return outputs.reshape(-1)


Each = Callable[[Any, Tensor, Any], Tensor]
EACH: Mapping[type[Loss], Each] = {
    CrossEntropy: _cross_entropy,
    BinaryCrossEntropy: _binary_cross_entropy,
    Focal: _focal,
    Dice: _dice,
    Overlap: _overlap,
    SquaredError: _squared_error,
    AbsoluteError: _absolute_error,
    Huber: _huber,
    Divergence: _divergence,
    Distances: _distances,
    OutputItself: _output,
}
REFUSALS: Mapping[type[Loss], str] = {}
"""The losses that PyTorch does not have, each with the reason."""
