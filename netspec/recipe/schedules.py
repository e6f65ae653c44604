"""Schedules as data: the learning rate of every step, as a factor of the optimiser's `learning_rate`.

Steps are counted from 0, over the whole training. `warmup` steps come first: the factor rises linearly from
`warmup_from` to 1 and reaches 1 at the step `warmup`; the schedule itself starts there. The formulas are in
`netspec.training.rates`, once for all backends, in float64.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from netspec.model import BeforeValidator, Field, Info, RefusedValue, field_validator
from netspec.recipe.model import Count, NotNegative, Positive, Schedule, Share, Word, family, listed


class ConstantRate(Schedule):
    """The factor is 1."""

    kind: ClassVar[Literal["constant"]] = "constant"


class StepDecay(Schedule):
    """The factor is multiplied by `factor` every `every` epochs, or after as many epochs as each number in `at` says.

    Epochs count from the start of the training, warm-up or not. One of `every` and `at` is needed.
    """

    kind: ClassVar[Literal["step"]] = "step"
    factor: Positive = 0.1
    every: Annotated[Count | None, Field(description="a whole number of epochs from 1")] = None
    at: Annotated[
        tuple[Count, ...],
        BeforeValidator(listed),
        Field(description="a list of whole numbers of epochs from 1", validate_default=True),
    ] = ()

    @field_validator("at")
    @classmethod
    def _is_said_once(cls, at: tuple[int, ...], info: Info) -> tuple[int, ...]:
        every = info.data.get("every")
        if "every" in info.data and bool(at) == (every is not None):
            told = "both are given" if at else "neither is given"
            raise RefusedValue(
                "one_of",
                f"`step` needs either `every` or `at`, but {told}",
                {"help": "write `step: {every: 30, factor: 0.1}`, for example"},
            )
        return at


class Exponential(Schedule):
    """factor^epoch, where epoch = step / steps per epoch, with its fraction."""

    kind: ClassVar[Literal["exponential"]] = "exponential"
    factor: Positive = 0.95


class InverseTime(Schedule):
    """1 / (1 + decay · epoch), epoch = step / steps per epoch."""

    kind: ClassVar[Literal["inverse_time"]] = "inverse_time"
    decay: Positive = 1.0


class Cosine(Schedule):
    """to + (1 − to) · (1 + cos(π · done)) / 2, where `done` is the fraction of the steps after the warm-up.

    With `cycles`, it restarts that many times in equal parts (Loshchilov and Hutter 2017).
    """

    kind: ClassVar[Literal["cosine"]] = "cosine"
    to: Share = 0.0
    cycles: Count = 1


class Polynomial(Schedule):
    """to + (1 − to) · (1 − done)^power; a power of 1 is a linear schedule."""

    kind: ClassVar[Literal["polynomial"]] = "polynomial"
    power: Positive = 1.0
    to: Share = 0.0


class OneCycle(Schedule):
    """From `start` up to 1 in the fraction `rise` of the steps, then down to `end`, both along a cosine.

    Smith and Topin 2018, as in `torch.optim.lr_scheduler.OneCycleLR` without a cycle of the momentum.
    """

    kind: ClassVar[Literal["one_cycle"]] = "one_cycle"
    rise: Annotated[float, Field(gt=0, lt=1, description="a number between 0 and 1")] = 0.3
    start: Share = 0.04
    end: Share = 0.000004


class Plateau(Schedule):
    """The factor is multiplied by `factor` after `after` epochs in a row without a better `metric`.

    Better is a figure beyond the best one by more than `threshold`. The factor is at least `smallest`.
    """

    kind: ClassVar[Literal["plateau"]] = "plateau"
    factor: Annotated[float, Field(gt=0, lt=1, description="a number between 0 and 1")] = 0.1
    after: Count = 10
    threshold: NotNegative = 0.0
    metric: Annotated[Word | None, Field(description="the name of a figure, such as `validation_loss`")] = (
        None
    )
    smallest: Share = 0.0


AnySchedule = ConstantRate | StepDecay | Exponential | InverseTime | Cosine | Polynomial | OneCycle | Plateau
SCHEDULES: dict[str, type[Any]] = family(
    ConstantRate, StepDecay, Exponential, InverseTime, Cosine, Polynomial, OneCycle, Plateau
)
