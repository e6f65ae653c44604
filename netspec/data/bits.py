"""Random bits as samples, for a network that has to remember them: the targets are the bits of some steps before."""

from __future__ import annotations

from netspec.data.arrays import of_arrays
from netspec.data.parts import Parts
from netspec.recipe.data import BitsData, Data

_STREAM = 2
"""The generator of the bits differs from those of weights, orders and parts with the same seed."""


def load(name: str, data: Data, settings: BitsData, seed: int) -> Parts:
    """The bits of a seed, as floats: `samples`, 1 × `length`, and `targets`, 1 × (`length` − `delay`)."""
    import numpy as np

    random = np.random.default_rng([seed, _STREAM])
    bits = random.integers(0, 2, (settings.samples, 1, settings.length)).astype(np.float32)
    arrays = {"train": {"samples": bits, "targets": bits[:, :, : settings.length - settings.delay]}}
    return of_arrays(arrays, data, name=name, where=name, own=False)
