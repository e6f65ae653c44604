"""Reads a recipe (`train:`) into data, and reports its errors with their places. Imports no NumPy or framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.language.document.overrides import overlay, positioned
from netspec.language.reading import values
from netspec.language.reading.values import Listing, Scalar, Value
from netspec.model import Invalid, Model
from netspec.recipe import Normalise, Recipe, StatedRecipe
from netspec.recipe import stated as given
from netspec.recipe.names import SETS, is_path
from netspec.recipe.optimizers import OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from netspec.ops.words import WordTable

M = TypeVar("M", bound=Model)


_EXAMPLES = {
    **{name: field.default for name, field in Recipe.model_fields.items()},
    **{name: field.default for model in OPTIMIZERS.values() for name, field in model.model_fields.items()},
    "train_size": 1000,
    "test_size": 1000,
    "metrics": "[accuracy]",
    "mean": 0.5,
    "std": 0.25,
}


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
    dots (`optimizer.sgd.learning_rate`) and a plain value; problems with it point at `--set train.KEY`.
    """
    recipe = Recipe() if stated is None else stated.recipe
    if recipe is None or not overrides:
        return recipe
    places = {} if stated is None else stated.places
    whole = places.get((), Span(file, 1, 1, 1, 1))
    return read(overlay(positioned(given(recipe), whole, places), overrides), problems)


def _places(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Span]]:
    yield path, value.span
    if isinstance(value, values.Mapping):
        for key, entry in value.entries.items():
            yield from _places(entry.value, (*path, key))


def read(whole: values.Mapping, problems: Problems) -> Recipe | None:
    """The recipe in a mapping; None if it is wrong (`problems` says why)."""
    before = len(problems.errors)
    parts = {key: reader for key, reader in _PARTS.items() if key in whole.entries}
    given = {key: reader(whole.entries[key].value, problems) for key, reader in parts.items()}
    rest = values.Mapping({key: each for key, each in whole.entries.items() if key not in parts}, whole.span)
    sound = {key: part for key, part in given.items() if part is not None}
    recipe = _validate(Recipe, rest, problems, sound, whole)
    _known_data(whole, problems)
    return recipe if len(problems.errors) == before else None


def _validate(
    model: type[M],
    mapping: values.Mapping,
    problems: Problems,
    given: Mapping[str, object] | None = None,
    whole: values.Mapping | None = None,
) -> M | None:
    """The model of a mapping; `given` are its parts that are already read, `whole` is the written recipe."""
    try:
        return model.model_validate({**_plain(mapping), **(given or {})})
    except Invalid as error:
        told: set[str] = set()
        for detail in error.details:
            if (field := str(detail["loc"][0])) not in told:
                told.add(field)
                _report(detail, model, mapping, problems, whole or mapping)
    return None


def _plain(mapping: values.Mapping) -> dict[str, object]:
    return {key: values.plain(entry.value) for key, entry in mapping.entries.items()}


def _report(
    detail: ErrorDetails,
    model: type[Model],
    mapping: values.Mapping,
    problems: Problems,
    whole: values.Mapping,
) -> None:
    field = str(detail["loc"][0])
    kind = detail["type"]
    if kind == "extra_forbidden":
        span, known = values.locate_key(mapping, [field]), sorted(model.model_fields)
        given: object = values.plain(mapping.entries[field].value)
        if model is Recipe:
            given = (given, _optimizer_of(whole))
        advice = _lead(field, known, _words(_TABLES.get(model, "SETTINGS")), given)
        advice = advice or f"the settings are {_joined(known)}"
        message = f"{_NAMES[model]} does not have the setting `{field}`"
        problems.error(codes.UNKNOWN_SETTING, message, span, help=advice)
    elif kind == "missing":
        message = f"`{field}` is missing in {_NAMES[model]}"
        problems.error(
            codes.SETTING_MISSING,
            message,
            mapping.span,
            help=f"add `{field}: {_EXAMPLES[field]}`, for example",
        )
    elif kind == "nesterov":
        span = values.locate(mapping, [field])
        problems.error(
            codes.SETTING_VALUE, detail["msg"], span, help="add `momentum: 0.9`, or remove `nesterov`"
        )
    elif kind == "literal_error":
        _report_choice(field, values.locate(mapping, detail["loc"]), detail, problems)
    else:
        wanted = model.model_fields[field].description
        found = _spoken(_inmost(mapping, detail["loc"]))
        problems.error(
            codes.SETTING_VALUE,
            f"`{field}` must be {wanted}, not {found}",
            values.locate(mapping, detail["loc"]),
            help=f"write `{field}: {_in_yaml(_EXAMPLES[field])}`, for example",
        )


def _report_choice(field: str, span: Any, detail: ErrorDetails, problems: Problems) -> None:
    known, given = _CHOICES[field], detail["input"]
    if not isinstance(given, str):
        message = f"`{field}` must be a name"
        problems.error(codes.SETTING_VALUE, message, span, help=f"write `{known[0]}`")
        return
    words = _words("LOSSES" if field == "loss" else "METRICS")
    problems.error(
        codes.UNKNOWN_CHOICE,
        f"no {_SINGULAR[field]} is called `{given}`",
        span,
        help=_lead(given, known, words) or f"the known ones are {_joined(known)}",
    )


