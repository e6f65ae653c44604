"""Turns what pydantic finds wrong into diagnostics that speak the author's language, at the author's place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Fields
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.values import Value, locate
from netspec.ops.nearest import did_you_mean, nearest


def report(
    error: ValidationError,
    owner: str,
    known: Iterable[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
    skip: Collection[str] = (),
) -> None:
    """Report each field that pydantic refused, once.

    Args:
        owner: whose fields they are, as written: "`conv`".
        known: the names of the fields that there are.
        values: what was given for each field; its place is pointed at.
        keys: where the name of each field stands.
        span: the place of the owner, for what is missing.
        skip: fields that are told already.
    """
    told: set[object] = set()
    known = list(known)
    found = error.errors(include_url=False)
    unknown = {str(each["loc"][0]) for each in found if each["type"] == "extra_forbidden"}
    # A key that is missing because it is misspelt is told by the misspelling.
    misspelt = {nearest(key, known) for key in unknown}
    for each in found:
        field = each["loc"][0] if each["loc"] else ""
        if field in told or field in skip or (each["type"] == "missing" and field in misspelt):
            continue  # a union refuses once a member
        told.add(field)
        _report_one(each, str(field), owner, known, values, keys, span, problems)


def _report_one(
    each: ErrorDetails,
    field: str,
    owner: str,
    known: list[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
) -> None:
    if each["type"] == "missing":
        problems.error(codes.MISSING, f"{owner} needs `{field}`", span, help=f"add `{field}: …`")
        return
    if each["type"] == "extra_forbidden":
        unknown_key(field, owner, known, keys.get(field, span), problems)
        return
    value = values.get(field)
    place = span if value is None else locate(value, each["loc"][1:])
    problems.error(codes.WRONG_VALUE, f"{owner}: `{field}` {sentence(each)}", place)


def unknown_key(key: str, owner: str, known: Iterable[str], span: Span, problems: Problems) -> None:
    """Report a key that its owner does not have, with the nearest that it has."""
    known = sorted(known)
    match = nearest(key, known)
    advice = f"did you mean `{match}`?" if match else f"it has {', '.join(known)}" if known else "it has none"
    problems.error(codes.UNKNOWN_KEY, f"{owner} has no `{key}`", span, help=advice)


def sentence(each: ErrorDetails) -> str:
    """What a field takes, and what was given, as the end of a sentence that starts with the field."""
    context: dict[str, Any] = each.get("ctx") or {}
    given = shown(each["input"])
    tell = _SENTENCES.get(each["type"])
    if tell is not None:
        return f"{tell(context, each['input'])}, not {given}"
    if each["type"] in _OWN_WORDS:
        return f"is wrong: {each['msg']}"
    return f"is wrong: {each['msg'][:1].lower()}{each['msg'][1:]}, given {given}"


def shown(value: object) -> str:
    """A value as an author would write it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text `{value}`"
    if isinstance(value, int | float):
        return str(value).replace("-", "−")
    if isinstance(value, list | tuple):
        return "a list" if len(value) > 6 else f"`[{', '.join(map(str, value))}]`"
    return "a mapping" if isinstance(value, dict) else f"a {type(value).__name__.lower()}"


def _literal(context: dict[str, Any], given: object) -> str:
    words = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
    hint = did_you_mean(given, words) if isinstance(given, str) else ""
    return f"is one of {', '.join(words)}{hint and f' ({hint[2:]})'}"


Tell = Callable[[dict[str, Any], object], str]

_SENTENCES: dict[str, Tell] = {
    "int_type": lambda context, given: "takes a whole number",
    "int_from_float": lambda context, given: "takes a whole number",
    "float_type": lambda context, given: "takes a number",
    "finite_number": lambda context, given: "takes a finite number",
    "bool_type": lambda context, given: "is `true` or `false`",
    "string_type": lambda context, given: "takes a text",
    "greater_than_equal": lambda context, given: f"is at least {context['ge']}",
    "greater_than": lambda context, given: f"is greater than {context['gt']}",
    "less_than_equal": lambda context, given: f"is at most {context['le']}",
    "less_than": lambda context, given: f"is less than {context['lt']}",
    "literal_error": _literal,
    "tuple_type": lambda context, given: "takes one whole number, or a list of one an axis",
    "list_type": lambda context, given: "takes a list",
    "dict_type": lambda context, given: "takes a mapping",
    "too_long": lambda context, given: f"takes at most {context['max_length']} numbers, one an axis",
    "too_short": lambda context, given: f"takes at least {context['min_length']}",
    "model_type": lambda context, given: "takes a mapping",
}

_OWN_WORDS = frozenset({"padding", "initializer", "activation", "value_error", "own"})
