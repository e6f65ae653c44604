"""Full precision for products in float32: on a GPU, PyTorch rounds the factors of convolutions to 10 bits (TF32)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import torch


def _settings() -> Iterator[tuple[Any, str, object]]:
    """For each setting of precision: the object that has it, its name, and the value for full precision."""
    if hasattr(torch.backends, "fp32_precision"):  # 2.9 and later, which refuse a mixture with the older ones
        for path in ("cuda.matmul", "cudnn.conv", "cudnn.rnn", "mkldnn.matmul", "mkldnn.conv"):
            yield attrgetter(path)(torch.backends), "fp32_precision", "ieee"
    else:
        yield torch.backends.cuda.matmul, "allow_tf32", False
        yield torch.backends.cudnn, "allow_tf32", False


@contextmanager
def full_precision() -> Iterator[None]:
    """Set full precision, and restore the previous settings afterwards."""
    settings = list(_settings())
    before = [getattr(place, name) for place, name, _ in settings]
    try:
        for place, name, value in settings:
            setattr(place, name, value)
        yield
    finally:
        for (place, name, _), value in zip(settings, before, strict=True):
            setattr(place, name, value)
