"""The backend `torch`: source with `nn.Module` classes; it builds, compares, trains and times models."""

from __future__ import annotations

# Imported here, before the function below has the same name: a later import of the module would replace it.
from netspec_torch.backend import TorchBackend

__all__ = ["backend"]


def backend() -> TorchBackend:
    """The backend `torch`, as the entry point `netspec.backends` names it. Imports no framework."""
    return TorchBackend()
