"""Drives the trainer of a backend epoch by epoch, without a loop: what a backend is tested with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netspec.backend import Trains
from netspec.fit import Batch, Task, Term
from netspec.graph import Graph
from netspec.recipe.losses import CrossEntropy
from netspec.recipe.metrics import Accuracy, Measured
from netspec.recipe.optimizers import Optimizer
from netspec.training.feed import Feed
from netspec.training.plan import Plan

Pairs = Callable[[int], Iterator[tuple[Any, Any]]]


def classifier(
    graph: Graph, weights: Mapping[str, Any], optimizer: Optimizer, seed: int = 0, **more: Any
) -> Task:
    """The task of a classifier: cross-entropy of logits, and accuracy."""
    output = graph.outputs[0].name
    terms = (Term(output, "label", CrossEntropy()),)
    metrics = (Measured("accuracy", output, "label", Accuracy()),)
    return Task(graph, weights, terms, optimizer, metrics, seed=seed, device="cpu", **more)


@dataclass
class Driven:
    """What a trainer told: the losses of each epoch, its figures, the weights after it."""

    losses: list[list[float]] = field(default_factory=list)
    epochs: list[Mapping[str, float]] = field(default_factory=list)
    weights: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def steps(self) -> list[float]:
        """The losses of all steps."""
        return [loss for epoch in self.losses for loss in epoch]


def drive(backend: Trains, task: Task, epochs: int, pairs: Pairs) -> Driven:
    """Train so many epochs on the batches of each, and test after each on those of epoch 0."""
    trainer, driven = backend.trainer(task), Driven()
    plan = Plan(task, Feed({}, 1, 0), epochs)

    def batches(epoch: int) -> Iterator[Batch]:
        for images, labels in pairs(epoch):
            yield Batch({task.graph.inputs[0].name: images}, {"label": labels}, len(labels))

    for epoch in range(1, epochs + 1):
        losses: list[float] = []
        rates = iter(lambda: task.optimizer.learning_rate, None)
        steps = ([each] for each in batches(epoch))
        trained = trainer.run(steps, rates, lambda rows: losses.extend(rows[:, 0].tolist()), {})  # noqa: B023
        figures = {**plan.figures("train", trained), **plan.figures("test", trainer.evaluate(batches(0)))}
        driven.losses.append(losses)
        driven.epochs.append(figures)  # type: ignore[arg-type]
        driven.weights.append(trainer.weights())
    return driven
