"""The values of weights: drawn from a seed, with axes as letters, in files of netspec and of others."""

from __future__ import annotations

from netspec.ops.fans import fans
from netspec.tensors import save
from netspec.weights.initial import drawn, initialise
from netspec.weights.layout import relayout
from netspec.weights.reading import WeightsError, WeightsWarning, check, load, starting

__all__ = [
    "WeightsError",
    "WeightsWarning",
    "check",
    "drawn",
    "fans",
    "initialise",
    "load",
    "relayout",
    "save",
    "starting",
]
