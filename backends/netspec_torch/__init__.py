"""The backend `torch`: a module of `nn.Module` classes, built, watched and trained natively."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netspec_torch.backend import TorchBackend

__all__ = ["backend"]


def backend() -> TorchBackend:
    """The backend `torch`, as the entry point `netspec.backends` names it. Imports no framework."""
    from netspec_torch.backend import TorchBackend

    return TorchBackend()
