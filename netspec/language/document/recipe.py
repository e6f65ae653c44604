"""Reads a recipe (`train:`) into data, and reports its errors with their places. Imports no NumPy or framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.language.document import settings
from netspec.language.document.overrides import overlay, positioned
from netspec.language.document.settings import Family, Reader
from netspec.language.reading import values
from netspec.language.reading.values import Scalar, Value
from netspec.recipe import CheckpointInterval, EarlyStop, Group, Normalise, Recipe, StatedRecipe
from netspec.recipe import stated as given
from netspec.recipe.names import KNOWN, is_path

OPTIMIZER = Family(
    "optimiser",
    "netspec.recipe.optimizers",
    "OPTIMIZERS",
    "OPTIMIZERS",
    "{sgd: {learning_rate: 0.05, momentum: 0.9}}",
    "adam",
)
LOSS = Family("loss", "netspec.recipe.losses", "LOSSES", "LOSSES", "cross_entropy", "cross_entropy")
SCHEDULE = Family(
    "schedule", "netspec.recipe.schedules", "SCHEDULES", "SCHEDULES", "{cosine: {warmup: 500}}", "constant"
)
METRIC = Family("metric", "netspec.recipe.metrics", "METRICS", "METRICS", "accuracy")
AUGMENT = Family("augmentation", "netspec.recipe.augmentation", "AUGMENTATIONS", "AUGMENTATIONS", "flip")
WHITENING = Family(
    "whitening", "netspec.recipe.whitening", "WHITENINGS", "WHITENINGS", "{zca: {epsilon: 0.01}}", "zca"
)
CLIP = Family("limit of gradients", "netspec.recipe.clipping", "CLIPS", "CLIPS", "{norm: 1.0}", "norm")

CHOICES: Mapping[str, Family] = {
    "optimizer": OPTIMIZER,
    "loss": LOSS,
    "schedule": SCHEDULE,
    "clip": CLIP,
    "whiten": WHITENING,
}
"""The settings that are one of a family."""


EXCLUSIVE: Mapping[tuple[str, str], str] = {
    ("loss", "losses"): "`loss` is for a network with one output, `losses` for several by their names",
    ("epochs", "steps"): "the length of a training is `epochs`, or `steps` instead",
}
"""Settings of which a recipe has one, and why."""


def state(value: values.Mapping, problems: Problems) -> StatedRecipe:
    """The recipe of a spec, with the places of its settings."""
    return StatedRecipe(read(value, problems), dict(_places(value)))


def settle(
    stated: StatedRecipe | None,
    problems: Problems,
    file: str = "",
    overrides: Mapping[str, object] | None = None,
) -> Recipe | None:
    """The recipe of a spec with settings from the command line; None if it is wrong (`problems` says why).

    Without a recipe in the spec, the defaults apply: the embedded data, Adam, ten epochs. A key of `overrides` has
    dots (`optimizer.learning_rate`) and a plain value; problems with it point at `--set train.KEY`.
    """
    recipe = Recipe() if stated is None else stated.recipe
    if recipe is None or not overrides:
        return recipe
    places = {} if stated is None else stated.places
    whole = places.get((), Span(file, 1, 1, 1, 1))
    # Of two settings that exclude each other, the one on the command line takes the place of the other.
    replaced = {
        other
        for pair in EXCLUSIVE
        for other in pair
        if other not in overrides and any(each in overrides for each in pair)
    }
    kept = {key: each for key, each in given(recipe).items() if key not in replaced}
    return read(overlay(positioned(kept, whole, places), overrides, CHOICES), problems)


def again(whole: Mapping[str, object], problems: Problems, file: str) -> Recipe | None:
    """The recipe that a run folder has, with all defaults written out; None if it is wrong."""
    return read(positioned(whole, Span(file, 1, 1, 1, 1), {}), problems)


def _places(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Span]]:
    yield path, value.span
    if isinstance(value, values.Mapping):
        for key, entry in value.entries.items():
            yield from _places(entry.value, (*path, key))
    elif isinstance(value, values.Listing):
        for at, each in enumerate(value.items):
            yield from _places(each, (*path, str(at)))


def read(whole: values.Mapping, problems: Problems) -> Recipe | None:
    """The recipe in a mapping; None if it is wrong (`problems` says why)."""
    before = len(problems.errors)
    recipe = settings.read(Recipe, "a recipe", whole, problems, _PARTS, "RECIPE")
    _consistent(whole, problems)
    return recipe if len(problems.errors) == before else None


def _data(value: Value, field: str, problems: Problems) -> object:
    """A name, a path, or a mapping of sources and parts."""
    if isinstance(value, values.Mapping):
        from netspec.recipe.data import BitsData, Data, TableData, TextData

        parts = {
            "train": _source,
            "validation": _part,
            "test": _part,
            "table": settings.model(TableData, "{inputs: [a, b], targets: [c]}", words="DATA_SETTINGS"),
            "text": settings.model(TextData, "{length: 100}", words="DATA_SETTINGS"),
            "bits": settings.model(BitsData, "{length: 24, delay: 4}", words="DATA_SETTINGS"),
        }
        return settings.read(Data, "`data`", value, problems, parts, "DATA_SETTINGS")
    return _source(value, field, problems)


def _source(value: Value, field: str, problems: Problems) -> str | None:
    """The name of a data set, or a path. A misspelt name is never taken for a path."""
    name = value.value if isinstance(value, Scalar) else None
    if not isinstance(name, str) or not name:
        problems.error(
            codes.SETTING_VALUE,
            f"`{field}` must be the name of a data set, or a path, not {settings.spoken(value)}",
            value.span,
            help=f"write `{field}: {Recipe.model_fields['data'].default}`, for example",
        )
        return None
    if name in KNOWN or is_path(name):
        return name
    path = f"for a file or folder write its path with a slash: `./{name}`"
    meant = settings.lead(name, KNOWN, settings.words_of("DATA"))
    problems.error(
        codes.UNKNOWN_DATA,
        f"no data set is called `{name}`",
        value.span,
        notes=[f"the data sets are {settings.joined(KNOWN)}"],
        help=f"{meant}; {path}" if meant else path,
    )
    return None


def _part(value: Value, field: str, problems: Problems) -> str | float | int | None:
    """A part of the data: a source, a fraction of the training part, or a number of its samples."""
    plain = value.value if isinstance(value, Scalar) else ()
    if plain is None:
        return None
    if isinstance(plain, str):
        return _source(value, field, problems)
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not _is_part(plain):
        problems.error(
            codes.SETTING_VALUE,
            f"`{field}` must be a path, a fraction between 0 and 1, or a whole number of samples from 1, "
            f"not {settings.spoken(value)}",
            value.span,
            help=f"write `{field}: 0.1`, for example",
        )
        return None
    return plain


def _is_part(number: float) -> bool:
    return 1 <= number < 2**31 if isinstance(number, int) else 0 < number < 1


def _consistent(whole: values.Mapping, problems: Problems) -> None:
    """Report settings that exclude each other."""
    for (first, second), why in EXCLUSIVE.items():
        if first in whole.entries and second in whole.entries:
            problems.error(
                codes.SETTING_VALUE,
                f"a recipe has `{first}` or `{second}`, not both",
                whole.entries[second].key_span,
                notes=[why],
                help=f"remove `{first}` or `{second}`",
            )


def _figure(value: Value, field: str, problems: Problems) -> str | None:
    """The name of a figure of the training or validation part: `validation_loss`."""
    name = value.value if isinstance(value, Scalar) else ()
    if name is None:
        return None
    part, _, figure = str(name).partition("_")
    if isinstance(name, str) and part in ("train", "validation") and figure:
        return name
    if isinstance(name, str) and part == "test":
        message, help = (
            "the test part is used once, after the training, so nothing is chosen by it",
            (f"write `{field}: validation_{figure or 'loss'}`"),
        )
    else:
        message = f"`{field}` must be a figure of a part, not {settings.spoken(value)}"
        help = f"write `{field}: validation_loss`, or `validation_` and the name of a metric"
    problems.error(codes.SETTING_VALUE, message, value.span, help=help)
    return None


def _schedule(value: Value, field: str, problems: Problems) -> object:
    found = settings.one_of(SCHEDULE)(value, field, problems)
    entry = value.entries.get("plateau") if isinstance(value, values.Mapping) else None
    if found is not None and entry is not None and isinstance(entry.value, values.Mapping):
        metric = entry.value.entries.get("metric")
        if metric is not None and _figure(metric.value, "metric", problems) is None:
            return None
    return found


_PARTS: dict[str, Reader] = {
    "data": _data,
    "normalise": settings.model(
        Normalise,
        "{mean: 0.5, std: 0.25}",
        also=("measured", "sample"),
        words="NORMALISE",
        wanted="a mapping with `mean` and `std`, `measured`, or `sample`",
    ),
    "whiten": settings.one_of(WHITENING),
    "augment": settings.each_of(settings.one_of(AUGMENT)),
    "loss": settings.one_of(LOSS),
    "losses": settings.by_name(settings.one_of(LOSS), "{main: cross_entropy}"),
    "optimizer": settings.one_of(OPTIMIZER),
    "schedule": _schedule,
    "clip": settings.one_of(CLIP),
    "groups": settings.each_of(settings.model(Group, "[{layers: features.*, rate: 0.1}]")),
    "metrics": settings.each_of(settings.one_of(METRIC)),
    "best": _figure,
    "stop": settings.model(EarlyStop, "{after: 5}", {"metric": _figure}),
    "checkpoint": settings.model(CheckpointInterval, "{epochs: 1}"),
}
