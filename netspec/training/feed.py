"""The batches of a training, as they are stored: the same ones in the same order for every backend."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Protocol

from netspec.data.prefetch import prefetched
from netspec.data.source import SampleSource
from netspec.fit import Batch, Step, Trainer, World

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.data.augmentation import Augmentation
    from netspec.fit import Array


class PartSamples(Protocol):
    """The samples of one part, of which a batch has some."""

    def __len__(self) -> int:
        """The number of samples."""
        ...

    def batch(
        self, chosen: NDArray[np.int64], epoch: int | None = None
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The inputs and the targets of these samples, by the names of inputs and outputs of the network.

        With an epoch, they are changed as training samples are in this epoch.
        """
        ...

    def whole(self) -> tuple[Mapping[str, Array], Mapping[str, Array]] | None:
        """All inputs and targets, if they are in memory and nothing changes them."""
        ...

    @property
    def is_slow(self) -> bool:
        """Whether it takes time to make a batch, so that it should be made while a step runs."""
        ...


@dataclass(frozen=True, eq=False)
class Sourced:
    """Samples of a source; `inputs` and `targets` have its key for each input and output."""

    source: SampleSource
    inputs: Mapping[str, str]
    targets: Mapping[str, str]
    changes: Augmentation | None = None

    def __len__(self) -> int:
        return len(self.source)

    def batch(
        self, chosen: NDArray[np.int64], epoch: int | None = None
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The inputs and the targets of these samples."""
        arrays = self.source.take(chosen)
        if self.changes is not None:
            still = epoch is None
            arrays = self.changes.still(arrays) if still else self.changes.batch(arrays, chosen, epoch or 0)
        return (
            {name: arrays[key] for name, key in self.inputs.items()},
            {name: arrays[key] for name, key in self.targets.items()},
        )

    def whole(self) -> tuple[Mapping[str, Array], Mapping[str, Array]] | None:
        """All inputs and targets, if they are in memory and nothing changes them."""
        inputs = {name: self.source.column(key) for name, key in self.inputs.items()}
        targets = {name: self.source.column(key) for name, key in self.targets.items()}
        known_inputs = {name: array for name, array in inputs.items() if array is not None}
        known_targets = {name: array for name, array in targets.items() if array is not None}
        if self.changes is not None or len(known_inputs) < len(inputs) or len(known_targets) < len(targets):
            return None
        return known_inputs, known_targets

    @property
    def is_slow(self) -> bool:
        """Whether samples are decoded or changed."""
        keys = (*self.inputs.values(), *self.targets.values())
        return self.changes is not None or any(self.source.column(key) is None for key in keys)


@dataclass(frozen=True, eq=False)
class Feed:
    """The parts of a data set in batches; a step has `accumulate` of them, the last of an epoch perhaps fewer.

    With several processes, each has its share of every batch, so that all batches are those of one process.
    """

    parts: Mapping[str, PartSamples]
    batch: int
    seed: int
    accumulate: int = 1
    ahead: int = 2
    """How many steps are made before they are needed, if that takes time; 0 makes none ahead."""
    held: frozenset[str] = frozenset()
    """The parts that the trainer holds."""
    world: World = field(default_factory=World)

    def held_by(self, trainer: Trainer) -> Feed:
        """The feed for a trainer, which holds the parts that it can."""
        found = {name: part.whole() for name, part in self.parts.items()}
        held = (name for name, whole in found.items() if whole is not None and trainer.hold(name, *whole))
        return replace(self, held=frozenset(held))

    @property
    def steps(self) -> int:
        """The number of steps of an epoch; the last can be smaller."""
        return ceil(len(self.parts["train"]) / (self.batch * self.accumulate))

    def train(self, epoch: int, start: int = 0) -> Generator[Step, None, None]:
        """The training part in the order of this epoch (from 1), which depends only on the seed and the epoch.

        `start` steps are left out.
        """
        ahead = self.ahead if self.parts["train"].is_slow else 0
        yield from prefetched(self._steps("train", epoch, start), ahead)

    def _steps(self, name: str, epoch: int, start: int) -> Iterator[Step]:
        import numpy as np

        part = self.parts[name]
        order = np.random.default_rng([self.seed, epoch]).permutation(len(part))
        size = self.batch * self.accumulate
        for at in range(start * size, len(order), size):
            whole = order[at : at + size]
            yield [
                self._batch(name, whole[here : here + self.batch], epoch)
                for here in range(0, len(whole), self.batch)
            ]

    def part(self, name: str) -> Iterator[Batch]:
        """A part once, in its own order."""
        yield from prefetched(self._whole(name), self.ahead if self.parts[name].is_slow else 0)

    def _whole(self, name: str) -> Iterator[Batch]:
        import numpy as np

        order = np.arange(len(self.parts[name]))
        for at in range(0, len(order), self.batch):
            yield self._batch(name, order[at : at + self.batch])

    def _batch(self, name: str, chosen: NDArray[np.int64], epoch: int | None = None) -> Batch:
        whole = None if self.world.size == 1 else len(chosen)
        own = self._share(chosen)
        # A process without a share has a sample that does not count: all take part in what they calculate together.
        rows = own if len(own) else chosen[:1]
        if name in self.held:
            return Batch({}, {}, len(own), name, rows, whole)
        inputs, targets = self.parts[name].batch(rows, epoch)
        return Batch(inputs, targets, len(own), whole=whole)

    def _share(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        rank, size = self.world.rank, self.world.size
        return chosen[len(chosen) * rank // size : len(chosen) * (rank + 1) // size]
