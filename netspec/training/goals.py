"""What a training measures, what it improves, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import training as codes
from netspec.fit import LOSS
from netspec.graph import Graph
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Recipe
from netspec.recipe.metrics import Accuracy, BoxIou, Measured
from netspec.recipe.model import Reading
from netspec.recipe.schedules import Plateau
from netspec.training.decisions import Goal, Patience
from netspec.training.heads import Head, place
from netspec.training.wiring import Wiring

BOX = 4
"""The numbers of a box: left, top, right, bottom."""
LISTS = frozenset({"per_class", "iou_per_class", "confusion"})
"""The metrics whose figure is not one number."""


def metrics(
    graph: Graph, recipe: Recipe, found: tuple[Head, ...], wiring: Wiring, problems: Problems
) -> tuple[Measured, ...]:
    """The metrics of the recipe, each of the output that it names, or of the first that it can measure."""
    known = {head.output: head for head in found if head.output in wiring.targets}
    asked = (Accuracy(),) if recipe.metrics is None else recipe.metrics
    measured: list[Measured] = []
    for metric in asked:
        fitting = [
            head for head in known.values() if _reading(head) in metric.readings and _suits(metric, head)
        ]
        if metric.output is not None:
            fitting = [head for head in fitting if head.output == metric.output]
        if not fitting and recipe.metrics is None:
            continue
        if not fitting:
            of = "no output" if metric.output is None else f"not the output `{metric.output}`"
            message = f"the metric `{metric.kind}` measures {of} of `{graph.name}` with its loss"
            problems.error(codes.SETTING_VALUE, message, place(graph, recipe, ["metrics"]))
            continue
        head = fitting[0]
        names = {each.name for each in measured}
        name = next(each for each in _names(metric, head) if each not in names)
        reading = _reading(head)
        assert reading is not None, "a metric measures what it reads"
        ignore, lengths = getattr(head.loss, "ignore", None), getattr(head.loss, "lengths", None)
        measured.append(Measured(name, head.output, head.output, metric, reading, ignore, lengths))
    return tuple(measured)


def _suits(metric: Any, head: Head) -> bool:
    """Whether the output has the numbers that the metric takes: a box has four."""
    return not isinstance(metric, BoxIou) or (head.type.channels == BOX and not head.type.sizes)


def _names(metric: Any, head: Head) -> Iterator[str]:
    yield metric.kind
    if metric.tallied != metric.tally:
        yield metric.tallied
    yield f"{head.output}_{metric.kind}"
    yield from (f"{head.output}_{metric.kind}_{number}" for number in count(2))


def _reading(head: Head) -> Reading | None:
    reading: Reading | None = head.loss.reading(head.type.channels or 1)
    return reading


@dataclass(frozen=True)
class Goals:
    """What is best, what ends the training early, and what a plateau watches."""

    graph: Graph
    recipe: Recipe
    metrics: tuple[Measured, ...]
    validated: bool
    problems: Problems

    def best(self) -> Goal | None:
        """The goal of the recipe; else the first metric of the validation part, or its loss; else nothing."""
        if self.recipe.best is not None:
            return self._goal(self.recipe.best, ["best"])
        if not self.validated:
            return None
        single = [each for each in self.metrics if each.metric.kind not in LISTS]
        return self._goal(f"validation_{single[0].name}" if single else "validation_loss", ["best"])

    def patience(self) -> Patience | None:
        """When to stop early."""
        stop = self.recipe.stop
        if stop is None:
            return None
        name = stop.metric or self.recipe.best or "validation_loss"
        goal = self._goal(name, ["stop", "metric"])
        return None if goal is None else Patience(goal, stop.after, stop.threshold)

    def watched(self) -> Goal | None:
        """What a plateau watches."""
        schedule = self.recipe.schedule
        if not isinstance(schedule, Plateau):
            return None
        name = schedule.metric or ("validation_loss" if self.validated else "train_loss")
        return self._goal(name, ["schedule", "plateau", "metric"])

    def _goal(self, name: str, loc: list[str]) -> Goal | None:
        part, _, kind = name.partition("_")
        where = place(self.graph, self.recipe, loc)
        if part == "validation" and not self.validated:
            self.problems.error(
                codes.SETTING_VALUE,
                f"`{name}` is measured on a validation part, but the data have none",
                where,
                help="write `data: {train: …, validation: 0.1}`, for example",
            )
            return None
        if kind == LOSS:
            return Goal(name, False)
        known = {each.name: each.metric for each in self.metrics}
        if kind not in known or known[kind].kind in LISTS:
            self.problems.error(
                codes.SETTING_VALUE,
                f"nothing measures `{name}`{did_you_mean(kind, known)}",
                where,
                help=f"add `{kind}` to `metrics`, or write `{part}_loss`",
            )
            return None
        return Goal(name, known[kind].larger_is_better)
