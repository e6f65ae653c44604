"""Trains one network with one recipe on several backends, and compares the losses of every step and the figures.

The weights, batches and rates are the same on all of them, and the noise of dropout is off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import isfinite
from typing import TYPE_CHECKING, Any

from netspec.backend import Trains, native_names
from netspec.data.parts import Parts
from netspec.diagnostics import Diagnostic, Problems, SpecError
from netspec.graph import Graph
from netspec.passes import still
from netspec.recipe import Recipe
from netspec.training.loop import Diverged, TrainingLoop
from netspec.training.obeyed import check_obeyed
from netspec.training.plan import plan
from netspec.training.processes import Follower
from netspec.training.report import Epoch
from netspec.weights import starting

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays

TOLERANCES: Mapping[str, float] = {"float64": 1e-9, "float32": 1e-4}
"""The largest relative difference of losses that counts as equal, by precision."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a training on one backend reported: the losses of the steps of each epoch, and the figures."""

    backend: str
    losses: tuple[tuple[float, ...], ...]
    epochs: tuple[Epoch, ...]
    test: Epoch | None


@dataclass(frozen=True, slots=True)
class Apart:
    """How far the backends are apart in one epoch.

    `steps` is the largest relative difference of the losses of a step, and `step` that step, from 1. `figures` has for
    each figure its value on the first backend and the largest relative difference.
    """

    number: int
    steps: float
    step: int
    figures: Mapping[str, tuple[float | None, float]]

    @property
    def largest(self) -> float:
        """The largest difference of losses: those of steps and of parts. Other figures are shown, but not judged."""
        return max(self.steps, *(apart for name, (_, apart) in self.figures.items() if name.endswith("loss")))


@dataclass(frozen=True)
class TrainingComparison:
    """The result: what each backend learned, and how far they are apart in each epoch, and in the test."""

    name: str
    data: str
    dtype: str
    tolerance: float
    learned: tuple[Learned, ...]
    epochs: tuple[Apart, ...]
    test: Apart | None

    @property
    def parts(self) -> tuple[Apart, ...]:
        """The epochs, and the test."""
        return self.epochs if self.test is None else (*self.epochs, self.test)

    @property
    def worst(self) -> Apart:
        """Where the losses differ most."""
        return max(self.parts, key=lambda each: each.largest)

    @property
    def ok(self) -> bool:
        """Whether all losses are equal within the tolerance."""
        return self.worst.largest <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "name": self.name,
            "data": self.data,
            "dtype": self.dtype,
            "tolerance": self.tolerance,
            "backends": [each.backend for each in self.learned],
            "equal": self.ok,
            "largest": _number(self.worst.largest),
            "epochs": [self._row(each) for each in self.epochs],
            "test": None if self.test is None else self._row(self.test),
        }

    def _row(self, each: Apart) -> dict[str, Any]:
        at = each.number - 1
        found = [
            one.test if each is self.test else one.epochs[at] if at < len(one.epochs) else None
            for one in self.learned
        ]
        return {
            "epoch": each.number,
            "steps": _number(each.steps),
            "figures": {
                name: {
                    **{
                        one.backend: None if epoch is None else epoch.number_of(name)
                        for one, epoch in zip(self.learned, found, strict=True)
                    },
                    "difference": _number(apart),
                }
                for name, (_, apart) in each.figures.items()
            },
        }


class KeptRun(Follower):
    """A `Keeper` in memory: the losses, the epochs, and the best weights."""

    def __init__(self) -> None:
        super().__init__()
        self.by_epoch: dict[int, list[float]] = {}
        self._best: Mapping[str, Array] = {}

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Keep the losses."""
        self.by_epoch.setdefault(epoch, []).extend(losses)

    def propose(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Keep the weights."""
        self._best = {name: array.copy() for name, array in weights.items()}

    def best(self, epoch: int) -> Mapping[str, Array]:
        """The weights of the best epoch."""
        return self._best


def compare(
    graph: Graph,
    backends: Sequence[Trains],
    recipe: Recipe,
    data: Parts,
    *,
    dtype: str = "float64",
    weights: Arrays | None = None,
    device: str = "auto",
    report: Callable[[str], None] = lambda line: None,
    warn: Callable[[Sequence[Diagnostic]], None] = lambda warnings: None,
) -> TrainingComparison:
    """Train on each backend in turn, in this precision; `report` gets the name of the one that begins.

    Raises:
        SpecError: recipe, data and network do not fit each other, or a backend does not obey a setting.
        Diverged: the loss became infinite or NaN on a backend.
    """
    recipe = recipe.model_copy(update={"precision": dtype})
    quiet = still(graph)
    start = starting(graph, recipe.seed, native=native_names(graph)) if weights is None else weights
    learned: list[Learned] = []
    for backend in backends:
        report(f"{backend.name}: training")
        learned.append(_learned(quiet, backend, recipe, data, start, device, () if learned else (warn,)))
    epochs = range(max(len(each.epochs) for each in learned))
    rows = tuple(
        _apart(number, [each.epochs for each in learned], _steps(number, learned)) for number in epochs
    )
    tests = [each.test for each in learned]
    last = None if any(each is None for each in tests) else _apart(0, [[each] for each in tests if each], [])
    return TrainingComparison(graph.name, data.name, dtype, TOLERANCES[dtype], tuple(learned), rows, last)


def _learned(
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Parts,
    start: Arrays,
    device: str,
    warn: Sequence[Callable[[Sequence[Diagnostic]], None]],
) -> Learned:
    problems = Problems()
    check_obeyed(graph, recipe, backend, problems, device)
    whole = plan(graph, recipe, data, start, device, problems)
    if whole is None or problems.errors:
        raise SpecError(problems.in_order())
    for tell in warn:
        tell(problems.in_order())
    keeper = KeptRun()
    try:
        ended = TrainingLoop(whole, backend.trainer(whole.task), keeper).run()
    except Diverged as error:
        error.add_note(f"it was {backend.name} that diverged")
        raise
    losses = tuple(map(tuple, keeper.by_epoch.values()))
    return Learned(backend.name, losses, ended.epochs, ended.test)


def _steps(number: int, learned: Sequence[Learned]) -> list[tuple[float, ...]]:
    """The losses of the steps of an epoch (from 0), on each backend; of one that ended before, none are known."""
    rest = [each.losses[number] if number < len(each.losses) else () for each in learned]
    return list(zip_longest(*rest, fillvalue=float("nan")))


def _apart(number: int, found: Sequence[Sequence[Epoch]], steps: Sequence[tuple[float, ...]]) -> Apart:
    epochs = [each[number] if number < len(each) else None for each in found]
    names = next(each for each in epochs if each is not None).metrics
    figures = {
        name: [None if each is None else each.number_of(name) for each in epochs]
        for name, value in names.items()
        if not isinstance(value, list)
    }
    differences = [difference(each) for each in steps]
    largest = max(differences, default=0.0)
    return Apart(
        next(each.number for each in epochs if each is not None),
        largest,
        differences.index(largest) + 1 if differences else 0,
        {name: (values[0], difference(values)) for name, values in figures.items()},
    )


def difference(values: Sequence[float | None]) -> float:
    """The largest difference of two of these numbers, relative to the largest; infinite if one is not known."""
    known = [each for each in values if each is not None and isfinite(each)]
    if len(known) < len(values):
        return 0.0 if not known else float("inf")
    largest = max(abs(each) for each in known)
    return (max(known) - min(known)) / largest if largest else 0.0


def _number(value: float) -> float | None:
    """The number, or None for infinity, which JSON does not have."""
    return value if isfinite(value) else None
