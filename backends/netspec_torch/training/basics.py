"""Accuracy."""

from __future__ import annotations

from collections.abc import Callable

import torch

from netspec.fit import Measured


def tallies(measured: Measured) -> Callable[[torch.Tensor, torch.Tensor], dict[str, torch.Tensor]]:
    """The tallies of a batch for this metric."""

    def function(outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, torch.Tensor]:
        right = (outputs.argmax(dim=1) == targets).sum()
        return {f"{measured.output}/right": torch.stack([right, torch.full_like(right, targets.numel())])}

    return function
