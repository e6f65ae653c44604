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
        self._blocks: list[Any] = []
        self._count = 0
        self._tallies: dict[str, list[tuple[Any, bool]]] = {}
        self._began = monotonic()

    def add(self, row: Any, tallies: Mapping[str, Any]) -> None:
        """Take the sums of a step, (terms, 2), and its tallies."""
        self._rows.append(row)
        self._take(1, {name: (tally, False) for name, tally in tallies.items()})

    def add_each(self, rows: Any, tallies: Mapping[str, Any]) -> None:
        """Take the sums of several steps, (steps, terms, 2), and their tallies with an axis of steps in front."""
        self._close()
        self._blocks.append(rows)
        self._take(len(rows), {name: (tally, True) for name, tally in tallies.items()})

    def _take(self, count: int, tallies: Mapping[str, tuple[Any, bool]]) -> None:
        self._count += count
        for name, (tally, many) in tallies.items():
            # Counts stay on the device; sums of 32 bits are added up in 64 on the host.
            counts = self._tallies.setdefault(name, [])
            if "int" in keras.backend.standardize_dtype(tally.dtype):
                total = ops.sum(tally, axis=0) if many else tally
                counts[:] = [(total if not counts else counts[0][0] + total, False)]
            else:
                counts.append((tally, many))
        if self._count >= BLOCK or monotonic() - self._began > SECONDS:
            self.flush()

    def _close(self) -> None:
        """Make a block of the steps so far."""
        if self._rows:
            self._blocks.append(ops.stack(self._rows))
            self._rows.clear()

    def flush(self) -> None:
        """Hand over the losses of the steps so far."""
        self._close()
        if not self._blocks:
            return
        blocks = [self._engine.array(each).astype(np.float64) for each in self._blocks]
        rows: Numbers = np.concatenate(blocks)
        for name, tallies in self._tallies.items():
            for tally, many in tallies:
                array = self._engine.array(tally)
                wide = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
                for each in wide if many else [wide]:
                    self._found[name] = _together(name, self._found.get(name), each)
        self._blocks.clear()
        self._tallies.clear()
        self._count = 0
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
