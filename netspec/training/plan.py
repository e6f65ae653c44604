"""From a recipe and a network to what a loop and a trainer need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from netspec.data.samples import Dataset
from netspec.fit import LOSS, Conversion, Task, Term
from netspec.graph import Graph
from netspec.passes import logits
from netspec.recipe import Normalise, Recipe
from netspec.recipe.losses import CrossEntropy
from netspec.recipe.metrics import Accuracy, Measured
from netspec.recipe.schedules import AnySchedule, Constant, Plateau
from netspec.scoring import Figure, figure
from netspec.training.decisions import Goal, Patience, Saving
from netspec.training.feed import Feed, Held
from netspec.training.rates import Course, Waiting, rate, waited
from netspec.training.report import Epoch

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.fit import Tallies

Figures = dict[str, Figure]
TARGET = "label"


@dataclass(frozen=True)
class Plan:
    """A training in full: what is trained on what, and everything that is decided on the way."""

    task: Task
    feed: Feed
    epochs: int
    schedule: AnySchedule = field(default_factory=Constant)
    goal: Goal | None = None
    """What the best weights are best in; None: nothing is selected."""
    patience: Patience | None = None
    watched: Goal | None = None
    """What a plateau of the schedule watches."""
    saving: Saving = field(default_factory=Saving)
    frozen: Mapping[str, int] = field(default_factory=dict)
    """For a weight the number of epochs at the start in which it does not learn."""
    limit: int | None = None
    """The number of steps of the whole training, if it ends within an epoch."""

    @property
    def steps(self) -> int:
        """The number of steps of the whole training, if it does not end early."""
        return self.epochs * self.feed.steps if self.limit is None else self.limit

    def steps_of(self, epoch: int) -> int:
        """The number of steps of an epoch (from 1)."""
        whole = self.feed.steps
        return whole if self.limit is None else min(whole, self.limit - (epoch - 1) * whole)

    def frozen_in(self, epoch: int) -> frozenset[str]:
        """The weights that do not learn in an epoch."""
        return frozenset(name for name, until in self.frozen.items() if epoch <= until)

    def rates(self, epoch: int, step: int, epochs: Sequence[Epoch]) -> Iterator[float]:
        """The rates from a step of an epoch on (from 0), after these epochs."""
        schedule, goal = self.schedule, self.watched
        waiting = Waiting()
        if isinstance(schedule, Plateau) and goal is not None:
            for each in epochs:
                found = each.number_of(goal.name)
                waiting = waited(schedule, waiting, found, larger_is_better=goal.larger_is_better)
        course = Course(self.steps, self.feed.steps)
        for number in count((epoch - 1) * self.feed.steps + step):
            yield rate(schedule, self.task.optimizer.learning_rate, number, course, waiting)

    def figures(self, part: str, tallies: Tallies) -> Figures:
        """The figures of a part: the whole loss, those of several terms, the metrics."""
        found: Figures = {}
        sums = tallies[LOSS]
        means = [float(total / weight) if weight else 0.0 for total, weight in sums]
        terms = self.task.terms
        found[f"{part}_loss"] = sum(mean * term.weight for mean, term in zip(means, terms, strict=True))
        if len(terms) > 1:
            found |= {f"{part}_{term.output}_loss": mean for mean, term in zip(means, terms, strict=True)}
        return found | {f"{part}_{each.name}": figure(each, tallies[each.key]) for each in self.task.metrics}

    @property
    def names(self) -> list[str]:
        """The names of the figures of an epoch."""
        kinds = [LOSS]
        if len(self.task.terms) > 1:
            kinds += [f"{term.output}_loss" for term in self.task.terms]
        kinds += [each.name for each in self.task.metrics]
        parts = [part for part in ("train", "validation") if part in self.feed.parts]
        return [f"{part}_{kind}" for part in parts for kind in kinds]


def plan(graph: Graph, recipe: Recipe, data: Dataset, weights: Arrays, device: str) -> Plan:
    """The plan of a training of a classifier."""
    feed = feed_of(graph, recipe, data)
    whole = logits(graph)
    output = whole.outputs[0].name
    chosen = (Accuracy(),) if recipe.metrics is None else recipe.metrics
    metrics = tuple(Measured(each.kind, output, TARGET, each) for each in chosen)
    task = Task(
        graph=whole,
        weights=weights,
        terms=(Term(output, TARGET, CrossEntropy()),),
        optimizer=recipe.optimizer,  # type: ignore[arg-type]
        metrics=metrics,
        conversions={graph.inputs[0].name: conversion(recipe, feed)},
        seed=recipe.seed,
        device=device,
    )
    goal = None
    if "validation" in feed.parts:
        goal = Goal("validation_accuracy", True) if metrics else Goal("validation_loss", False)
    return Plan(task, feed, recipe.epochs, goal=goal)


def feed_of(graph: Graph, recipe: Recipe, data: Dataset) -> Feed:
    """The batches of a recipe."""
    import numpy as np

    limited = data.limited(recipe.train_size, recipe.test_size)
    name = graph.inputs[0].name
    train, test = limited.train_images, limited.test_images
    if train.dtype != test.dtype:  # one part bytes, the other floats
        train, test = (
            each.astype(np.float32) / np.float32(255) if each.dtype == np.uint8 else each
            for each in (train, test)
        )
    parts = {
        "train": Held({name: train}, {TARGET: limited.train_labels}),
        "test": Held({name: test}, {TARGET: limited.test_labels}),
    }
    return Feed(parts, recipe.batch, recipe.seed)


def conversion(recipe: Recipe, feed: Feed) -> Conversion:
    """Bytes are divided by 255, floats are not changed; then comes `normalise`."""
    normalise = recipe.normalise if isinstance(recipe.normalise, Normalise) else None
    (images,) = feed.parts["train"].batch(slice(0, 1))[0].values()
    return Conversion(
        unit=255.0 if str(images.dtype) == "uint8" else 1.0,
        mean=() if normalise is None else normalise.mean,
        std=() if normalise is None else normalise.std,
        pad=recipe.pad,
    )
