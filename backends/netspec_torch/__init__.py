"""The backend `torch`: a module of `nn.Module` classes, built, watched and trained natively."""

from __future__ import annotations

# Loaded here, before the function below takes the name: a module that loads later would take it away again.
from netspec_torch.backend import TorchBackend

__all__ = ["backend"]


def backend() -> TorchBackend:
    """The backend `torch`, as the entry point `netspec.backends` names it. Imports no framework."""
    return TorchBackend()
