"""The backend `onnx`: a graph as an ONNX file, which onnxruntime runs."""

from __future__ import annotations

# Imported here, before the function below has the same name: a later import of the module would replace it.
from netspec_onnx.backend import OnnxBackend

__all__ = ["backend"]


def backend() -> OnnxBackend:
    """The backend `onnx`, as the entry point `netspec.backends` names it. Imports no framework."""
    return OnnxBackend()
