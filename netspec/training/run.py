"""Trains one graph on one backend with its recipe, and writes a run folder."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.backend import Trains, native_names
from netspec.data.batches import Batches
from netspec.data.samples import Dataset
from netspec.diagnostics import Diagnostic, Problems, SpecError
from netspec.fit import Fit, Report
from netspec.graph import Graph
from netspec.passes import logits
from netspec.recipe import Recipe
from netspec.training.claim import Claim
from netspec.training.curves import curves, headline
from netspec.training.folder import METRICS, Epoch, Folder, described
from netspec.training.match import Facts, match
from netspec.weights import check, starting

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays


class Diverged(Exception):
    """The loss is infinite or NaN, so the training ends."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training. `curves` is the plot of its losses and accuracies."""

    folder: Path
    backend: str
    data: str
    epochs: tuple[Epoch, ...]
    best: Epoch
    losses: tuple[float, ...]
    curves: Path


def train(
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Dataset,
    *,
    out: Path | None = None,
    weights: Arrays | None = None,
    device: str = "auto",
    text: str | None = None,
    inputs: Collection[Path] = (),
    force: bool = False,
    listeners: Sequence[Report] = (),
    warn: Callable[[Sequence[Diagnostic]], None] | None = None,
) -> Run:
    """Train from these weights, or from those of the seed and of pretrained parts; `text` is the spec as written.

    The run folder is `out`, which must be new or empty, or else runs/NAME-BACKEND-1 and so on. With `force`, `out`
    can contain files: those of an old run are removed, unless one of them is among the `inputs` that the training
    has read. A training that ends before its first step leaves no folder.

    Raises:
        SpecError: recipe, data and network do not fit each other.
        FolderTaken: `out` is not empty, or another training writes to it.
        CannotKeep: the folder cannot be written; the files written before are kept.
        Diverged: the loss became infinite or NaN; the files written before are kept.
        Unavailable, Unsupported: the backend cannot train the network.
        WeightsError: `weights` do not fit the graph, or the weights of a pretrained part cannot be read.
    """
    problems = Problems()
    data = data.seen_as(graph.inputs[0].type.shape)
    match(graph, recipe, Facts.of(data), problems)
    if problems.errors:
        raise SpecError(problems.in_order())
    if len(problems):
        (warn or _warn)(problems.in_order())
    if weights is not None:
        check(weights, graph, "the given file")
    start = starting(graph, recipe.seed, native=native_names(graph)) if weights is None else weights
    batches = Batches.of(data, recipe)
    name = f"{graph.name}-{backend.name}"
    claim = Claim.numbered(Path("runs"), name) if out is None else Claim.take(out, inputs, force)
    facts = _circumstances(graph, backend, batches, weights, device)
    folder = Folder.make(claim, described(graph, text, recipe), facts, _metrics(recipe))
    with folder:
        everyone = _Everyone((folder, *listeners))
        fit = Fit(
            graph=logits(graph),
            weights=start,
            optimizer=recipe.optimizer,
            epochs=recipe.epochs,
            steps_per_epoch=batches.steps,
            batches=batches.train,
            test_batches=batches.test,
            report=everyone,
            seed=recipe.seed,
            device=device,
        )
        backend.fit(fit)
    title = f"{graph.name} on {backend.name}, {data.name}"
    return _finished(folder, title, backend.name, data.name)


def _warn(diagnostics: Sequence[Diagnostic]) -> None:
    """Warn a Python caller about diagnostics that do not prevent the training."""
    from netspec.diagnostics.render import as_text

    warnings.warn(as_text(diagnostics), stacklevel=3)


def _finished(folder: Folder, title: str, backend: str, data: str) -> Run:
    assert folder.best is not None, "a training has at least one epoch"
    picture = folder.picture(curves(title, headline(folder.best), folder.losses, folder.epochs))
    return Run(
        folder=folder.path,
        backend=backend,
        data=data,
        epochs=tuple(folder.epochs),
        best=folder.best,
        losses=tuple(folder.losses),
        curves=picture,
    )


def _metrics(recipe: Recipe) -> tuple[str, ...]:
    return tuple(name for name in METRICS if not name.endswith("accuracy") or "accuracy" in recipe.metrics)


def _circumstances(
    graph: Graph, backend: Trains, batches: Batches, weights: Arrays | None, device: str
) -> dict[str, Any]:
    from netspec._version import __version__

    return {
        "netspec": __version__,
        "spec": graph.name,
        "file": graph.file,
        "params": dict(graph.params),
        "backend": backend.name,
        "framework": backend.status().detail,
        "device": device,
        "data": batches.data.name,
        "train_samples": len(batches.data.train_labels),
        "test_samples": len(batches.data.test_labels),
        "steps_per_epoch": batches.steps,
        "weights": "from the seed" if weights is None else "given",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@dataclass(frozen=True, slots=True)
class _Everyone:
    """Passes the reports of a backend on to several reports, and ends a training whose loss is not finite."""

    reports: tuple[Report, ...]

    def step(self, epoch: int, step: int, loss: float) -> None:
        for report in self.reports:
            report.step(epoch, step, loss)
        if not isfinite(loss):
            raise Diverged(f"the loss is {loss} at step {step} of epoch {epoch}")

    def epoch(
        self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Mapping[str, Array]]
    ) -> None:
        for report in self.reports:
            report.epoch(epoch, metrics, weights)
