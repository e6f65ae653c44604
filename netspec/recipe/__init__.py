"""The recipe as data: every setting with its default. The language reads it, training uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from netspec.dataclass import dataclass
from netspec.diagnostics.span import Span
from netspec.model import BeforeValidator, Field, Info, Model, RefusedValue, field_validator
from netspec.recipe.model import (
    SMALLEST,
    Augment,
    Count,
    Flag,
    Fraction,
    GradientClip,
    Limit,
    Loss,
    Metric,
    Named,
    NotNegative,
    Number,
    Pixels,
    Schedule,
    Seed,
    Settings,
    Whole,
    Word,
    listed,
)
from netspec.recipe.names import EMBEDDED
from netspec.recipe.optimizers import OPTIMIZERS, Optimizer
from netspec.types import LARGEST_FLOAT

Above = Annotated[float, Field(ge=SMALLEST, le=LARGEST_FLOAT, allow_inf_nan=False)]
Precision = Literal["float32", "tf32", "bf16", "fp16", "float64"]
Patterns = Annotated[
    tuple[Word, ...],
    BeforeValidator(listed),
    Field(min_length=1, description="the name of a layer, or a list of names; `*` stands for any text"),
]


class Normalise(Settings):
    """x ← (x − mean) / std, one number for all channels or one per channel; in units of the scaled image."""

    mean: Annotated[
        tuple[Number, ...],
        BeforeValidator(listed),
        Field(description="a float32 number, or one per channel"),
    ]
    std: Annotated[
        tuple[Above, ...],
        BeforeValidator(listed),
        Field(description="a float32 number above 0, or one per channel"),
    ]


class Group(Settings):
    """Layers whose weights have settings of their own.

    `layers` are names or patterns of layers or scopes. `rate` multiplies the learning rate, `weight_decay` replaces
    that of the optimiser. `freeze` keeps the weights as they are in the first epochs: a number of epochs, or `true`
    for all; a batch norm of which all weights are frozen calculates as in inference, and its statistics stay. A weight
    belongs to the first group that names it, so a group of some layers comes before one of all; a group to which no
    weight is left is an error.
    """

    layers: Patterns
    rate: NotNegative = 1.0
    weight_decay: Annotated[NotNegative | None, Field(description="a float32 number from 0")] = None
    freeze: Annotated[bool | Count, Field(description="a whole number of epochs from 1, or `true`")] = False


class EarlyStop(Settings):
    """Ends the training after `after` epochs in which `metric` did not get better by more than `threshold`."""

    after: Annotated[Count, Field(description="a whole number of epochs from 1")]
    metric: Annotated[Word | None, Field(description="the name of a figure, such as `validation_loss`")] = (
        None
    )
    threshold: NotNegative = 0.0


class CheckpointInterval(Settings):
    """How often all that a resumed run needs is written: every so many epochs, steps or minutes, whichever is first.

    At least one of them is given.
    """

    epochs: Annotated[Count | None, Field(description="a whole number of epochs from 1")] = None
    steps: Annotated[Count | None, Field(description="a whole number of steps from 1")] = None
    minutes: Annotated[
        Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None,
        Field(description="a number of minutes above 0", validate_default=True),
    ] = None

    @field_validator("minutes")
    @classmethod
    def _is_said(cls, minutes: float | None, info: Info) -> float | None:
        others = [info.data.get(name, 1) for name in ("epochs", "steps")]  # a wrong one is reported
        if minutes is None and others == [None, None]:
            raise RefusedValue(
                "one_of",
                "`checkpoint` needs `epochs`, `steps` or `minutes`, but none is given",
                {"help": "write `checkpoint: {epochs: 1}`, for example"},
            )
        return minutes


class Recipe(Settings):
    """How a network is trained, with all defaults filled in.

    `data` says what it is trained on. `train_size`, `validation_size` and `test_size` limit the parts to
    their first samples. Training samples are augmented by `augment`; then `pad` adds pixels of value 0 on every side,
    and bytes are divided by 255, 16-bit numbers by 65535; others are not changed. `normalise` comes last, and `whiten`
    after it. Both change the inputs with axes, such as images, or all inputs of numbers if none has axes. `measured` is
    the mean and deviation of each channel over the training part, without padding; `sample` those of the numbers of
    each sample, without its padding (a constant sample has the deviation 1).

    `loss` is for a network with one output, `losses` for several, by their names. Without either, the loss is the
    cross-entropy. The length is `epochs`, or `steps` instead. The same seed gives the same initial weights, the same
    order of samples and the same augmentation on every backend. `workers` threads decode pictures, and make the batches
    of other data while a step runs, for which one is enough; with 0, nothing is made ahead.
    """

    data: Annotated[Any, Field(description="the name of a data set, or a path, or a mapping")] = EMBEDDED
    train_size: Limit = None
    validation_size: Limit = None
    test_size: Limit = None
    pad: Pixels = 0
    normalise: Annotated[
        Normalise | Literal["measured", "sample"] | None,
        Field(description="a mapping with `mean` and `std`, `measured`, or `sample`"),
    ] = None
    whiten: Named | None = None
    augment: tuple[Augment, ...] = ()
    batch: Count = 64
    accumulate: Annotated[Count, Field(description="a whole number of batches from 1")] = 1
    epochs: Count = 10
    steps: Annotated[Count | None, Field(description="a whole number from 1")] = None
    loss: Loss | None = None
    losses: dict[str, Loss] = Field(default_factory=dict)
    optimizer: Named = OPTIMIZERS["adam"]()
    schedule: Schedule | None = None
    clip: GradientClip | None = None
    l2: Annotated[
        NotNegative | dict[str, NotNegative] | None,
        Field(description="a float32 number from 0, or a mapping from layers to such numbers"),
    ] = None
    groups: tuple[Group, ...] = ()
    average: Annotated[Fraction | None, Field(description="a float32 number from 0 to below 1")] = None
    metrics: tuple[Metric, ...] | None = None
    best: Annotated[Word | None, Field(description="the name of a figure, such as `validation_accuracy`")] = (
        None
    )
    stop: EarlyStop | None = None
    checkpoint: CheckpointInterval = CheckpointInterval(epochs=1)
    precision: Annotated[Precision, Field(description="`float32`, `tf32`, `bf16`, `fp16` or `float64`")] = (
        "float32"
    )
    compile: Flag = False
    deterministic: Flag = True
    sharded: Flag = False
    capture: Flag = False
    steps_per_call: Annotated[Count, Field(description="a whole number of steps from 1")] = 1
    workers: Annotated[Whole, Field(description="a whole number of threads from 0")] = 1
    seed: Seed = 0

    def measures(self, kind: str) -> bool:
        """Whether a metric of this name is measured; without `metrics` it is the accuracy."""
        return kind == "accuracy" if self.metrics is None else any(each.kind == kind for each in self.metrics)

    @property
    def source(self) -> str:
        """The name of the data set, or the path, of the training part."""
        return self.data if isinstance(self.data, str) else str(self.data.train)


def plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as in a spec, with every default written out, but for settings that are absent."""
    written = _plain(recipe, unset=True)
    if recipe.steps is not None:
        del written["epochs"]
    given = recipe.model_fields_set
    return {
        key: each
        for key, each in written.items()
        if each is not None and each != {} and (each != [] or key in given)
    }


