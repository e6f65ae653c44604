"""What the settings of a recipe have in common: the bases of their models, and the kinds of numbers.

The models of each family (losses, schedules, …) are in a module of their own, which is imported only for a recipe that
names one of them: `netspec check` reads recipes, and must start fast.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from netspec.model import BeforeValidator, Field, Model
from netspec.types import LARGEST_FLOAT

# Weights are float32: a number outside float32 would become 0 or infinite.
SMALLEST = 2.0**-126


def listed(value: object) -> object:
    """Turn a single value into a list."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class Settings(Model):
    """Settings with defaults; an unknown one is an error."""


class Named(Settings):
    """One of a family of models, chosen by its name: `sgd`, or `{sgd: {momentum: 0.9}}`."""

    kind: ClassVar[str]
    main: ClassVar[str | None] = None
    """The setting that a plain value stands for: `crop: 24` for `crop: {size: 24}`."""


Count = Annotated[int, Field(ge=1, le=2**31 - 1, description="a whole number from 1")]
Whole = Annotated[int, Field(ge=0, le=2**31 - 1, description="a whole number from 0")]
Limit = Annotated[Count | None, Field(description="a whole number from 1")]
Pixels = Annotated[int, Field(ge=0, le=10_000, description="a whole number of pixels from 0")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 2³² − 1")]
Number = Annotated[
    float, Field(ge=-LARGEST_FLOAT, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number")
]
Positive = Annotated[
    float, Field(ge=SMALLEST, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number above 0")
]
NotNegative = Annotated[
    float, Field(ge=0, le=LARGEST_FLOAT, allow_inf_nan=False, description="a float32 number from 0")
]
Fraction = Annotated[float, Field(ge=0, le=1 - 2.0**-24, description="a float32 number from 0 to below 1")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1")]
Flag = Annotated[bool, Field(description="`true` or `false`")]
Word = Annotated[str, Field(min_length=1, description="a name")]
Numbers = Annotated[
    tuple[Number, ...],
    BeforeValidator(listed),
    Field(min_length=1, description="a float32 number, or a list of them"),
]


def family(*models: type[Any]) -> dict[str, type[Any]]:
    """The models of a family by their names."""
    return {each.kind: each for each in models}


Targets = Literal["classes", "numbers"]
Reading = Literal["classes", "nearest", "shares", "bits", "numbers"]
"""How metrics read an output: its class is the largest or the nearest one, of a target that is an index or shares; or
every output is a bit, 1 above 0; or it is a number."""
ANSWERS: frozenset[Reading] = frozenset({"classes", "nearest", "shares", "bits"})


class Loss(Named):
    """What all losses have."""

    of_logits: ClassVar[bool] = False
    targets: ClassVar[Targets | None] = "numbers"
    """What a target is: class indices (0 and 1 for one output), or numbers; None: there is none."""

    weight: Positive = 1.0
    target: Annotated[Word | None, Field(description="the name of a target of the data")] = None

    def reading(self, channels: int) -> Reading | None:
        """How metrics read an output of so many channels that has this loss; None: metrics do not read it."""
        if self.targets == "classes":
            return "bits" if channels == 1 else "classes"
        return self.targets


class Schedule(Named):
    """What all schedules have: a linear warm-up over the first `warmup` steps, from the factor `warmup_from` to 1."""

    warmup: Annotated[Whole, Field(description="a whole number of steps from 0")] = 0
    warmup_from: Share = 0.0


class Metric(Named):
    """What all metrics have. `output` is the head that is measured; by default the first whose targets fit."""

    output: Annotated[Word | None, Field(description="the name of a head")] = None
    larger_is_better: ClassVar[bool] = True
    readings: ClassVar[frozenset[Reading]] = ANSWERS
    """The outputs that it measures."""
    tally: ClassVar[str] = "confusion"
    """What it is calculated from."""

    @property
    def tallied(self) -> str:
        """The name of the tally, with its settings."""
        return self.tally


class Augment(Named):
    """What all augmentations have: the probability with which a sample is changed."""

    probability: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="a probability from 0 to 1")
    ] = 1.0


class GradientClip(Named):
    """A limit of the gradients, before the step of the optimiser."""

    main: ClassVar[str | None] = "limit"
    limit: Positive
