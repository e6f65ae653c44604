"""Which of several processes this one is, and what those do that are not the first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.fit import World
from netspec.training.checkpoint import Checkpoint
from netspec.training.claim import LINES
from netspec.training.folder import told_in
from netspec.training.report import Epoch

if TYPE_CHECKING:
    from netspec.backend import Array


def here() -> World:
    """Which process this is, as torchrun, Slurm's scripts and Ray Train say it in the environment."""
    rank, size = (os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE"))
    if not rank.isdecimal() or not size.isdecimal() or int(rank) >= int(size):
        return World()
    return World(int(rank), int(size))


class Follower:
    """A `Keeper` of a process that is not the first: the first one writes the run folder."""

    def __init__(self, epochs: Sequence[Epoch] = (), losses: Sequence[float] = ()) -> None:
        self.epochs, self.losses = list(epochs), list(losses)

    @classmethod
    def again(cls, path: Path, checkpoint: Checkpoint) -> Follower:
        """What the folder of a run has up to this checkpoint."""
        return cls(*told_in(path / LINES, checkpoint.place.written))

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Keep the losses."""
        self.losses.extend(losses)

    def epoch(self, epoch: Epoch) -> None:
        """Keep the epoch."""
        self.epochs.append(epoch)

    def tested(self, epoch: Epoch) -> None:
        """Do nothing."""

    def save(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Do nothing."""

    def propose(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Do nothing."""

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Do nothing."""

    def best(self, epoch: int) -> Mapping[str, Array]:
        """Nothing: the trainer takes the weights of the first process."""
        return {}

    @property
    def written(self) -> int:
        """The length of what this process has written."""
        return 0
