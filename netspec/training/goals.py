"""What a training measures, what it improves, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.fit import LOSS
from netspec.graph import Graph
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Recipe
from netspec.recipe.metrics import Accuracy, BoxIou, Measured, TopK
from netspec.recipe.model import Reading
from netspec.recipe.schedules import Plateau
from netspec.training.decisions import Goal, Patience
from netspec.training.heads import LossOutput, place

BOX = 4
"""The numbers of a box: left, top, right, bottom."""
LISTS = frozenset({"per_class", "iou_per_class", "confusion"})
"""The metrics whose figure is not one number."""


def metrics(
    graph: Graph, recipe: Recipe, found: tuple[LossOutput, ...], problems: Problems
) -> tuple[Measured, ...]:
    """The metrics of the recipe, each of the output that it names, or of the first that it can measure."""
    known = [head for head in found if head.loss.targets is not None]
    asked = (Accuracy(),) if recipe.metrics is None else recipe.metrics
    measured: list[Measured] = []
    for at, metric in enumerate(asked):
        of_output = [head for head in known if metric.output in (None, head.output)]
        fitting = [head for head in of_output if _misfit(metric, head) is None]
        if not fitting:
            if recipe.metrics is not None:
                where = place(graph, recipe, ["metrics", str(at)])
                _report(graph, metric, known, of_output, where, problems)
            continue
        head = fitting[0]
        names = {each.name for each in measured}
        name = next(each for each in _names(metric, head) if each not in names)
        reading = _reading(head)
        assert reading is not None, "a metric measures what it reads"
        ignore, lengths = getattr(head.loss, "ignore", None), getattr(head.loss, "lengths", None)
        measured.append(Measured(name, head.output, head.output, metric, reading, ignore, lengths))
    return tuple(measured)


def _misfit(metric: Any, head: LossOutput) -> str | None:
    """Why an output is not what the metric measures; None if it is."""
    if _reading(head) not in metric.readings:
        return f"`{head.output}` has the loss `{head.loss.kind}`, whose metrics are {_fitting(head)}"
    if isinstance(metric, BoxIou) and (head.type.channels != BOX or head.type.sizes):
        return f"`{head.output}` is {head.type}, but a box has four numbers: left, top, right, bottom"
    if isinstance(metric, TopK) and metric.k > (head.type.channels or 1):
        return f"`{head.output}` has {head.type.channels} classes, fewer than `k: {metric.k}`"
    return None


def _fitting(head: LossOutput) -> str:
    from netspec.recipe.metrics import METRICS

    fitting = [f"`{kind}`" for kind, metric in METRICS.items() if _reading(head) in metric.readings]
    return ", ".join(fitting) or "none"


def _report(
    graph: Graph,
    metric: Any,
    known: Sequence[LossOutput],
    asked: Sequence[LossOutput],
    where: Span,
    problems: Problems,
) -> None:
    """Say why nothing is measured by this metric."""
    if not asked:
        names = [head.output for head in known]
        nearest = did_you_mean(metric.output or "", names)
        has = ", ".join(f"`{name}`" for name in names) or "none"
        problems.error(
            codes.SETTING_VALUE,
            f"the metric `{metric.kind}` names the output `{metric.output}`, which is not compared with a target"
            + nearest,
            where,
            notes=[f"the outputs of `{graph.name}` that are: {has}"],
        )
        return
    reasons = [reason for head in asked if (reason := _misfit(metric, head)) is not None]
    problems.error(
        codes.SETTING_VALUE,
        f"the metric `{metric.kind}` does not measure what `{graph.name}` gives",
        where,
        notes=reasons,
        help="give a smaller `k`" if "`k: " in reasons[0] else f"remove `{metric.kind}` from `metrics`",
    )


def _names(metric: Any, head: LossOutput) -> Iterator[str]:
    yield metric.kind
    if metric.tallied != metric.tally:
        yield metric.tallied
    yield f"{head.output}_{metric.kind}"
    yield from (f"{head.output}_{metric.kind}_{number}" for number in count(2))


def _reading(head: LossOutput) -> Reading | None:
    reading: Reading | None = head.loss.reading(head.type.channels or 1)
    return reading


@dataclass(frozen=True)
class Goals:
    """What is best, what ends the training early, and what a plateau watches."""

    graph: Graph
    recipe: Recipe
    metrics: tuple[Measured, ...]
    validated: bool | None
    """Whether there is a validation part; None before the data are read, if only they know."""
    problems: Problems

    def best(self) -> Goal | None:
        """The goal of the recipe; else the first metric of the validation part, or its loss; else nothing."""
        if self.recipe.best is not None:
            return self._goal(self.recipe.best, ["best"])
        if self.validated is False:
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
        name = schedule.metric or ("train_loss" if self.validated is False else "validation_loss")
        return self._goal(name, ["schedule", "plateau", "metric"])

    def _goal(self, name: str, loc: list[str]) -> Goal | None:
        part, _, kind = name.partition("_")
        where = place(self.graph, self.recipe, loc)
        if part == "validation" and self.validated is False:
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


def check_goals(
    graph: Graph, recipe: Recipe, found: tuple[LossOutput, ...], validated: bool | None, problems: Problems
) -> None:
    """Report metrics that do not fit, and figures that nothing measures."""
    goals = Goals(graph, recipe, metrics(graph, recipe, found, problems), validated, problems)
    goals.best()
    goals.patience()
    goals.watched()
