"""Turns what pydantic finds wrong into diagnostics that speak the author's language, at the author's place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Fields
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.values import Scalar, Value, locate
from netspec.ops.nearest import nearest


def report(
    error: ValidationError,
    owner: str,
    known: Iterable[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
    skip: Collection[str] = (),
    parameters: Collection[str] = (),
) -> None:
    """Report each field that pydantic refused, once.

    Args:
        owner: whose fields they are, as written: "`conv`".
        known: the names of the fields that there are.
        values: what was given for each field; its place is pointed at.
        keys: where the name of each field stands.
        span: the place of the owner, for what is missing.
        skip: fields that are told already.
        parameters: names that `$` could stand before.
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
        _report_one(each, str(field), owner, known, values, keys, span, problems, parameters)


def _report_one(
    each: ErrorDetails,
    field: str,
    owner: str,
    known: list[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
    parameters: Collection[str],
) -> None:
    if each["type"] == "missing":
        problems.error(codes.MISSING, f"{owner} needs `{field}`", span, help=f"add `{field}: …`")
        return
    if each["type"] == "extra_forbidden":
        unknown_key(field, owner, known, keys.get(field, span), problems)
        return
    value = values.get(field)
    place = span if value is None else locate(value, each["loc"][1:])
    advice = _advice(each, field, value)
    if isinstance(value, Scalar) and value.text in parameters:
        advice = f"write `{field}: ${value.text}` for the parameter"
    problems.error(codes.WRONG_VALUE, f"{owner}: `{field}` {sentence(each)}", place, help=advice)


def unknown_key(key: str, owner: str, known: Iterable[str], span: Span, problems: Problems) -> None:
    """Report a key that its owner does not have, with the nearest that it has."""
    known = sorted(known)
    match = nearest(key, known)
    advice = (
        f"did you mean `{match}`?" if match else f"it has {', '.join(known)}" if known else "it takes none"
    )
    problems.error(codes.UNKNOWN_KEY, f"{owner} has no `{key}`", span, help=advice)


def sentence(each: ErrorDetails) -> str:
    """What a field takes, and what was given, as the end of a sentence that starts with the field."""
    context: dict[str, Any] = each.get("ctx") or {}
    given = shown(each["input"])
    # A NaN breaks whatever bound is looked at first.
    is_nan = isinstance(each["input"], float) and math.isnan(each["input"])
    is_bound = each["type"].startswith(("greater", "less"))
    tell = _SENTENCES.get("finite_number" if is_nan and is_bound else each["type"])
    if tell is not None:
        return f"{tell(context, each['input'])}, not {given}"
    if each["type"] in _OWN_WORDS:
        return f"is wrong: {each['msg']}"
    return f"is wrong: {each['msg'][:1].lower()}{each['msg'][1:]}, given {given}"


def shown(value: object) -> str:
    """A value as an author would write it."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text `{_cut(value)}`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _yaml(value).replace("-", "−")
    if isinstance(value, list | tuple) and len(value) > 6:
        return "a list"
    return f"`{_cut(_yaml(value))}`"


def _yaml(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "~"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(each)}' for key, each in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _words(context: dict[str, Any]) -> list[str]:
    return [word.strip(" '") for word in str(context["expected"]).replace(" or ", ", ").split(",")]


def _literal(context: dict[str, Any], given: object) -> str:
    return f"is one of {', '.join(_words(context))}"


Tell = Callable[[dict[str, Any], object], str]

_SENTENCES: dict[str, Tell] = {
    "int_type": lambda context, given: "takes a whole number",
    "int_from_float": lambda context, given: "takes a whole number",
    "float_type": lambda context, given: "takes a number",
    "finite_number": lambda context, given: "takes a finite number",
    "bool_type": lambda context, given: "is `true` or `false`",
    "string_type": lambda context, given: "takes a text",
    "greater_than_equal": lambda context, given: f"is at least {context['ge']:g}",
    "greater_than": lambda context, given: f"is greater than {context['gt']:g}",
    "less_than_equal": lambda context, given: f"is at most {context['le']:g}",
    "less_than": lambda context, given: f"is less than {context['lt']:g}",
    "literal_error": _literal,
    "tuple_type": lambda context, given: "takes one whole number, or a list of one an axis",
    "list_type": lambda context, given: "takes a list",
    "dict_type": lambda context, given: "takes a mapping",
    "too_long": lambda context, given: f"takes at most {context['max_length']} numbers, one an axis",
    "too_short": lambda context, given: f"takes at least {context['min_length']}",
    "model_type": lambda context, given: "takes a mapping",
}


def _advice(each: ErrorDetails, field: str, written: Value | None) -> str | None:
    """The smallest change that mends a value, where there is one to tell."""
    write, wrong = _ADVICE.get(each["type"]), each["input"]
    if write is None or (isinstance(wrong, float) and math.isnan(wrong)):
        return None
    better = write(each.get("ctx") or {}, wrong)
    if better is None:
        return None
    return f"write `{field}: {better}`" if isinstance(written, Scalar) else f"write `{better}`"


def _number(context: dict[str, Any], given: object) -> str | None:
    """A number in quotes loses them; half a number becomes a whole one."""
    if isinstance(given, str):
        return given if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", given) else None
    if isinstance(given, float) and abs(given) < 2**53:
        return str(round(given))
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], int | float):
        return _yaml(given[0])
    return None


def boolean(given: object) -> str | None:
    """The boolean that was probably meant, as it is written, or None."""
    return _BOOLEANS.get(str(given).lower())


_BOOLEANS = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}


def _boolean(context: dict[str, Any], given: object) -> str | None:
    return boolean(given)


_ADVICE: dict[str, Callable[[dict[str, Any], object], str | None]] = {
    "int_type": _number,
    "int_from_float": _number,
    "float_type": _number,
    "bool_type": _boolean,
    "greater_than_equal": lambda context, given: f"{context['ge']:g}",
    "less_than_equal": lambda context, given: f"{context['le']:g}",
    "literal_error": lambda context, given: nearest(str(given), _words(context)),
    "tuple_type": lambda context, given: "3",
}

_OWN_WORDS = frozenset({"padding", "initializer", "activation", "value_error", "own"})
