"""The learning rate of every step, in float64: once for all backends, without NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from netspec.dataclass import dataclass, replace
from netspec.recipe.model import Schedule
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


@dataclass(frozen=True, slots=True)
class Course:
    """How many steps a training has, and how many an epoch of it."""

    steps: int
    steps_per_epoch: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a plateau remembers: the best figure, the epochs since then, and the factor so far."""

    best: float | None = None
    epochs: int = 0
    factor: float = 1.0


def rate(
    schedule: AnySchedule, learning_rate: float, step: int, course: Course, waiting: Waiting | None = None
) -> float:
    """The learning rate of a step, counted from 0 over the whole training.

    A plateau also depends on what it remembers; `waited` updates that after every epoch.
    """
    factor = FACTORS[type(schedule)](schedule, step, course)
    if isinstance(schedule, Schedule):
        factor *= _warmed(schedule, step)
    return learning_rate * factor * (1.0 if waiting is None else waiting.factor)


def waited(schedule: Plateau, before: Waiting, figure: float | None, *, larger_is_better: bool) -> Waiting:
    """What the plateau remembers after an epoch with this figure. NaN is not better."""
    if figure is not None and math.isfinite(figure):
        sign = -1.0 if larger_is_better else 1.0
        if before.best is None or sign * figure < sign * before.best - schedule.threshold:
            return replace(before, best=figure, epochs=0)
    if before.epochs + 1 < schedule.after:
        return replace(before, epochs=before.epochs + 1)
    return replace(before, epochs=0, factor=max(before.factor * schedule.factor, schedule.smallest))


def _warmed(schedule: Schedule, step: int) -> float:
    """The factor of the warm-up: 1 from the step `warmup` on."""
    if step >= schedule.warmup:
        return 1.0
    return schedule.warmup_from + (1 - schedule.warmup_from) * step / schedule.warmup


def _since(schedule: Schedule, step: int) -> int:
    """The steps since the end of the warm-up."""
    return max(step - schedule.warmup, 0)


def _left(schedule: Schedule, course: Course) -> int:
    """The steps after the warm-up."""
    return max(course.steps - schedule.warmup, 1)


def _done(schedule: Schedule, step: int, course: Course) -> float:
    """The fraction of the steps after the warm-up that is done."""
    return min(_since(schedule, step) / _left(schedule, course), 1.0)


def _constant(schedule: ConstantRate | Plateau, step: int, course: Course) -> float:
    return 1.0


def _step(schedule: StepDecay, step: int, course: Course) -> float:
    epoch = step // course.steps_per_epoch
    passed = sum(epoch >= at for at in schedule.at)
    return float(schedule.factor ** (epoch // schedule.every if schedule.every else passed))


def _exponential(schedule: Exponential, step: int, course: Course) -> float:
    return math.pow(schedule.factor, _since(schedule, step) / course.steps_per_epoch)


def _inverse_time(schedule: InverseTime, step: int, course: Course) -> float:
    return 1 / (1 + schedule.decay * _since(schedule, step) / course.steps_per_epoch)


def _cosine(schedule: Cosine, step: int, course: Course) -> float:
    # In whole numbers, so that a cycle starts at exactly 1.
    left = _left(schedule, course)
    at = _since(schedule, step) * schedule.cycles
    done = 1.0 if at >= left * schedule.cycles else at % left / left
    return _along(1.0, schedule.to, done)


def _polynomial(schedule: Polynomial, step: int, course: Course) -> float:
    left = 1 - _done(schedule, step, course)
    return schedule.to + (1 - schedule.to) * math.pow(left, schedule.power)


def _one_cycle(schedule: OneCycle, step: int, course: Course) -> float:
    top, last = schedule.rise * course.steps - 1, course.steps - 1
    if top > 0 and step <= top:
        return _along(schedule.start, 1.0, step / top)
    top = max(top, 0.0)
    return _along(1.0, schedule.end, min((step - top) / (last - top), 1.0) if last > top else 1.0)


def _along(start: float, end: float, done: float) -> float:
    """From `start` to `end` along half a period of a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


Factor = Callable[[Any, int, Course], float]
FACTORS: Mapping[type[Any], Factor] = {
    ConstantRate: _constant,
    StepDecay: _step,
    Exponential: _exponential,
    InverseTime: _inverse_time,
    Cosine: _cosine,
    Polynomial: _polynomial,
    OneCycle: _one_cycle,
    Plateau: _constant,
}
"""For each schedule the factor of a step, without the warm-up."""
