"""Hands losses over in blocks: no step waits for the device."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import torch

from netspec.fit import LOSS
from netspec.recipe.metrics import SCORES
from netspec_torch.training.processes import Alone, Processes

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Done, Numbers

BLOCK, SECONDS = 64, 0.2
"""A block ends after so many steps, or so much time."""
TOGETHER = 16
"""Several processes do not go by time, which is not the same for all; on a CPU, a block has so many steps."""


def joined(name: str, before: torch.Tensor | None, tally: torch.Tensor) -> torch.Tensor:
    """A tally of two parts of a set."""
    if before is None:
        return tally
    return torch.cat([before, tally]) if name.endswith(f"/{SCORES}") else before + tally


class Sums:
    """The losses and tallies of some steps, on the device until they are read.

    A step gives for each term the sum of weight · loss, and of weight. They are added up in float64, in the order of
    the steps, whatever the blocks are. Those of several processes are added up before they are handed over.
    """

    def __init__(
        self,
        before: Mapping[str, Array],
        weights: tuple[float, ...],
        done: Done | None,
        processes: Processes | None = None,
    ) -> None:
        self._processes = processes or Alone()
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
            if known is None and name in self._before and self._processes.size == 1:
                known = torch.from_numpy(self._before[name]).to(tally)
            self._tallies[name] = joined(name, known, tally)
        if len(self._rows) >= BLOCK or self._is_late():
            self.flush()

    def _is_late(self) -> bool:
        if self._processes.size == 1:
            return monotonic() - self._began > SECONDS
        return self._rows[0].device.type == "cpu" and len(self._rows) >= TOGETHER

    def flush(self) -> None:
        """Hand over the losses of the steps so far."""
        if not self._rows:
            return
        together = self._processes.summed(torch.stack(self._rows).double())
        rows: Numbers = together.cpu().numpy()
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
        found |= {name: self._together(name, tally) for name, tally in self._tallies.items()}
        return found

    def _together(self, name: str, tally: torch.Tensor) -> Array:
        if self._processes.size == 1:
            return tally.cpu().numpy()
        many = name.endswith(f"/{SCORES}")
        whole = self._processes.gathered(tally) if many else self._processes.summed(tally)
        before = self._before.get(name)
        known = None if before is None else torch.from_numpy(before).to(whole)
        return joined(name, known, whole).cpu().numpy()
