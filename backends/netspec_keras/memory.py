"""Which errors of Keras' engines mean that memory ran out. Imports no framework."""

from __future__ import annotations

import re

from netspec_torch import memory as torch

EXHAUSTED = "RESOURCE_EXHAUSTED"
"""The status with which an error of JAX begins."""


def shortage(error: BaseException) -> str | None:
    """What it says of memory that ran out; None if it means something else."""
    text = str(error)
    if type(error).__name__ == "ResourceExhaustedError":  # of TensorFlow
        # An error inside of a compiled function says first which nodes of the graph it comes from.
        found = re.search(r"(OOM|Out of memory)[^\n]*", text)
        return re.sub(r" \[Op:.*", "", found[0]) if found else text
    if isinstance(error, RuntimeError) and text.startswith(EXHAUSTED):
        return text.removeprefix(f"{EXHAUSTED}: ")
    return torch.shortage(error)
