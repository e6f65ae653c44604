"""Types of fields that several ops share: numbers per axis, paddings, whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, LiteralString

from netspec.arithmetic import Pair
from netspec.dataclass import dataclass
from netspec.model import BeforeValidator, Field, RefusedValue

Pads = tuple[Pair, ...]

PaddingWord = Literal["valid", "same", "half", "full", "causal"]
MOST_KEYS = 8
"""The most keys of a mapping in which a key before a name is searched."""
WORDS: tuple[str, ...] = ("valid", "same", "half", "full", "causal")


@dataclass(frozen=True, slots=True)
class AuthorForm:
    """The JSON schema of the values that a spec can contain for a field, if a validator converts them.

    It is part of the field's annotation. Its `description` says the same in words, for `netspec ops`, the docs and
    editors. The schema is a function, so it can use tables that are defined later.
    """

    schema: Callable[[], dict[str, Any]]

    def __get_pydantic_json_schema__(self, core_schema: object, handler: object) -> dict[str, Any]:
        return self.schema()


def _per_axis_schema(least: int = 1) -> dict[str, Any]:
    number = {"type": "integer", "minimum": least}
    return {
        "description": f"a whole number from {least}, or a list with one per axis",
        "anyOf": [number, {"type": "array", "items": number, "minItems": 1, "maxItems": 3}],
    }


def _amounts_schema() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    an_axis = {"type": "array", "items": {"anyOf": [number, pair]}, "minItems": 1, "maxItems": 3}
    words = "a whole number from 0, a list with one per axis, or a list with one pair per axis"
    return {"description": words, "anyOf": [number, an_axis]}


def _padding_schema() -> dict[str, Any]:
    amounts = _amounts_schema()
    words = ", ".join(f"`{word}`" for word in WORDS)
    return {
        "description": f"{words}, {amounts['description']}",
        "anyOf": [{"enum": list(WORDS)}, *amounts["anyOf"]],
    }


def _table_schema() -> dict[str, Any]:
    row = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
    return {
        "description": "a list with a list of whole numbers for each filter",
        "type": "array",
        "items": row,
    }


def listed(value: object) -> object:
    """A list as a tuple; a number or a word is a list of one."""
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, int | str) else value


def listed_schema(words: str, items: dict[str, Any]) -> dict[str, Any]:
    """The schema of what `listed` takes: up to four, for channels and spatial axes."""
    several = {"type": "array", "items": items, "minItems": 1, "maxItems": 4}
    return {"description": words, "anyOf": [items, several]}


def _per_axis(value: object) -> object:
    return value if isinstance(value, str) else listed(value)


Positive = Annotated[int, Field(ge=1)]
PerAxis = Annotated[
    tuple[Positive, ...],
    BeforeValidator(_per_axis),
    Field(min_length=1, max_length=3),
    AuthorForm(_per_axis_schema),
]
"""`3`, or one number per axis: `[3, 5]`."""

Natural = Annotated[int, Field(ge=0)]
Counts = Annotated[
    tuple[Natural, ...],
    BeforeValidator(_per_axis),
    Field(min_length=1, max_length=3),
    AuthorForm(partial(_per_axis_schema, 0)),
]
"""Like `PerAxis`, from 0."""


def _tuples(value: object) -> object:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


Table = Annotated[tuple[tuple[Natural, ...], ...], BeforeValidator(_tuples), AuthorForm(_table_schema)]
"""A list of lists of whole numbers."""


def refusal(
    kind: LiteralString, text: str, help: str | None = None, at: Sequence[str] = (), word: str | None = None
) -> RefusedValue:
    """The validation error for a value, with its help.

    `at` is the path of keys to the wrong part of the value; the last key is the wrong one. `word` is the unknown
    word, for callers that know further words.
    """
    return RefusedValue(kind, "{text}", {"text": text, "help": help, "at": tuple(at), "word": word})


def unknown_word(
    kind: LiteralString, what: str, word: str, known: Iterable[str], table: str, at: Sequence[str] = ()
) -> RefusedValue:
    """The validation error for an unknown word of a field; the help names the word that it probably stands for.

    Args:
        kind: the type of the error.
        what: the kind of thing that the word names, for the message.
        table: the name of the table in `netspec.ops.words.values` with words of other libraries.
        at: the path of keys to the word, if it is a key.
    """
    from netspec.ops.words import lead, values

    known = list(known)
    found = lead(word, known, getattr(values, table))
    help_ = f"the known ones are {', '.join(f'`{each}`' for each in known)}" if found is None else found.help
    return refusal(kind, f"no {what} is called `{word[:80]}`", help_, at, word)


def behind_key(
    kind: LiteralString, what: str, value: Mapping[Any, object], known: Collection[str], table: str
) -> RefusedValue | None:
    """The validation error for `{name: relu}` or `{type: normal, std: 1}`, where a key stands before the name.

    None unless exactly one key does. The other arguments are those of `unknown_word`.
    """
    if len(value) > MOST_KEYS or any(key in known for key in value):
        return None
    from netspec.ops.words import lead, values

    words = getattr(values, table)
    found = []
    for key, named in value.items():
        is_fields = isinstance(named, Mapping) and len(named) == len(value) == 1
        (word,) = named if isinstance(named, Mapping) and is_fields else (named,)
        if not isinstance(word, str):
            continue
        advice = lead(word, known, words)
        # The key can itself be a word of another library: then its value is its setting.
        if advice is not None and lead(str(key), known, words) is None:
            found.append((str(key), word, is_fields, advice))
    if len(found) != 1:
        return None
    ((named_by, word, is_fields, advice),) = found
    if word not in known and not advice.exact:
        return unknown_word(kind, what, word, known, table)
    text = f"the name of the {what} is after the key `{named_by[:80]}`"
    why = "no key stands before the name"
    if is_fields:
        return refusal(kind, text, f"put `{advice.ours}: …` here, without `{named_by[:80]}`: {why}")
    settings = {key: number for key, number in value.items() if key != named_by}
    plain = all(isinstance(each, int | float) and not isinstance(each, bool) for each in settings.values())
    inner = ", ".join(f"{key}: {number}" for key, number in settings.items()) if plain else "…"
    right = f"{{{advice.ours}: {{{inner}}}}}" if settings else advice.ours
    return refusal(kind, text, f"write `{right}`: {why}")


def _padding(value: object) -> object:
    """A word, a number, one number per axis, or one pair per axis; numbers become pairs."""
    if isinstance(value, str) and value not in WORDS:
        raise unknown_word("padding", "padding", value, WORDS, "PADDINGS")
    if isinstance(value, str | tuple):
        return value
    if not isinstance(value, list):
        return _pair(value)[0]
    return tuple(_pair(part) for part in value)


def _pair(part: object) -> Pair:
    """`2` is a pair of equal pads; `[2, 1]` is a pair."""
    match part if isinstance(part, list) else [part, part]:
        case [int() as lo, int() as hi] if (
            not isinstance(lo, bool) and not isinstance(hi, bool) and min(lo, hi) >= 0
        ):
            return lo, hi
    raise refusal(
        "padding",
        "it must be a word (valid, same, half, full, causal), a whole number from 0, one per axis, or a pair per axis",
        "padding cannot remove anything: use `crop`"
        if isinstance(part, int) and part < 0
        else "write a pair for each axis, before and after: `[[0, 1], [0, 1]]`"
        if isinstance(part, list)
        else None,
    )


def _amounts(value: object) -> object:
    return value if isinstance(value, str) else _padding(value)


Amounts = Annotated[int | Pads, BeforeValidator(_amounts), AuthorForm(_amounts_schema)]
"""The amount at both ends: one number, one per axis, or one pair per axis."""

Padding = Annotated[PaddingWord | int | Pads, BeforeValidator(_padding), AuthorForm(_padding_schema)]


def _ends(value: object) -> object:
    """`2` is 2 at both ends; `[0, 2]` is none before and 2 behind."""
    if isinstance(value, str | tuple):
        return value
    try:
        return _pair(value)
    except RefusedValue:
        raise refusal(
            "own",
            "it must be a whole number from 0, or a pair of them, before and after",
            "write `[0, 16]` for 16 channels behind those of the input",
        ) from None


def _ends_schema() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return {"description": "a whole number from 0, or a pair, before and after", "anyOf": [number, pair]}


Ends = Annotated[Pair, BeforeValidator(_ends), AuthorForm(_ends_schema)]
"""The amount at both ends of one axis: one number, or a pair."""