def stated(recipe: Recipe) -> dict[str, Any]:
    """The settings that the spec gives, without the defaults, in the form of a spec."""
    return _plain(recipe, unset=False)


def _plain(model: Model, unset: bool) -> dict[str, Any]:
    """The settings of a model; those of one of a family are under its name."""
    names = type(model).model_fields
    given = {name: getattr(model, name) for name in names if unset or name in model.model_fields_set}
    return {name: _written(value, unset) for name, value in given.items()}


def _written(value: object, unset: bool) -> Any:
    if isinstance(value, Named):
        inner = {key: each for key, each in _plain(value, unset).items() if each is not None}
        return {value.kind: inner}
    if isinstance(value, Model):
        return {key: each for key, each in _plain(value, unset).items() if each is not None}
    if isinstance(value, tuple | list):
        return [_written(each, unset) for each in value]
    if isinstance(value, dict):
        return {key: _written(each, unset) for key, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class StatedRecipe:
    """The recipe of a spec.

    `recipe` is None if a setting is wrong, which is reported. `places` has the place of each setting in the spec, by
    its path of keys: `("optimizer", "sgd", "momentum")`; the key `()` has the place of the whole recipe.
    """

    recipe: Recipe | None
    places: Mapping[tuple[str, ...], Span]

    @property
    def file(self) -> str:
        """The file in which it is written: its paths are relative to the folder of that file."""
        return self.places[()].file


__all__ = [
    "CheckpointInterval",
    "EarlyStop",
    "Group",
    "Normalise",
    "Optimizer",
    "Precision",
    "Recipe",
    "StatedRecipe",
    "plain",
    "stated",
]
