"""Reads settings into models: mappings, lists, and one of a family by its name. Every error has its place in the text.

A `Reader` takes the value of a setting and the name of the setting, and returns what the model takes. It returns None
if the value is wrong, which is reported, or if there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.language.reading import values
from netspec.language.reading.values import Listing, Scalar, Value
from netspec.model import Invalid, Model
from netspec.recipe.model import Named

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from netspec.ops.words import WordTable

M = TypeVar("M", bound=Model)
Reader = Callable[[Value, str, Problems], Any]

EXAMPLES: dict[str, object] = {
    "after": 5,
    "at": "[30, 60]",
    "average": 0.999,
    "axis": -1,
    "best": "validation_accuracy",
    "channels": 3,
    "class_weights": "median_frequency",
    "classes": 10,
    "competition": 1.0,
    "epochs": 1,
    "every": 30,
    "freeze": 5,
    "ignore": 255,
    "inputs": "{image: images}",
    "k": 5,
    "l2": 0.0001,
    "layers": "features.*",
    "length": 100,
    "lengths": "lengths",
    "limit": 1.0,
    "losses": "{main: cross_entropy}",
    "masks": "./masks",
    "boxes": "./boxes.csv",
    "mean": 0.5,
    "metric": "validation_loss",
    "minutes": 10,
    "output": "main",
    "shape": "[1, 784]",
    "size": 32,
    "std": 0.25,
    "steps": 1000,
    "target": "labels",
    "targets": "{main: labels}",
    "test": 0.2,
    "test_size": 1000,
    "train": "mnist",
    "train_size": 1000,
    "validation": 0.1,
    "validation_size": 1000,
    "vocabulary": "./symbols.txt",
    "weight_decay": 0.0001,
    "whiten": "zca",
    "TableData.inputs": "[width, height]",
    "TableData.targets": "price",
}
"""For a setting whose default is not an example: a value that it takes; of one model only, with its name before."""


@dataclass(frozen=True, slots=True)
class Family:
    """Models of which one is chosen by its name.

    `module` has them as `table`, and is imported for the first recipe that chooses one. `words` is the table of words
    of other libraries; `usual` is the member that the help shows.
    """

    noun: str
    module: str
    table: str
    words: str
    usual: str
    default: str = ""
    """The member that a recipe has if it names none."""

    @property
    def members(self) -> Mapping[str, type[Named]]:
        """The models by their names."""
        found: Mapping[str, type[Named]] = getattr(import_module(self.module), self.table)
        return found

    def model(self, name: str) -> type[Named] | None:
        """The model of this name."""
        return self.members.get(name)


def one_of(family: Family) -> Reader:
    """Reads a name, or `{name: {settings}}`; after a name also the value of its main setting."""

    def reader(value: Value, field: str, problems: Problems) -> Named | None:
        if isinstance(value, values.Mapping) and len(value.entries) == 1:
            ((name, entry),) = value.entries.items()
            return _member(family, name, entry.key_span, entry.value, problems)
        if isinstance(value, Scalar) and isinstance(value.value, str):
            return _member(family, value.value, value.span, Scalar(None, value.span, ""), problems)
        found = "not several" if isinstance(value, values.Mapping) else f"not {spoken(value)}"
        advice = f"write `{family.usual}`, for example"
        problems.error(codes.ONE_OPTIMIZER, f"`{field}` must be one name, {found}", value.span, help=advice)
        return None

    return reader


def _member(family: Family, name: str, span: Span, given: Value, problems: Problems) -> Named | None:
    """One of a family; its settings are checked only if it is known."""
    model = family.model(name)
    if model is None:
        _unknown_member(family, name, span, problems)
        return None
    if isinstance(given, Scalar) and given.value is None:
        given = values.Mapping({}, given.span)
    if not isinstance(given, values.Mapping) and model.main is not None:
        given = values.Mapping({model.main: values.Entry(span, given)}, given.span)
    if not isinstance(given, values.Mapping):
        field = next(iter(model.model_fields))
        message = f"`{name}` takes a mapping of settings, not {spoken(given)}"
        advice = f"write `{name}: {{{field}: {example(model, field)}}}`, for example"
        problems.error(codes.ONE_OPTIMIZER, message, given.span, help=advice)
        return None
    return validate(model, f"`{name}`", given, problems, words="SETTINGS")


def _unknown_member(family: Family, name: str, span: Span, problems: Problems) -> None:
    known = family.members
    has = [each for each, model in known.items() if name in model.model_fields]
    if has:
        first = has[0]
        message = f"`{name}` is a setting of {_a(family.noun)}, but the name of the {family.noun} is missing"
        problems.error(codes.ONE_OPTIMIZER, message, span, help=f"write `{{{first}: {{{name}: …}}}}`")
        return
    advice = lead(name, known, words_of(family.words)) or f"the known ones are {joined(known)}"
    problems.error(codes.UNKNOWN_CHOICE, f"no {family.noun} is called `{name}`", span, help=advice)


def each_of(reader: Reader) -> Reader:
    """Reads a list; a single value stands for a list."""

    def several(value: Value, field: str, problems: Problems) -> tuple[Any, ...] | None:
        items = value.items if isinstance(value, Listing) else (value,)
        if isinstance(value, Scalar) and value.value is None:
            return None
        found = [reader(item, field, problems) for item in items]
        return None if None in found else tuple(found)

    return several


def by_name(reader: Reader, example: str) -> Reader:
    """Reads a mapping from names to values of one kind."""

    def named(value: Value, field: str, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(value, values.Mapping) or not value.entries:
            found = "an empty one" if isinstance(value, values.Mapping) else spoken(value)
            problems.error(
                codes.SETTING_VALUE,
                f"`{field}` must be a mapping, not {found}",
                value.span,
                help=f"write `{field}: {example}`, for example",
            )
            return None
        read = {key: reader(entry.value, key, problems) for key, entry in value.entries.items()}
        return None if None in read.values() else read

    return named


def model(
    kind: type[Model],
    example: str,
    parts: Mapping[str, Reader] | None = None,
    also: Sequence[str] = (),
    words: str = "SETTINGS",
    wanted: str = "",
) -> Reader:
    """Reads a mapping of settings; `also` are words that stand in its place."""
    what = wanted or "a mapping of its settings"

    def reader(value: Value, field: str, problems: Problems) -> Model | str | None:
        if isinstance(value, Scalar) and value.value is None:
            return None
        if isinstance(value, Scalar) and value.value in also:
            return str(value.value)
        if isinstance(value, values.Mapping):
            return read(kind, f"`{field}`", value, problems, parts or {}, words)
        problems.error(
            codes.SETTING_VALUE,
            f"`{field}` must be {what}, not {spoken(value)}",
            value.span,
            help=f"write `{field}: {example}`, for example",
        )
        return None

    return reader


def read(
    kind: type[M],
    owner: str,
    whole: values.Mapping,
    problems: Problems,
    parts: Mapping[str, Reader],
    words: str = "SETTINGS",
) -> M | None:
    """The model of a mapping; `parts` are its settings that have readers of their own."""
    given = {
        key: reader(whole.entries[key].value, key, problems)
        for key, reader in parts.items()
        if key in whole.entries
    }
    rest = values.Mapping({key: each for key, each in whole.entries.items() if key not in given}, whole.span)
    sound = {key: part for key, part in given.items() if part is not None}
    return validate(kind, owner, rest, problems, sound, whole, words)


def validate(
    kind: type[M],
    owner: str,
    mapping: values.Mapping,
    problems: Problems,
    given: Mapping[str, object] | None = None,
    whole: values.Mapping | None = None,
    words: str = "SETTINGS",
) -> M | None:
    """The model of a mapping; `given` are its parts that are already read, `whole` is all that is written."""
    try:
        return kind.model_validate({**_plain(mapping), **(given or {})})
    except Invalid as error:
        told: set[str] = set()
        for detail in error.details:
            if (field := str(detail["loc"][0])) not in told and not (
                field in (whole or mapping).entries and field not in mapping.entries
            ):
                told.add(field)
                _report(detail, kind, owner, mapping, problems, whole or mapping, words)
    return None


def _plain(mapping: values.Mapping) -> dict[str, object]:
    return {key: values.plain(entry.value) for key, entry in mapping.entries.items()}


def _report(
    detail: ErrorDetails,
    kind: type[Model],
    owner: str,
    mapping: values.Mapping,
    problems: Problems,
    whole: values.Mapping,
    words: str,
) -> None:
    field, error = str(detail["loc"][0]), detail["type"]
    if error == "extra_forbidden":
        span, known = values.locate_key(mapping, [field]), sorted(kind.model_fields)
        given = (values.plain(mapping.entries[field].value), values.plain(whole))
        advice = lead(field, known, words_of(words), given) or f"the settings are {joined(known)}"
        problems.error(
            codes.UNKNOWN_SETTING, f"{owner} does not have the setting `{field}`", span, help=advice
        )
    elif error == "missing":
        problems.error(
            codes.SETTING_MISSING,
            f"`{field}` is missing in {owner}",
            mapping.span,
            help=f"add `{field}: {example(kind, field)}`, for example",
        )
    elif error == "nesterov":
        span = values.locate(mapping, [field])
        problems.error(
            codes.SETTING_VALUE, detail["msg"], span, help="add `momentum: 0.9`, or remove `nesterov`"
        )
    elif error in ("one_of", "order"):  # the reason is in the message
        span = values.locate(mapping, [field])
        problems.error(codes.SETTING_VALUE, detail["msg"], span, help=_of_settings(detail))
    else:
        wanted = kind.model_fields[field].description
        found = spoken(_inmost(mapping, detail["loc"]))
        problems.error(
            codes.SETTING_VALUE,
            f"`{field}` must be {wanted}, not {found}",
            values.locate(mapping, detail["loc"]),
            help=f"write `{field}: {example(kind, field)}`, for example",
        )


def _of_settings(detail: ErrorDetails) -> str | None:
    """The help that a validator of several settings gives."""
    given = detail.get("ctx", {}).get("help")
    return None if given is None else str(given)


def example(kind: type[Model], field: str) -> str:
    """A value of a setting, as in YAML: its default, or a usual one."""
    default = kind.model_fields[field].get_default()
    if (own := f"{kind.__name__}.{field}") in EXAMPLES:
        return str(EXAMPLES[own])
    if field in EXAMPLES and default in (None, (), {}, ""):
        return str(EXAMPLES[field])
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, str):
        return default if default.isidentifier() else f'"{default}"'
    return str(default if isinstance(default, int | float) else EXAMPLES.get(field, default))


def words_of(table: str) -> WordTable:
    """Words of other libraries of one kind; the tables are imported only for an unknown word."""
    from netspec.language.document import recipe_words as words

    found: WordTable = getattr(words, table)
    return found


def lead(word: str, known: Iterable[str], words: WordTable, given: object = None) -> str | None:
    """The help for an unknown word, if a library uses it."""
    from netspec.ops.words import lead as found_lead

    # `torch.optim.SGD`, `keras.losses.MeanSquaredError`: the last part is the name.
    found = found_lead(word.rpartition(".")[2] or word, known, words, given)
    return None if found is None else found.help


def _inmost(value: Value, loc: Sequence[str | int]) -> Value:
    for part in loc:
        # A single value stands for a list: then the index of pydantic has no counterpart in the text.
        if isinstance(value, values.Mapping) and str(part) in value.entries:
            value = value.entries[str(part)].value
        elif isinstance(value, Listing) and isinstance(part, int) and 0 <= part < len(value.items):
            value = value.items[part]
    return value


def spoken(value: Value) -> str:
    """What stands at a place, for a message."""
    if isinstance(value, Listing):
        return "a list"
    if isinstance(value, values.Mapping):
        return "a mapping"
    return f"`{value.text[:40]}`" if value.text else "nothing"


def joined(names: Iterable[str]) -> str:
    """The names, as code."""
    return ", ".join(f"`{name}`" for name in names)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
