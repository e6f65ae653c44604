"""Batches of a data set: bit for bit the same batches, in the same order, for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING, Any

from netspec.data.samples import Dataset
from netspec.dataclass import dataclass
from netspec.recipe.names import Shape, padded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.recipe import Normalise, Recipe

    Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Batches:
    """A data set in batches, scaled as its recipe says.

    A sample is padded by `pad` zeros on both sides of every spatial axis. Bytes are divided by 255, floats are not
    changed. Then comes (x − mean) / std. All values are float32. So padding has the same value as black in the image.
    """

    data: Dataset
    size: int
    seed: int
    pad: int = 0
    normalise: Normalise | None = None

    @classmethod
    def of(cls, data: Dataset, recipe: Recipe) -> Batches:
        """The batches of a recipe, with its limits of size."""
        limited = data.limited(recipe.train_size, recipe.test_size)
        return cls(limited, recipe.batch, recipe.seed, recipe.pad, recipe.normalise)  # type: ignore[arg-type]

    @property
    def steps(self) -> int:
        """The number of training batches of an epoch; the last can be smaller."""
        return ceil(len(self.data.train_labels) / self.size)

    @property
    def shape(self) -> Shape:
        """The shape of one sample as the network gets it, channels first."""
        return padded(self.data.shape, self.pad)

    def train(self, epoch: int) -> Iterator[Batch]:
        """The training set once, in the order of this epoch (from 1), which depends only on the seed and the epoch."""
        import numpy as np

        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.data.train_labels))
        for at in range(0, len(order), self.size):
            chosen = order[at : at + self.size]
            yield self._scaled(self.data.train_images[chosen]), self.data.train_labels[chosen]

    def test(self) -> Iterator[Batch]:
        """The test set once, in its own order."""
        for at in range(0, len(self.data.test_labels), self.size):
            part = slice(at, at + self.size)
            yield self._scaled(self.data.test_images[part]), self.data.test_labels[part]

    def _scaled(self, images: NDArray[Any]) -> NDArray[np.float32]:
        import numpy as np

        scaled = images.astype(np.float32)
        if images.dtype == np.uint8:
            scaled /= np.float32(255)
        if self.pad:
            sides = ((self.pad, self.pad),) * (scaled.ndim - 2)
            scaled = np.pad(scaled, ((0, 0), (0, 0), *sides))
        if self.normalise is not None:
            by_channel = (-1, *(1,) * (scaled.ndim - 2))
            scaled -= np.asarray(self.normalise.mean, np.float32).reshape(by_channel)
            scaled /= np.asarray(self.normalise.std, np.float32).reshape(by_channel)
        return scaled
