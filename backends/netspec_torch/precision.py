"""Settings of the whole of PyTorch: the precision of products in float32, and the same bits in every run.

By default, PyTorch on a GPU rounds the factors of convolutions to 10 bits (TF32), but not those of other products.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from operator import attrgetter
from typing import Any

import torch

ON_GPUS = ("cuda.matmul", "cudnn.conv", "cudnn.rnn")
ELSEWHERE = ("mkldnn.matmul", "mkldnn.conv")


def _settings(rounded: bool) -> Iterator[tuple[Any, str, object]]:
    """For each setting of precision: the object that has it, its name, and the value."""
    if hasattr(torch.backends, "fp32_precision"):  # 2.9 and later, which refuse a mixture with the older ones
        for path in (*ON_GPUS, *ELSEWHERE):
            value = "tf32" if rounded and path in ON_GPUS else "ieee"
            yield attrgetter(path)(torch.backends), "fp32_precision", value
    else:
        yield torch.backends.cuda.matmul, "allow_tf32", rounded
        yield torch.backends.cudnn, "allow_tf32", rounded


@contextmanager
def products(rounded: bool) -> Iterator[None]:
    """Set the precision of products, on GPUs TF32 if `rounded`, and restore the previous settings afterwards."""
    settings = list(_settings(rounded))
    before = [getattr(place, name) for place, name, _ in settings]
    try:
        for place, name, value in settings:
            setattr(place, name, value)
        yield
    finally:
        for (place, name, _), value in zip(settings, before, strict=True):
            setattr(place, name, value)


def full_precision() -> AbstractContextManager[None]:
    """Set full precision, and restore the previous settings afterwards."""
    return products(rounded=False)


@contextmanager
def deterministic(wanted: bool, kind: str) -> Iterator[None]:
    """Make every run give the same numbers on a kind of device, and restore PyTorch's settings afterwards."""
    if wanted and kind == "cuda":
        # cuBLAS is deterministic only with its own workspace, and reads this once.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )
    # Some layers have no deterministic kernel on a GPU (pools over volumes); PyTorch then warns and continues.
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    torch.backends.cudnn.benchmark = not wanted
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = before[2]
