"""The rate of every step: the formulas, and PyTorch's schedulers where they mean the same."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from netspec.model import Invalid
from netspec.recipe.schedules import (
    SCHEDULES,
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
from netspec.training.rates import FACTORS, Course, Waiting, rate, waited

EPOCH, STEPS, RATE = 8, 60, 0.3
COURSE = Course(STEPS, EPOCH)


def rates(schedule: AnySchedule, course: Course = COURSE, learning_rate: float = RATE) -> list[float]:
    return [rate(schedule, learning_rate, step, course) for step in range(course.steps)]


def along(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


# For each schedule settings, and its factor at a step of the epoch in which it is.
FORMULAS: dict[str, list[tuple[AnySchedule, Callable[[int, float], float]]]] = {
    "constant": [(ConstantRate(), lambda step, epoch: 1)],
    "step": [
        (StepDecay(factor=0.5, every=3), lambda step, epoch: 0.5 ** (int(epoch) // 3)),
        (
            StepDecay(factor=0.5, at=(2, 5)),
            lambda step, epoch: 1 if epoch < 2 else 0.5 if epoch < 5 else 0.25,
        ),
        # Warm-up or not, epochs are those of the training.
        (
            StepDecay(factor=0.5, at=(2,), warmup=20),
            lambda step, epoch: min(step / 20, 1) * (0.5 if epoch >= 2 else 1),
        ),
    ],
    "exponential": [
        (Exponential(factor=0.7), lambda step, epoch: 0.7**epoch),
        (
            Exponential(factor=0.7, warmup=10, warmup_from=0.25),
            lambda step, epoch: 0.25 + 0.075 * step if step < 10 else 0.7 ** (epoch - 1.25),
        ),
    ],
    "inverse_time": [(InverseTime(decay=2), lambda step, epoch: 1 / (1 + 2 * epoch))],
    "cosine": [
        (Cosine(), lambda step, epoch: along(1, 0, step / 60)),
        (Cosine(to=0.1, cycles=3), lambda step, epoch: along(1, 0.1, step % 20 / 20)),
        (
            Cosine(warmup=12),
            lambda step, epoch: step / 12 if step < 12 else along(1, 0, (step - 12) / 48),
        ),
        # A warm-up longer than the training only rises.
        (Cosine(warmup=100, warmup_from=0.5), lambda step, epoch: 0.5 + step / 200),
    ],
    "polynomial": [
        (Polynomial(power=0.9), lambda step, epoch: (1 - step / 60) ** 0.9),
        (Polynomial(to=0.5, warmup=30), lambda step, epoch: min(step / 30, 1.5 - step / 60)),
    ],
    "one_cycle": [
        (
            OneCycle(rise=0.35, start=0.1, end=0.01),
            lambda step, epoch: along(0.1, 1, step / 20) if step < 20 else along(1, 0.01, (step - 20) / 39),
        )
    ],
    "plateau": [(Plateau(warmup=4), lambda step, epoch: min(step / 4, 1))],
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_rates_follow_their_formula(kind: str) -> None:
    for schedule, factor in FORMULAS[kind]:
        wanted = [RATE * factor(step, step / EPOCH) for step in range(STEPS)]
        assert rates(schedule) == pytest.approx(wanted, rel=1e-14)


def test_every_schedule_has_a_formula() -> None:
    assert set(FACTORS) == set(SCHEDULES.values())


def by_pytorch(make: Callable[[Any, Any], Any], per_epoch: bool, learning_rate: float) -> list[float]:
    """The rates of PyTorch's scheduler, which takes a step after each step, or after each epoch."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], learning_rate)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    found = []
    for step in range(1, STEPS + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not per_epoch or step % EPOCH == 0:
            scheduler.step()
    return found


PYTORCH: list[tuple[AnySchedule, Callable[[Any, Any], Any], bool]] = [
    (StepDecay(factor=0.5, every=2), lambda lr, opt: lr.StepLR(opt, 2, 0.5), True),
    (StepDecay(factor=0.5, at=(1, 4)), lambda lr, opt: lr.MultiStepLR(opt, [1, 4], 0.5), True),
    (Exponential(factor=0.8), lambda lr, opt: lr.ExponentialLR(opt, 0.8 ** (1 / EPOCH)), False),
    (
        InverseTime(decay=1.5),
        lambda lr, opt: lr.LambdaLR(opt, lambda step: 1 / (1 + 1.5 * step / EPOCH)),
        False,
    ),
    (Cosine(to=0.2), lambda lr, opt: lr.CosineAnnealingLR(opt, STEPS, 0.2 * RATE), False),
    (
        Cosine(cycles=4),
        lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, STEPS // 4),
        False,
    ),
    (Polynomial(power=2), lambda lr, opt: lr.PolynomialLR(opt, STEPS, 2), False),
    (OneCycle(), lambda lr, opt: lr.OneCycleLR(opt, RATE, total_steps=STEPS + 1), False),
    (
        ConstantRate(warmup=10, warmup_from=0.1),
        lambda lr, opt: lr.LinearLR(opt, 0.1, total_iters=10),
        False,
    ),
]


@pytest.mark.parametrize(
    ("schedule", "make", "per_epoch"), PYTORCH, ids=lambda value: getattr(value, "kind", "")
)
def test_rates_are_pytorchs(schedule: AnySchedule, make: Any, per_epoch: bool) -> None:
    # PyTorch's scheduler is stepped once more than there are steps, and one cycle refuses that.
    course = Course(STEPS + 1, EPOCH) if isinstance(schedule, OneCycle) else COURSE
    assert rates(schedule, course)[:STEPS] == pytest.approx(
        by_pytorch(make, per_epoch, RATE), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("larger", [False, True])
def test_a_plateau_is_pytorchs(larger: bool) -> None:
    torch = pytest.importorskip("torch")
    figures = [5, 4, 4, 3.95, 4.1, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2.1, math.nan, 2.2, 2.3, 2.4, 2.5]
    figures = [-each for each in figures] if larger else figures
    schedule = Plateau(factor=0.3, after=3, threshold=0.1, smallest=0.02)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], RATE)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, "max" if larger else "min", factor=0.3, patience=2, threshold=0.1, threshold_mode="abs",
        min_lr=0.02 * RATE, eps=0,
    )  # fmt: skip
    waiting = Waiting()
    for figure in figures:
        theirs.step(figure)
        waiting = waited(schedule, waiting, figure, larger_is_better=larger)
        assert rate(schedule, RATE, 3, COURSE, waiting) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert waiting.factor == 0.02


def test_an_epoch_without_a_figure_is_not_better() -> None:
    schedule, waiting = Plateau(after=2, factor=0.5), Waiting()
    factors = []
    for figure in (None, 1.0, None, math.inf, None):
        waiting = waited(schedule, waiting, figure, larger_is_better=True)
        factors.append(waiting.factor)
    assert factors == [1, 1, 1, 0.5, 0.5]


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_training_can_be_as_short_as_one_step(kind: str, steps: int) -> None:
    for schedule, _ in FORMULAS[kind]:
        assert all(0 <= each <= RATE for each in rates(schedule, Course(steps, EPOCH)))


def test_a_step_schedule_says_its_epochs_once() -> None:
    for given in ({}, {"every": 3, "at": (2,)}):
        with pytest.raises(Invalid, match="needs either `every` or `at`"):
            StepDecay.model_validate(given)


def test_rates_need_no_numpy() -> None:
    program = "import sys, netspec.training.rates; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
