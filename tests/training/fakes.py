"""A backend that trains without learning, and networks built by hand: what a run is tested with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netspec.backend import Limit, Status
from netspec.data.samples import Dataset, checked
from netspec.fit import Fit
from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.ops.dense import Dense
from netspec.ops.reshape import Flatten
from tests.building import Sketch


class FakeBackend:
    """Follows a script: the losses of its steps, the figures of its epochs. Weights grow by one an epoch."""

    name = "fake"
    frameworks: Sequence[str] = ()
    lowerings: Mapping[type[Op], object] = {}
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()

    def __init__(self, losses: Sequence[float], figures: Sequence[Mapping[str, float]]) -> None:
        self.losses, self.figures = losses, figures
        self.fits: list[Fit] = []

    def status(self) -> Status:
        return Status("ok", "fake 1.0")

    def fit(self, fit: Fit) -> None:
        """Take every batch that there is, and tell what the script says."""
        self.fits.append(fit)
        losses = iter(self.losses)
        for epoch, figures in enumerate(self.figures[: fit.epochs], 1):
            for step, _ in enumerate(fit.batches(epoch), 1):
                fit.report.step(epoch, step, next(losses))
            grown = {name: np.asarray(array + epoch, np.float32) for name, array in fit.weights.items()}
            fit.report.epoch(epoch, figures, lambda grown=grown: grown)  # type: ignore[misc]


def network(shape: tuple[int, ...] = (1, 2, 2), classes: int = 3) -> Graph:
    sketch = Sketch("tiny", image=shape)
    sketch.add("flatten1", Flatten())
    sketch.add("dense1", Dense(units=classes))
    return sketch.graph()


def dataset(train: int = 5, test: int = 2) -> Dataset:
    """Images of 2×2, three classes."""
    images = np.arange(4 * train, dtype=np.uint8).reshape(train, 2, 2)
    labels = np.arange(train) % 3
    return checked("own", images, labels, images[:test], labels[:test], where="here")
