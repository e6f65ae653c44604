"""Which errors of PyTorch mean that memory ran out. Imports no framework."""

from __future__ import annotations

import re

MARKS = (
    "out of memory",
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What such an error says; only one of a GPU's allocator has a type of its own."""


def shortage(error: BaseException) -> str | None:
    """What it says of memory that ran out; None if it means something else."""
    text = str(error)
    is_typed = type(error).__name__ == "OutOfMemoryError"
    if not is_typed and not (isinstance(error, RuntimeError) and any(mark in text for mark in MARKS)):
        return None
    return re.sub(r"^\[enforce fail at [^\]]*\] ([^.]*\. )?", "", text)
