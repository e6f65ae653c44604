"""The batches of a training, as they are stored: the same ones in the same order for every backend."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

from netspec.fit import Batch, Step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.fit import Array


class Samples(Protocol):
    """The samples of one part, of which a batch has some."""

    def __len__(self) -> int:
        """The number of samples."""
        ...

    def batch(self, chosen: NDArray[np.int64] | slice) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The inputs and the targets of these samples."""
        ...


@dataclass(frozen=True, eq=False)
class Held:
    """Samples in memory."""

    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def batch(self, chosen: NDArray[np.int64] | slice) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The inputs and the targets of these samples."""
        return (
            {name: array[chosen] for name, array in self.inputs.items()},
            {name: array[chosen] for name, array in self.targets.items()},
        )


@dataclass(frozen=True, eq=False)
class Feed:
    """The parts of a data set in batches; a step has `accumulate` of them, the last of an epoch perhaps fewer."""

    parts: Mapping[str, Samples]
    batch: int
    seed: int
    accumulate: int = 1

    @property
    def steps(self) -> int:
        """The number of steps of an epoch; the last can be smaller."""
        return ceil(len(self.parts["train"]) / (self.batch * self.accumulate))

    def train(self, epoch: int, start: int = 0) -> Generator[Step, None, None]:
        """The training part in the order of this epoch (from 1), which depends only on the seed and the epoch.

        `start` steps are left out.
        """
        import numpy as np

        part = self.parts["train"]
        order = np.random.default_rng([self.seed, epoch]).permutation(len(part))
        size = self.batch * self.accumulate
        for at in range(start * size, len(order), size):
            whole = order[at : at + size]
            yield [
                self._batch(part, whole[here : here + self.batch], len(whole[here : here + self.batch]))
                for here in range(0, len(whole), self.batch)
            ]

    def part(self, name: str) -> Iterator[Batch]:
        """A part once, in its own order."""
        part = self.parts[name]
        for at in range(0, len(part), self.batch):
            size = min(self.batch, len(part) - at)
            yield self._batch(part, slice(at, at + size), size)

    def _batch(self, part: Samples, chosen: NDArray[np.int64] | slice, samples: int) -> Batch:
        inputs, targets = part.batch(chosen)
        return Batch(inputs, targets, samples)
