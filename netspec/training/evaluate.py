"""Measures a trained network: on a part of its own data, or on other data, on any backend that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.backend import Trains
from netspec.data.bounds import DataError
from netspec.data.loading import load, other
from netspec.data.parts import WORDS, Classes, Parts
from netspec.diagnostics import Problems, SpecError
from netspec.recipe.metrics import Confusion, Measured
from netspec.recipe.model import ANSWERS
from netspec.scoring import Figure, figure
from netspec.training.heads import sources
from netspec.training.opened import Chosen, OpenedRun
from netspec.training.plan import Plan, plan
from netspec.training.preparation import Asked, Preparation

if TYPE_CHECKING:
    from netspec.data.source import SampleSource
    from netspec.fit import Tallies

MOST_CLASSES = 2_000
"""A network with more classes has no table of them: its confusion matrix would fill the memory of the device."""
ELEMENTS = {0: "samples", 1: "steps", 2: "pixels"}
"""What is counted, by the number of spatial axes."""


@dataclass(frozen=True)
class OfClass:
    """The figures of one class: how many elements it has, how many were assigned to it, how many of them are right."""

    index: int
    name: str
    count: int
    assigned: int
    right: int

    @property
    def recall(self) -> float | None:
        """The fraction of its elements that are right."""
        return self.right / self.count if self.count else None

    @property
    def precision(self) -> float | None:
        """The fraction of the elements assigned to it that are right."""
        return self.right / self.assigned if self.assigned else None

    @property
    def iou(self) -> float | None:
        """Intersection / union."""
        union = self.count + self.assigned - self.right
        return self.right / union if union else None


@dataclass(frozen=True)
class Table:
    """The classes of one output. `confusion` has a row per true class; `elements` are what is counted."""

    output: str
    elements: str
    classes: tuple[OfClass, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Evaluation:
    """What was measured: the figures by their names, as in a run's `metrics.jsonl`, and a table per classifier."""

    data: str
    part: str
    samples: int
    figures: Mapping[str, Figure]
    tables: tuple[Table, ...]


def evaluate(
    run: OpenedRun,
    weights: Chosen,
    backend: Trains,
    data: str | None = None,
    part: str | None = None,
    *,
    data_dir: Path | None = None,
    device: str = "auto",
) -> Evaluation:
    """Measure a part of the data of the run (the test part by default), or of other data by name or path.

    Data without parts are measured as a whole. On the backend of the run and its device, with the weights that were
    tested, the figures of the test part are those of the run to the bit.

    Raises:
        DataError: the data are missing, or do not fit the run.
        Unavailable, Unsupported: the backend cannot run the network.
    """
    folder = data_dir or run.data_dir
    if data is None:
        parts, name = _own(run, folder, part or "test")
    else:
        parts, name = _others(run, folder, data, part)
    whole = _planned(run, parts, weights, device)
    trainer = backend.trainer(whole.task)
    trainer.load(weights.arrays)
    feed = replace(whole.feed, parts={name: whole.feed.parts[name]}).held_by(trainer)
    tallies = trainer.evaluate(feed.part(name))
    own = replace(whole, task=replace(whole.task, metrics=_told(whole.task.metrics)))
    return Evaluation(
        parts.name,
        name,
        len(feed.parts[name]),
        own.figures(name, tallies),
        _tables(run, whole, tallies),
    )


def _own(run: OpenedRun, folder: Path | None, part: str) -> tuple[Parts, str]:
    recipe = run.recipe
    parts = load(sources(run.graph, recipe), folder, recipe.seed, base=run.base, workers=recipe.workers)
    if part not in dict(parts):
        has = " and ".join(WORDS[each] for each, _ in parts)
        raise DataError(
            f"{parts.name}: has no {WORDS[part]} part: it has {has}",
            "name one of them with --part, or other data with --data",
        )
    limited = parts.limited(recipe.train_size, recipe.validation_size, recipe.test_size)
    _require_unchanged(run, limited, part)
    return limited, part


def _require_unchanged(run: OpenedRun, parts: Parts, part: str) -> None:
    """Refuse to measure other data under the name of those of the run.

    Raises:
        DataError: the data have another name, or other numbers of samples.
    """
    name = run.facts.get("data")
    if parts.name != name:
        raise DataError(
            f"the run was trained on {name}, which its recipe does not name: it was given in Python",
            "name the data with --data",
        )
    for each in ("train", part):
        was, count = run.facts.get(f"{each}_samples"), len(dict(parts)[each])
        if was != count:
            raise DataError(
                f"{parts.where}: has {count:,} {WORDS[each]} samples, and had {was:,} when the run was trained",
                "name the data with --data, to measure them as they are now",
            )