def _optimizer(value: Value, problems: Problems) -> Optimizer | None:
    """Read a name, or `{name: {settings}}`. Settings are checked only if the optimiser is known."""
    if isinstance(value, values.Mapping) and len(value.entries) == 1:
        ((name, entry),) = value.entries.items()
        name_span, settings = entry.key_span, entry.value
    elif isinstance(value, Scalar) and isinstance(value.value, str):
        name, name_span, settings = value.value, value.span, Scalar(None, value.span, "")
    else:
        found = "not several" if isinstance(value, values.Mapping) else f"not {_spoken(value)}"
        advice = "write `{sgd: {learning_rate: 0.05, momentum: 0.9}}`, for example"
        problems.error(codes.ONE_OPTIMIZER, f"`optimizer` must be one name, {found}", value.span, help=advice)
        return None
    if name not in OPTIMIZERS:
        _unknown_optimizer(name, name_span, problems)
        return None
    if isinstance(settings, Scalar) and settings.value is None:
        settings = values.Mapping({}, settings.span)
    if not isinstance(settings, values.Mapping):
        message = f"`{name}` takes a mapping of settings, not {_spoken(settings)}"
        advice = f"write `{name}: {{learning_rate: {_EXAMPLES['learning_rate']}}}`, for example"
        problems.error(codes.ONE_OPTIMIZER, message, settings.span, help=advice)
        return None
    return _validate(OPTIMIZERS[name], settings, problems)


def _unknown_optimizer(name: str, span: Any, problems: Problems) -> None:
    settings = {field for model in OPTIMIZERS.values() for field in model.model_fields}
    if name in settings:
        message = f"`{name}` is a setting of an optimiser, but the name of the optimiser is missing"
        problems.error(codes.ONE_OPTIMIZER, message, span, help=f"write `{{sgd: {{{name}: …}}}}`")
        return
    advice = _lead(name, OPTIMIZERS, _words("OPTIMIZERS")) or f"the known ones are {_joined(OPTIMIZERS)}"
    problems.error(codes.UNKNOWN_CHOICE, f"no optimiser is called `{name}`", span, help=advice)


def _normalise(value: Value, problems: Problems) -> Normalise | None:
    if isinstance(value, Scalar) and value.value is None:
        return None
    if isinstance(value, values.Mapping):
        return _validate(Normalise, value, problems)
    message = f"`normalise` must be a mapping with `mean` and `std`, not {_spoken(value)}"
    problems.error(
        codes.SETTING_VALUE,
        message,
        value.span,
        help="write `normalise: {mean: 0.5, std: 0.25}`, for example",
    )
    return None


def _known_data(whole: values.Mapping, problems: Problems) -> None:
    entry = whole.entries.get("data")
    name = entry.value.value if entry is not None and isinstance(entry.value, Scalar) else None
    if entry is None or not isinstance(name, str) or not name or name in SETS or is_path(name):
        return
    path = f"for a file or folder write its path with a slash: `./{name}`"
    problems.error(
        codes.UNKNOWN_DATA,
        f"no data set is called `{name}`",
        entry.value.span,
        notes=[f"the data sets are {_joined(SETS)}"],
        help=f"{meant}; {path}" if (meant := _lead(name, SETS, _words("DATA"))) else path,
    )


def _optimizer_of(whole: values.Mapping) -> str:
    """The name of the optimiser of a recipe, as far as it can be read."""
    entry = whole.entries.get("optimizer")
    written = None if entry is None else values.plain(entry.value)
    name = next(iter(written), None) if isinstance(written, dict) else written
    return (
        name
        if isinstance(name, str) and name in OPTIMIZERS
        else Recipe.model_fields["optimizer"].default.kind
    )


def _words(table: str) -> WordTable:
    """Words of other libraries of one kind; the tables are imported only for an unknown word."""
    from netspec.language.document import recipe_words as words

    found: WordTable = getattr(words, table)
    return found


def _lead(word: str, known: Iterable[str], words: WordTable, given: object = None) -> str | None:
    """The help for an unknown word, if a library uses it."""
    from netspec.ops.words import lead

    # `torch.optim.SGD`, `keras.losses.MeanSquaredError`: the last part is the name.
    found = lead(word.rpartition(".")[2] or word, known, words, given)
    return None if found is None else found.help


def _inmost(value: Value, loc: Sequence[str | int]) -> Value:
    for part in loc:
        # A single value stands for a list: then the index of pydantic has no counterpart in the text.
        if isinstance(value, values.Mapping) and str(part) in value.entries:
            value = value.entries[str(part)].value
        elif isinstance(value, Listing) and isinstance(part, int):
            value = value.items[part]
    return value


def _spoken(value: Value) -> str:
    if isinstance(value, Listing):
        return "a list"
    if isinstance(value, values.Mapping):
        return "a mapping"
    return f"`{value.text[:40]}`" if value.text else "nothing"


def _in_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_PARTS: dict[str, Callable[[Value, Problems], Model | None]] = {
    "optimizer": _optimizer,
    "normalise": _normalise,
}
_NAMES: dict[type[Model], str] = {
    Recipe: "a recipe",
    Normalise: "`normalise`",
    **{model: f"`{name}`" for name, model in OPTIMIZERS.items()},
}
_TABLES: dict[type[Model], str] = {Recipe: "RECIPE", Normalise: "NORMALISE"}
_CHOICES = {"loss": ("cross_entropy",), "metrics": ("accuracy",)}
_SINGULAR = {"loss": "loss", "metrics": "metric"}
