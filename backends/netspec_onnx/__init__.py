"""The backend `onnx`: a graph as an ONNX file, which onnxruntime runs."""

from __future__ import annotations

# Loaded here, before the function below takes the name: a module that loads later would take it away again.
from netspec_onnx.backend import OnnxBackend

__all__ = ["backend"]


def backend() -> OnnxBackend:
    """The backend `onnx`, as the entry point `netspec.backends` names it. Imports no framework."""
    return OnnxBackend()