def _others(run: OpenedRun, folder: Path | None, data: str, part: str | None) -> tuple[Parts, str]:
    """Other data with the chosen part as the only one."""
    known = {each.key: each.classes for each in run.preparation.outputs.values() if each.key and each.classes}
    known |= {
        each.key: Classes(len(each.symbols), each.symbols)
        for each in run.preparation.inputs.values()
        if each.symbols
    }
    found = other(data, sources(run.graph, run.recipe), known, folder, workers=run.recipe.workers)
    there = dict(found)
    name = part or ("test" if "test" in there or len(there) == 1 else "train")
    source = there.get(name) or (there["train"] if len(there) == 1 else None)
    if source is None or (part is None and name not in there and len(there) > 1):
        has = " and ".join(WORDS[each] for each in there)
        raise DataError(f"{found.name}: has no {WORDS[name]} part: it has {has}", "name one with --part")
    if part is None and name == "train":
        raise DataError(
            f"{found.name}: has no test part: it has {' and '.join(WORDS[each] for each in there)}",
            "name one with --part",
        )
    require_alike(found, source, run.preparation)
    classes = {key: each for key, each in known.items() if key in source.fields}
    only = Parts(found.name, found.where, source, classes=classes, columns=found.columns)
    return only.having({name: source}), name


def _planned(run: OpenedRun, parts: Parts, weights: Chosen, device: str) -> Plan:
    """The plan of an evaluation, with a confusion matrix for every classifier."""
    nothing: dict[str, Any] = dict.fromkeys(("best", "stop", "schedule", "average", "steps"))
    nothing |= dict.fromkeys(("train_size", "validation_size", "test_size"))
    problems = Problems()
    recipe = run.recipe.model_copy(update=nothing)
    whole = plan(run.graph, recipe, parts, weights.arrays, device, problems, run.preparation)
    if whole is None:
        raise SpecError(problems.in_order())
    return replace(whole, task=replace(whole.task, metrics=(*whole.task.metrics, *_confusions(whole, run))))


_PREFIX = "netspec "
"""Starts the names of metrics that the recipe does not have."""


def _confusions(whole: Plan, run: OpenedRun) -> list[Measured]:
    """A confusion matrix of each output whose answers are classes."""
    found = []
    for term in whole.task.terms:
        asked = run.preparation.outputs.get(term.output, Asked())
        if term.target is None or asked.reading not in ANSWERS:
            continue
        channels = run.types[term.output].channels or 1
        if channels > MOST_CLASSES and asked.reading != "bits":
            continue
        ignore = getattr(term.loss, "ignore", None)
        name = f"{_PREFIX}{term.output}"
        found.append(
            Measured(name, term.output, term.output, Confusion(), asked.reading, ignore, term.lengths)
        )
    return found


def _told(metrics: Sequence[Measured]) -> tuple[Measured, ...]:
    return tuple(each for each in metrics if not each.name.startswith(_PREFIX))


def _tables(run: OpenedRun, whole: Plan, tallies: Tallies) -> tuple[Table, ...]:
    found = []
    for each in whole.task.metrics:
        if not each.name.startswith(_PREFIX):
            continue
        matrix = figure(each, tallies[each.key])
        assert isinstance(matrix, list)
        rows = tuple(tuple(int(number) for number in row) for row in matrix)  # type: ignore[union-attr]
        known = run.preparation.outputs[each.output].classes
        names = Classes(len(rows)) if known is None else known
        classes = tuple(
            OfClass(at, names.name(at), sum(row), sum(other[at] for other in rows), row[at])
            for at, row in enumerate(rows)
        )
        sizes = run.types[each.output].sizes
        found.append(Table(each.output, ELEMENTS.get(len(sizes), "voxels"), classes, rows))
    return tuple(found)


def require_alike(parts: Parts, source: SampleSource, preparation: Preparation) -> None:
    """Refuse data that are not like those of the training: other sizes, types or classes.

    Raises:
        DataError: they differ.
    """
    for key, wanted, unit in [
        *((each.key, each.shape, each.unit) for each in preparation.inputs.values()),
        *((each.key, None, None) for each in preparation.outputs.values() if each.key is not None),
    ]:
        field = source.fields.get(key)
        if field is None:
            continue  # the wiring finds another key, or says that it is missing
        if wanted is not None and field.shape not in (wanted, wanted[1:] if wanted[:1] == (1,) else wanted):
            raise DataError(
                f"{parts.where}: a sample of {key} is {_sizes(field.shape)}, but the run was trained on "
                f"{_sizes(wanted)}",
                "give data of that size",
            )
        if unit is not None and field.unit != unit:
            raise DataError(
                f"{parts.where}: {key} are {field.dtype}, which are divided by {field.unit:g}; those of the training "
                f"were divided by {unit:g}",
                "save them in the type of the training data",
            )
    for name, asked in preparation.outputs.items():
        known = None if asked.key is None else parts.classes.get(asked.key)
        if asked.classes is not None and known is not None:
            _require_classes(parts, name, asked.classes, known)


def _require_classes(parts: Parts, output: str, trained: Classes, known: Classes) -> None:
    if known.count > trained.count:
        raise DataError(
            f"{parts.name}: has {known.count} classes, but the output `{output}` was trained for {trained.count}",
            "give data with the same classes",
        )
    if known.names and trained.names and known.names != trained.names[: len(known.names)]:
        at = next(at for at, (a, b) in enumerate(zip(known.names, trained.names, strict=False)) if a != b)
        raise DataError(
            f"{parts.name}: class {at} is {known.names[at]!r}, but the run was trained with {trained.names[at]!r}",
            f"the classes of the training are {', '.join(trained.names[:20])}{' …' * (len(trained.names) > 20)}",
        )


def _sizes(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
