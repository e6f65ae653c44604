"""The recipe as data: every setting with its default. The language reads it, training uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from netspec.dataclass import dataclass
from netspec.diagnostics.span import Span
from netspec.model import BeforeValidator, Field, Model
from netspec.recipe.names import EMBEDDED
from netspec.recipe.optimizers import OPTIMIZERS, SMALLEST, Adam, Optimizer, Sgd
from netspec.types import LARGEST_FLOAT


def _listed(value: object) -> object:
    """Turn a single value into a list."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Count = Annotated[int, Field(ge=1, le=2**31 - 1, description="a whole number from 1")]
OptionalCount = Annotated[Count | None, Field(description="a whole number from 1")]
Pixels = Annotated[int, Field(ge=0, le=10_000, description="a whole number of pixels from 0")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 2³² − 1")]
FiniteFloat = Annotated[float, Field(ge=-LARGEST_FLOAT, le=LARGEST_FLOAT, allow_inf_nan=False)]
Above = Annotated[float, Field(ge=SMALLEST, le=LARGEST_FLOAT, allow_inf_nan=False)]


class Normalise(Model):
    """x ← (x − mean) / std, one number for all channels or one per channel; in units of the scaled image."""

    mean: Annotated[
        tuple[FiniteFloat, ...],
        BeforeValidator(_listed),
        Field(description="a float32 number, or one per channel"),
    ]
    std: Annotated[
        tuple[Above, ...],
        BeforeValidator(_listed),
        Field(description="a float32 number above 0, or one per channel"),
    ]


class Recipe(Model):
    """How a network is trained, with all defaults filled in.

    `data` is a name of `SETS` or a path. `pad` adds pixels of value 0 on every side. Then bytes are divided by 255;
    floats are not changed. `normalise` comes last. `train_size` and `test_size` limit the sets to their first samples.
    The same seed gives the same initial weights and the same order of samples on every backend.
    """

    data: Annotated[str, Field(min_length=1, description="the name of a data set, or a path")] = EMBEDDED
    pad: Pixels = 0
    normalise: Normalise | None = None
    train_size: OptionalCount = None
    test_size: OptionalCount = None
    batch: Count = 64
    epochs: Count = 10
    loss: Annotated[Literal["cross_entropy"], Field(description="`cross_entropy`")] = "cross_entropy"
    optimizer: Optimizer = OPTIMIZERS["adam"]()
    metrics: Annotated[
        tuple[Literal["accuracy"], ...],
        BeforeValidator(_listed),
        Field(description="a list of names: [accuracy]"),
    ] = ("accuracy",)
    seed: Seed = 0


def plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as in a spec, with every default written out."""
    return {name: value for name, value in _plain(recipe, unset=True).items() if value is not None}


@dataclass(frozen=True, slots=True)
class StatedRecipe:
    """The recipe of a spec.

    `recipe` is None if a setting is wrong, which is reported. `places` has the place of each setting in the spec, by
    its path of keys: `("optimizer", "sgd", "momentum")`; the key `()` has the place of the whole recipe.
    """

    recipe: Recipe | None
    places: Mapping[tuple[str, ...], Span]


def stated(recipe: Recipe) -> dict[str, Any]:
    """The settings that the spec gives, without the defaults, in the form of a spec."""
    return _plain(recipe, unset=False)


def _plain(model: Model, unset: bool) -> dict[str, Any]:
    """The settings of a model, or only those that are set; those of an optimiser are under its name."""
    names = [name for name in model.model_fields if unset or name in model.model_fields_set]
    return {name: _written(getattr(model, name), unset) for name in names}


def _written(value: object, unset: bool) -> Any:
    if isinstance(value, Sgd | Adam):
        return {value.kind: _plain(value, unset)}
    if isinstance(value, Model):
        return _plain(value, unset)
    return list(value) if isinstance(value, tuple) else value
