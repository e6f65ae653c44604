"""From a recipe and a network to what a loop and a trainer need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import ceil
from typing import TYPE_CHECKING, Any

from netspec.data.parts import Parts
from netspec.diagnostics import Problems
from netspec.fit import LOSS, Conversion, GradientLimit, Task, Term
from netspec.graph import Graph
from netspec.passes import logits
from netspec.recipe import Normalise, Recipe
from netspec.recipe.schedules import AnySchedule, ConstantRate, Plateau
from netspec.scoring import Figure, figure
from netspec.training.classic import classic, keys_of, of_dataset
from netspec.training.decisions import Goal, Patience, Saving
from netspec.training.feed import Feed, Sourced
from netspec.training.goals import Goals, metrics
from netspec.training.groups import check_learning, groups
from netspec.training.heads import LossOutput, heads
from netspec.training.match import Facts, match
from netspec.training.preparation import Preparation, of_training
from netspec.training.rates import Course, Waiting, rate, waited
from netspec.training.report import Epoch
from netspec.training.statistics import measured_scale, median_frequencies, whitening
from netspec.training.suits import check_names, check_preparation, images, normalised
from netspec.training.wiring import Wiring, wired

if TYPE_CHECKING:
    from netspec.backend import Arrays as Weights
    from netspec.data.augmentation import Augmentation
    from netspec.fit import Tallies

Figures = dict[str, Figure]


@dataclass(frozen=True)
class Plan:
    """A training in full: what is trained on what, and everything that is decided on the way."""

    task: Task
    feed: Feed
    epochs: int
    schedule: AnySchedule = field(default_factory=ConstantRate)
    goal: Goal | None = None
    """What the best weights are best in; None: nothing is selected."""
    patience: Patience | None = None
    watched: Goal | None = None
    """What a plateau of the schedule watches."""
    saving: Saving = field(default_factory=Saving)
    frozen: Mapping[str, int] = field(default_factory=dict)
    """For a weight the number of epochs at the start in which it does not learn."""
    notes: tuple[str, ...] = ()
    """How the parts of the data were made."""
    limit: int | None = None
    """The number of steps of the whole training, if it ends within an epoch."""
    preparation: Preparation = field(default_factory=lambda: Preparation({}))
    """How samples are prepared, for what comes after the training."""

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


def plan(
    graph: Graph,
    recipe: Recipe,
    parts: Parts,
    weights: Weights,
    device: str,
    problems: Problems,
    kept: Preparation | None = None,
) -> Plan | None:
    """The plan of a training; None if recipe, data and network do not fit each other (`problems` says why).

    With the preparation `kept` of a training, nothing is measured: it is the plan of an evaluation.
    """
    parts = parts.limited(recipe.train_size, recipe.validation_size, recipe.test_size)
    plain = classic(graph, recipe, parts)
    keys = keys_of(graph, recipe, parts)
    if plain is not None and keys is not None:
        data = plain.seen_as(graph.inputs[0].type.shape)
        if kept is None:
            match(graph, recipe, Facts.of(data), problems)
        parts = of_dataset(data, parts, keys)
    if problems.errors:
        return None
    found = heads(graph, recipe, problems)
    if found is not None:
        check_preparation(graph, recipe, problems)
        check_names(graph, recipe, found, problems)
    wires = None if found is None else wired(graph, recipe, found, parts, problems)
    if found is None or wires is None:
        return None
    wiring, parts, changes = wires
    own, frozen = groups(graph, recipe, problems)
    if kept is None:
        check_learning(graph, recipe, frozen, problems)
    feed = Feed(
        {name: Sourced(source, wiring.inputs, wiring.targets, changes) for name, source in parts},
        recipe.batch,
        recipe.seed,
        recipe.accumulate,
        ahead=2 if recipe.workers else 0,
    )
    measured = metrics(graph, recipe, found, problems)
    goals = Goals(graph, recipe, measured, "validation" in feed.parts, problems)
    epochs = recipe.epochs if recipe.steps is None else ceil(recipe.steps / feed.steps)
    task = Task(
        graph=logits(graph, {head.output for head in found if head.loss.of_logits}),
        weights=weights,
        terms=tuple(
            Term(
                head.output,
                head.output if head.output in wiring.targets else None,
                _counted(head, wiring, parts, kept),
                head.loss.weight,
                getattr(head.loss, "lengths", None),
            )
            for head in found
        ),
        optimizer=recipe.optimizer,  # type: ignore[arg-type]
        metrics=measured,
        conversions=_conversions(graph, recipe, wiring, parts, changes, kept),
        target_conversions=_target_conversions(recipe, found, wiring, parts),
        groups=own,
        clip=None if recipe.clip is None else GradientLimit(recipe.clip.kind, recipe.clip.limit),  # type: ignore[arg-type]
        average=recipe.average,
        precision=recipe.precision,
        compile=recipe.compile,
        deterministic=recipe.deterministic,
        seed=recipe.seed,
        device=device,
        sharded=recipe.sharded,
        capture=recipe.capture,
        steps_per_call=recipe.steps_per_call,
    )
    made = Plan(
        task,
        feed,
        epochs,
        schedule=recipe.schedule or ConstantRate(),  # type: ignore[arg-type]
        goal=goals.best(),
        patience=goals.patience(),
        watched=goals.watched(),
        saving=Saving(recipe.checkpoint.epochs, recipe.checkpoint.minutes, recipe.checkpoint.steps),
        frozen=frozen,
        limit=recipe.steps,
        notes=parts.notes,
        preparation=of_training(
            graph, found, wiring, parts, task.terms, (task.conversions, task.target_conversions)
        ),
    )
    return None if problems.errors else made


def _counted(head: LossOutput, wiring: Wiring, parts: Parts, kept: Preparation | None) -> Any:
    """The loss with the weights of classes as numbers."""
    if getattr(head.loss, "class_weights", None) != "median_frequency":
        return head.loss
    if kept is not None:
        return head.loss.model_copy(update={"class_weights": kept.outputs[head.output].class_weights})
    weights = median_frequencies(parts.train, wiring.targets[head.output], head.type.channels or 1, head.loss)
    return head.loss.model_copy(update={"class_weights": weights})


def _conversions(
    graph: Graph,
    recipe: Recipe,
    wiring: Wiring,
    parts: Parts,
    changes: Augmentation | None,
    kept: Preparation | None,
) -> dict[str, Conversion]:
    """Bytes are divided by 255, 16-bit numbers by 65535, others are not changed; then come `normalise` and `whiten`."""
    if kept is not None:
        return {name: each.conversion for name, each in kept.inputs.items() if each.conversion is not None}
    found = {}
    for each in graph.inputs:
        if each.vocabulary is None:
            key = wiring.inputs[each.name]
            unit = _unit(parts, key)
            is_normalised = each in normalised(graph)
            mean, std = _normalised(recipe, parts, key, unit) if is_normalised else ((), ())
            pad = recipe.pad if each in images(graph) else 0
            sample = is_normalised and recipe.normalise == "sample"
            found[each.name] = conversion = Conversion(unit, mean, std, pad, sample)
            if is_normalised and recipe.whiten is not None:
                whiten = whitening(parts.train, key, conversion, changes, recipe.whiten.epsilon)  # type: ignore[attr-defined]
                found[each.name] = replace(conversion, whiten=whiten)
    return found


def _unit(parts: Parts, key: str) -> float:
    return parts.train.fields[key].unit


def _normalised(
    recipe: Recipe, parts: Parts, key: str, unit: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if isinstance(recipe.normalise, Normalise):
        return recipe.normalise.mean, recipe.normalise.std
    return measured_scale(parts.train, key, unit) if recipe.normalise == "measured" else ((), ())


def _target_conversions(
    recipe: Recipe, found: tuple[LossOutput, ...], wiring: Wiring, parts: Parts
) -> dict[str, Conversion]:
    """Targets that are numbers are scaled as inputs of their type are; images are padded as the inputs are."""
    conversions = {}
    for head in found:
        key = wiring.targets.get(head.output)
        if key is None or head.loss.targets != "numbers":
            continue
        field_ = parts.train.fields[key]
        pad = recipe.pad if key in wiring.inputs.values() and field_.shape[1:] else 0
        if field_.unit != 1 or pad:
            conversions[head.output] = Conversion(_unit(parts, key), pad=pad)
    return conversions
