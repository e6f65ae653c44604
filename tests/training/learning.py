"""The table of trainings: every loss with an optimiser, a schedule and what else a recipe says, so that all occur.

A row is one training of a tiny network, by the trainers of the backends. Each loss of the table of losses has one; the
optimisers, schedules and all further settings take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from netspec.diagnostics import Problems
from netspec.fit import Batch, GradientLimit, Task, Term, WeightGroup
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.proof.conditions import start
from netspec.recipe.optimizers import Optimizer
from netspec.recipe.schedules import (
    AnySchedule,
    ConstantRate,
    Cosine,
    Exponential,
    InverseTime,
    OneCycle,
    Plateau,
    Polynomial,
    StepDecay,
)
from netspec.training.rates import Course, Waiting, rate
from netspec.types import Float
from tests.training.losses import FLAT, Row, lengths, targets
from tests.training.optimizers import EVERY

STEPS, SAMPLES, DIFFERENT = 50, 6, 10
COURSE = Course(STEPS, 10)

MAP = "input: [2, 4, 5]\nlayers: [{conv: {filters: 3, kernel: 3, padding: same, activation: tanh}}"
NETWORKS: dict[tuple[int, ...], str] = {
    (4,): "input: [6]\nlayers: [{dense: {units: 5, activation: tanh}}, {dense: 4}]",
    (1,): "input: [6]\nlayers: [{dense: {units: 5, activation: tanh}}, {dense: 1}]",
    (3, 4, 5): f"{MAP}, {{conv: {{filters: 3, kernel: 1}}}}]",
    (1, 4, 5): f"{MAP}, {{conv: {{filters: 1, kernel: 1}}}}]",
    (3, 7): (
        "inputs: {x: [2, 7], n: {shape: [], vocabulary: 8}}\n"
        "layers: [{rnn: 4, from: [x, n]}, {conv: {filters: 3, kernel: 1}}]"
    ),
}
"""By the shape of the output."""

SCHEDULES: list[AnySchedule] = [
    ConstantRate(),
    StepDecay(factor=0.5, every=2),
    Cosine(warmup=7, warmup_from=0.1),
    Exponential(factor=0.9),
    OneCycle(),
    Plateau(factor=0.5),
    Polynomial(power=2.0, to=0.1),
    InverseTime(decay=0.5, warmup=5),
    StepDecay(factor=0.3, at=(1, 3)),
]
CLIPS = [None, GradientLimit("norm", 0.3), None, GradientLimit("each", 0.2), GradientLimit("value", 0.05)]
ACCUMULATED, AVERAGES = (1, 3, 1, 1), (None, 0.9, None)


@dataclass(frozen=True)
class Training:
    """One training."""

    name: str
    row: Row
    optimizer: Optimizer
    schedule: AnySchedule
    clip: GradientLimit | None = None
    accumulate: int = 1
    average: float | None = None
    grouped: bool = False

    def task(self, precision: Float) -> Task:
        network = graph(NETWORKS[self.row.shape])
        groups: tuple[WeightGroup, ...] = ()
        if self.grouped:
            names = sorted(start(network, 1, "float64"))
            groups = (
                WeightGroup(frozenset(names[:2]), 0.5, 0.01, 0.02),
                WeightGroup(frozenset(names[2:3]), 2.0),
            )
        term = Term(
            network.outputs[0].name,
            None if self.row.targets == "none" else "t",
            self.row.loss,
            lengths="n" if self.row.lengths else None,
        )
        return Task(
            network, start(network, 1, "float64"), (term,), self.optimizer, groups=groups, clip=self.clip,
            average=self.average, precision=precision, device="cpu",
        )  # fmt: skip

    def batches(self) -> Iterator[list[Batch]]:
        """The batches of each step; the same ones come again."""
        network = graph(NETWORKS[self.row.shape])
        draw = np.random.default_rng(7)
        every = []
        for _ in range(DIFFERENT):
            inputs = {network.inputs[0].name: draw.standard_normal((SAMPLES, *network.inputs[0].type.shape))}
            target, count = targets(self.row, SAMPLES, draw), lengths(self.row, SAMPLES)
            if len(network.inputs) > 1:
                inputs["n"] = np.full(SAMPLES, self.row.shape[1]) if count is None else count
            every.append(Batch(inputs, {} if target is None else {"t": target}, SAMPLES))
        for step in range(STEPS):
            yield [every[(step + part) % DIFFERENT] for part in range(self.accumulate)]

    def rates(self) -> Iterator[float]:
        for step in range(STEPS):
            waiting = None
            if isinstance(self.schedule, Plateau):
                waiting = Waiting(factor=0.5 ** (step // 20))
            yield rate(self.schedule, self.optimizer.learning_rate, step, COURSE, waiting)


def graph(layers: str) -> Graph:
    problems = Problems()
    built = graph_of_text(f"netspec: 1\nname: tiny\n{layers}\n", "tiny.yaml", problems)
    assert built is not None, list(problems)
    return built


def _trainings() -> Iterator[Training]:
    plain = Training("", FLAT[0][1], EVERY[0], SCHEDULES[0])
    for at in range(max(len(FLAT), len(EVERY), len(SCHEDULES))):
        name, row = FLAT[at % len(FLAT)]
        optimizer, schedule = EVERY[at % len(EVERY)], SCHEDULES[at % len(SCHEDULES)]
        yield replace(
            plain, name=f"{name}, {optimizer.kind}, {schedule.kind}", row=row, optimizer=optimizer,
            schedule=schedule, clip=CLIPS[at % len(CLIPS)], accumulate=ACCUMULATED[at % len(ACCUMULATED)],
            average=AVERAGES[at % len(AVERAGES)], grouped=at % 2 == 1,
        )  # fmt: skip


TRAININGS = list(_trainings())


def _few() -> Iterator[Training]:
    """A few trainings in which every loss, optimiser, schedule and limit of gradients occurs."""
    known: set[str] = set()
    while rest := [each for each in TRAININGS if _kinds(each) - known]:
        most = max(rest, key=lambda each: len(_kinds(each) - known))
        known |= _kinds(most)
        yield most


def _kinds(training: Training) -> set[str]:
    kinds = {training.row.loss.kind, training.optimizer.kind, training.schedule.kind}
    return kinds if training.clip is None else {*kinds, training.clip.kind}


QUICK = list(_few())
