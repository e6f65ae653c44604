"""Hands losses over in blocks: no step waits for the device."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from netspec.fit import LOSS
from netspec.recipe.metrics import SCORES
from netspec_keras.engines.interface import Engine
from netspec_keras.framework import keras, ops

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Done, Numbers

BLOCK, SECONDS = 64, 0.2
"""A block ends after so many steps, or so much time."""


def joined(name: str, before: Any, tally: Any) -> Any:
    """A tally of two parts of a batch."""
    if before is None:
        return tally
    return ops.concatenate([before, tally]) if name.endswith(f"/{SCORES}") else before + tally


def _together(name: str, before: Array | None, tally: Any) -> Array:
    if before is None:
        return tally  # type: ignore[no-any-return]
    return np.concatenate([before, tally]) if name.endswith(f"/{SCORES}") else np.add(before, tally)


class Sums:
    """The losses and tallies of some steps, on the device until they are read.

    A step gives for each term the sum of weight · loss, and of weight. All is added up in the order of the steps, in 64
    bits, whatever the blocks are.
    """

    def __init__(
        self, engine: Engine, before: Mapping[str, Array], weights: tuple[float, ...], done: Done | None
    ) -> None:
        self._engine = engine
        self._found = dict(before)
        self._terms = np.array(before.get(LOSS, np.zeros((len(weights), 2))), np.float64)
        self._weights = np.array(weights)
        self._done = done
        self._rows: list[Any] = []
        self._tallies: dict[str, list[Any]] = {}
        self._began = monotonic()

    def add(self, row: Any, tallies: Mapping[str, Any]) -> None:
        """Take the sums of a step, (terms, 2), and its tallies."""
        self._rows.append(row)
        for name, tally in tallies.items():
            # Counts stay on the device; sums of 32 bits are added up in 64 on the host.
            counts = self._tallies.setdefault(name, [])
            if counts and "int" in keras.backend.standardize_dtype(tally.dtype):
                counts[0] = counts[0] + tally
            else:
                counts.append(tally)
        if len(self._rows) >= BLOCK or monotonic() - self._began > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand over the losses of the steps so far."""
        if not self._rows:
            return
        rows: Numbers = self._engine.array(ops.stack(self._rows)).astype(np.float64)
        for name, tallies in self._tallies.items():
            for tally in map(self._engine.array, tallies):
                wide = tally.astype(np.float64 if tally.dtype.kind == "f" else np.int64)
                self._found[name] = _together(name, self._found.get(name), wide)
        self._rows.clear()
        self._tallies.clear()
        for row in rows:
            self._terms += row
        if self._done is not None:
            totals = rows[:, :, 1]
            means = rows[:, :, 0] / np.where(totals == 0, 1, totals)
            self._done(np.concatenate([means @ self._weights[:, None], means], axis=1))
        self._began = monotonic()

    def read(self) -> dict[str, Array]:
        """All tallies, together with those before."""
        self.flush()
        return {**self._found, LOSS: self._terms}
