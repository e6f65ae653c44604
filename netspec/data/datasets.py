"""Data sets of one kind of images with labels, in memory, with a training and a test part."""

from __future__ import annotations

from pathlib import Path

from netspec.data import loading
from netspec.data.samples import Dataset
from netspec.data.sets import default_folder

__all__ = ["default_folder", "load"]


def load(data: str, folder: Path | None = None) -> Dataset:
    """The set with this name or path, whole in memory; see `netspec.data.loading.load`.

    Raises:
        DataError: the set is missing, incomplete or damaged, is not the original, or has no labels.
    """
    return Dataset.of(loading.load(data, folder))
