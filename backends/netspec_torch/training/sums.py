"""Hands losses over in blocks: no step waits for the device."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import torch

from netspec.fit import LOSS
from netspec.recipe.metrics import SCORES

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Done, Numbers

BLOCK, SECONDS = 64, 0.2
"""A block ends after so many steps, or so much time."""


def joined(name: str, before: torch.Tensor | None, tally: torch.Tensor) -> torch.Tensor:
    """A tally of two parts of a set."""
    if before is None:
        return tally
    return torch.cat([before, tally]) if name.endswith(f"/{SCORES}") else before + tally


class Sums:
    """The losses and tallies of some steps, on the device until they are read.

    A step gives for each term the sum of weight · loss, and of weight. They are added up in float64, in the order of
    the steps, whatever the blocks are.
    """

    def __init__(self, before: Mapping[str, Array], weights: tuple[float, ...], done: Done | None) -> None:
        self._terms = np.array(before.get(LOSS, np.zeros((len(weights), 2))), np.float64)
        self._before = before
        self._weights = np.array(weights)
        self._done = done
        self._rows: list[torch.Tensor] = []
        self._tallies: dict[str, torch.Tensor] = {}
        self._began = monotonic()

    def add(self, row: torch.Tensor, tallies: Mapping[str, torch.Tensor]) -> None:
        """Take the sums of a step, (terms, 2), and its tallies."""
        self._rows.append(row)
        for name, tally in tallies.items():
            known = self._tallies.get(name)
            if known is None and name in self._before:
                known = torch.from_numpy(self._before[name]).to(tally)
            self._tallies[name] = joined(name, known, tally)
        if len(self._rows) >= BLOCK or monotonic() - self._began > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand over the losses of the steps so far."""
        if not self._rows:
            return
        rows: Numbers = torch.stack(self._rows).cpu().numpy().astype(np.float64)
        self._rows.clear()
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
        found: dict[str, Array] = {**self._before, LOSS: self._terms}
        found |= {name: tally.cpu().numpy() for name, tally in self._tallies.items()}
        return found
