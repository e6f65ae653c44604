"""Turns validation errors of pydantic into diagnostics in the words of the language, at their places in the text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Fields
from itertools import islice
from typing import TYPE_CHECKING, Any

from netspec.diagnostics import SHOWN, Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.expressions.expression import is_expression
from netspec.language.expressions.parser import parse
from netspec.language.expressions.tree import Formula
from netspec.language.reading.scalars import boolean
from netspec.language.reading.values import Listing, Mapping, Scalar, Value, locate, locate_key
from netspec.ops import OPS
from netspec.ops.words import Lead, WordTable, lead

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Tables = Callable[[], WordTable]
"""Gives the words of other libraries; imported only for an unknown word."""


def no_words() -> WordTable:
    """No words of other libraries."""
    return {}


Explain = Callable[[str], Sequence[str]]
"""Gives notes on the origin of the value of a field."""


def unexplained(field: str) -> Sequence[str]:
    """No notes, because the value is in the text."""
    return ()


def report(
    errors: Sequence[ErrorDetails],
    owner: str,
    known: Collection[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
    words: Tables = no_words,
    skip: Collection[str] = (),
    parameters: Collection[str] = (),
    explain: Explain = unexplained,
) -> None:
    """Report each field that pydantic refused, once.

    Args:
        owner: the owner of the fields, as written: "`conv`".
        known: the names of the existing fields.
        values: the value of each field, whose place is reported.
        keys: the place of the name of each field.
        span: the place of the owner, for missing fields.
        words: words of other libraries for the names of the fields.
        skip: fields that are already reported.
        parameters: names of parameters, for suggestions.
    """
    told: set[object] = set()
    kinds: dict[object, set[str]] = {}
    for each in errors:
        kinds.setdefault(each["loc"][0] if each["loc"] else "", set()).add(each["type"])
    unknown = {str(each["loc"][0]) for each in errors if each["type"] == "extra_forbidden"}
    # A missing key with a misspelt name is reported as the misspelt one.
    misspelt = meant(unknown, known, words)
    for each in errors:
        field = each["loc"][0] if each["loc"] else ""
        if field in told or field in skip or (each["type"] == "missing" and field in misspelt):
            continue  # a union reports an error for each member
        told.add(field)
        if "string_type" in kinds[field] and not kinds[field].isdisjoint(("int_type", "int_from_float")):
            each = {**each, "type": "name_or_number"}
        _report_one(each, str(field), owner, known, values, keys, span, problems, words, parameters, explain)


def _report_one(
    each: ErrorDetails,
    field: str,
    owner: str,
    known: Collection[str],
    values: Fields[str, Value],
    keys: Fields[str, Span],
    span: Span,
    problems: Problems,
    words: Tables,
    parameters: Collection[str],
    explain: Explain,
) -> None:
    if each["type"] == "missing":
        called = OPS.get(owner.strip("`"))
        if called is not None and called.whole:
            problems.error(
                codes.MISSING,
                f"{owner} needs a value",
                span,
                help=f"write `{called.keyword}: …` with the value",
            )
            return
        problems.error(codes.MISSING, f"{owner} needs `{field}`", span, help=f"add `{field}: …`")
        return
    if each["type"] == "extra_forbidden":
        unknown_key(field, owner, known, keys.get(field, span), problems, words, each["input"])
        return
    value = values.get(field)
    context = each.get("ctx") or {}
    if each["type"] == "fields" and isinstance(value, Mapping):
        _report_inner(context["op"], context["errors"], value, problems)
        return
    at = context.get("at") or ()
    place = span if value is None else locate_key(value, at) if at else locate(value, each["loc"][1:])
    # Advice for a plain value after the op (`dense: 10`) does not contain the name of the field.
    plain = value is not None and keys.get(field) == value.span
    key = "" if not isinstance(value, Scalar) or value.span != place else owner.strip("`") if plain else field
    advice = _advice(each, key, value)
    if isinstance(value, Scalar) and value.text in parameters:
        advice = f"write `{key}: ${value.text}` for the parameter"
    op = OPS.get(owner.strip("`"))
    if op is not None and plain and each["type"] == "tuple_type" and isinstance(each["input"], str):
        advice = _of_layer(op, each["input"]) or advice
    if advice is None and op is not None:
        advice = _of_field(op, field, key, value)
    what = owner if op is not None and op.whole else f"{owner}: `{field}`"
    message = f"{what} {sentence(each)}"
    problems.error(codes.WRONG_VALUE, message, place, notes=explain(field), help=advice)


def _report_inner(op: Any, errors: Sequence[ErrorDetails], value: Mapping, problems: Problems) -> None:
    """Report errors in the fields of the `activation` of another op."""
    from netspec.ops.words.fields import for_op

    ((keyword, entry),) = value.entries.items()
    inner = entry.value
    entries = inner.entries if isinstance(inner, Mapping) else {}
    values = {name: each.value for name, each in entries.items()} or {op.main: inner}
    keys = {name: each.key_span for name, each in entries.items()} or {op.main: inner.span}
    known = list(op.model_fields)
    for each in errors:
        _report_one(
            each, str(each["loc"][0]), f"`{keyword}`", known, values, keys, entry.key_span, problems,
            lambda: for_op(op.keyword, known), (), unexplained,
        )  # fmt: skip


def unknown_key(
    key: str,
    owner: str,
    known: Collection[str],
    span: Span,
    problems: Problems,
    words: Tables = no_words,
    given: object = None,
) -> None:
    """Report an unknown key, and what it probably stands for."""
    if problems.full:
        problems.skip(span)
        return
    found = lead(key, known, words(), given)
    if re.fullmatch(r"[\d.]+\s*\)", key):
        found = Lead("write a list in square brackets: `[3, 3]`, not `(3, 3)`")
    has = f"it has {', '.join(f'`{each}`' for each in sorted(known))}" if known else "it takes none"
    advice = has if found is None else found.help
    problems.error(codes.UNKNOWN_KEY, f"{owner} has no `{key[:80]}`", span, help=advice)


def meant(unknown: Iterable[str], known: Collection[str], words: Tables) -> set[str]:
    """The known keys that unknown ones stand for, and of whose absence nothing is said."""
    first = list(islice(unknown, SHOWN))
    table = words() if first else {}  # the table is loaded for nothing otherwise
    found = [lead(key, known, table) for key in first]
    return {each.ours for each in found if each is not None and each.ours is not None}


def sentence(each: ErrorDetails) -> str:
    """The values that a field takes, and the given one, as the end of a sentence that starts with the field."""
    context: dict[str, Any] = each.get("ctx") or {}
    given = shown(each["input"])
    # A NaN violates the first bound that is checked.
    is_nan = isinstance(each["input"], float) and math.isnan(each["input"])
    is_bound = each["type"].startswith(("greater", "less"))
    tell = _SENTENCES.get("finite_number" if is_nan and is_bound else each["type"])
    if tell is not None:
        return f"{tell(context, each['input'])}, not {given}"
    if each["type"] in _OWN_WORDS and each["msg"].startswith("no "):
        return f"does not take this word: {each['msg']}"
    if each["type"] in _OWN_WORDS:
        return f"is wrong: {each['msg']}"
    return f"is wrong: {each['msg'][:1].lower()}{each['msg'][1:]}, given {given}"


def shown(value: object) -> str:
    """A value as in a spec."""
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
    "name_or_number": lambda context, given: "takes a name or a whole number",
    "greater_than_equal": lambda context, given: f"is at least {context['ge']:g}",
    "greater_than": lambda context, given: f"is greater than {context['gt']:g}",
    "less_than_equal": lambda context, given: f"is at most {context['le']:g}",
    "less_than": lambda context, given: f"is less than {context['lt']:g}",
    "literal_error": _literal,
    "tuple_type": lambda context, given: "takes one whole number, or a list with one per axis",
    "list_type": lambda context, given: "takes a list",
    "dict_type": lambda context, given: "takes a mapping",
    "too_long": lambda context, given: f"takes at most {context['max_length']} numbers, one per axis",
    "too_short": lambda context, given: f"takes at least {context['min_length']}",
    "model_type": lambda context, given: "takes a mapping",
}


def _advice(each: ErrorDetails, key: str, written: Value | None) -> str | None:
    """The smallest change that fixes a value, if there is one.

    `key` is the key in the advice; it is empty if the caret marks a part of the value.
    """
    advise, given = _ADVICE.get(each["type"]), each["input"]
    if advise is None or (isinstance(given, float) and math.isnan(given)):
        return None
    calculated = isinstance(written, Scalar) and is_expression(written)
    if calculated and each["type"] in ("activation", "literal_error"):
        # The word is that of a parameter: only the misspelling is sure.
        found = advise(each.get("ctx") or {}, given, "")
        return found if found is not None and found.startswith(_SURE) else None
    return (
        _of_expression(each["type"], given, written)
        if calculated
        else advise(each.get("ctx") or {}, given, key)
    )


_SURE = ("did you mean", "the known ones are")
"""How advice starts that is right wherever a word comes from."""


def _of_field(op: Any, field: str, key: str, written: Value | None) -> str | None:
    """Advice that depends on the field: one size for a list of two, or the default."""
    if isinstance(written, Scalar) and is_expression(written):
        return None
    items = written.items if isinstance(written, Listing) else ()
    numbers = [each.value for each in items if isinstance(each, Scalar)]
    if field == op.width and len(numbers) == 2 and all(type(each) is int for each in numbers):
        return f"{_write(key, str(numbers[1]))}: only the size of the output is stated, and the input has its own"
    known = op.model_fields.get(field)
    if known is None or known.is_required() or not isinstance(known.default, bool | int | float | str):
        return None
    default = known.default
    text = f"{default:g}" if isinstance(default, float) else _yaml(default)
    return f"leave it out for the default, `{field}: {text}`"


def _of_layer(op: Any, word: str) -> str | None:
    """Advice for the name of a layer whose sizes are meant, as the plain value of an op that can take them."""
    name = re.fullmatch(r"(?:like )?([A-Za-z]\w*(?:\.\w+)*)", word)
    like = next(iter(op.likes), None)
    if name is None or like is None:
        return None
    return f"write `{op.keyword}: {{{like}: {name.group(1)}}}` for the sizes of that layer"


def _write(key: str, *texts: str) -> str:
    """The advice to write these texts, with the key."""
    return f"write {' or '.join(f'`{key}: {text}`' if key else f'`{text}`' for text in texts)}"


def _of_expression(kind: str, given: object, written: Value | None) -> str | None:
    """Advice for an expression. Its value can depend on parameters, so the advice does not contain a value."""
    if isinstance(given, list) and isinstance(written, Scalar) and kind != "tuple_type":
        inner = written.text.strip().removeprefix("$").removeprefix("{").removesuffix("}")
        plain = re.fullmatch(r"[\w.\[\]]+", inner) is not None
        return f"it is a list: take one of its values, such as `${{{inner if plain else f'({inner})'}[0]}}`"
    if isinstance(given, float) and kind in ("int_type", "int_from_float", "tuple_type"):
        return "`//` divides and drops the rest; `round(…)`, `floor(…)` and `ceil(…)` give whole numbers"
    return None


def _number(context: dict[str, Any], given: object, key: str) -> str | None:
    """Advice for a number: without quotes, or a neighbouring whole number."""
    if isinstance(given, str):
        return _of_text(given, key)
    if isinstance(given, float) and abs(given) < 2**53:
        near = dict.fromkeys((math.floor(given), math.ceil(given)))
        return _write(key, *(str(each) for each in near if each >= 1 or given < 0 or given > 1))
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], int | float):
        return _write(key, _yaml(given[0]))
    return None


def _of_text(given: str, key: str) -> str | None:
    """Advice for a number that is written as text: in quotes, in percent, as a calculation, as a parameter."""
    if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", given):
        return _write(key, given)
    if share := re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,4})?) ?%", given):
        return _write(key, f"{float(share.group(1)) / 100:.15g}")
    if name := re.fullmatch(r"[{<(]{1,2}\s*([A-Za-z]\w*)\s*[}>)]{1,2}", given):
        return f"{_write(key, '$' + name.group(1))} to pass on a parameter"
    if (found := _of_position(given, key)) is not None:
        return found
    formula = parse(given) if len(given) <= 200 else None
    if isinstance(formula, Formula) and re.search(r"[-+*/%]", given):
        quoted = f'"${{{given}}}"'
        return f"{_write(key, quoted)}: `${{…}}` calculates"
    return None


def _of_position(given: str, key: str) -> str | None:
    """Advice for a word in place of a number: the `last` position."""
    from netspec.ops.words.values import NUMBERS

    found = lead(given, (), NUMBERS[key]) if key in NUMBERS else None
    return None if found is None else found.help


def _numbers(context: dict[str, Any], given: object, key: str) -> str | None:
    """Advice for sizes in the form of other libraries: `7x7`, `(3, 3)`."""
    if isinstance(given, float):
        return _number(context, given, key)
    numbers = re.findall("[0-9]+", given) if isinstance(given, str) else []
    if isinstance(given, str) and re.fullmatch(r"\(\s*[0-9]+", given):
        return "write a list in square brackets: `[3, 3]`, not `(3, 3)`"
    if not numbers or not re.fullmatch(
        r"[\s(\[]*[0-9]+(\s*[x×*,;\s]\s*[0-9]+){0,2}[\s)\]]*", str(given), re.IGNORECASE
    ):
        return f"give one whole number, as in `{key or '…'}: 3`, or a list of one for each axis"
    return _write(key, numbers[0] if len(set(numbers)) == 1 else f"[{', '.join(numbers)}]")


def _boolean(context: dict[str, Any], given: object, key: str) -> str | None:
    meant = boolean(given)
    return None if meant is None else _write(key, meant)


def _bound(bound: float, given: object, key: str) -> str | None:
    """Advice with the bound, for a count; the bound of a float is an extreme value that is probably not intended."""
    return _write(key, f"{bound}") if isinstance(given, int) and isinstance(bound, int) else None


def _share(context: dict[str, Any], given: object, key: str) -> str | None:
    """Advice for a percentage in place of a fraction."""
    if context["lt"] == 1 and isinstance(given, int | float) and 1 < given < 100:
        return f"{_write(key, format(given / 100, '.15g'))} for {given:.15g} %"
    if context["lt"] == 1 and given == 1:
        return f"{_write(key, '0.01')} for 1 %; with 1 there would be nothing left"
    return None


def _word(context: dict[str, Any], given: object, key: str) -> str | None:
    from netspec.ops.words.values import choices

    known = _words(context)
    # The name of an op is not a misspelling: a `gelu` is not a `relu`.
    is_op = isinstance(given, str) and given in OPS
    found = lead(str(given), () if is_op else known, choices(known))
    if found is None and is_op:
        return f"`{given}` is an op of its own; here one of the words above is needed"
    if found is None:
        return f"it is a word: `{key or '…'}: {known[0]}`" if not isinstance(given, str) else None
    return _keyed(found.help, key)


def _own(context: dict[str, Any], given: object, key: str) -> str | None:
    """The help from the validator of an op."""
    found = context.get("help")
    return None if found is None else _keyed(str(found), key)


def _activation(context: dict[str, Any], given: object, key: str) -> str | None:
    """Like `_own`; for an op that is not an activation, the advice is a separate item."""
    from netspec.ops.words.values import ACTIVATIONS

    word = context.get("word")
    if word in OPS and word not in ACTIVATIONS:
        return f"put `- {word}` after this item: it is an op of its own"
    return _own(context, given, key)


def _keyed(help: str, key: str) -> str:
    """The help, with the key before the word to write."""
    return re.sub(r"(?<=^write )`(?![\w ]*:)(?=[\w]+`)", f"`{key}: ", help) if key else help


_ADVICE: dict[str, Callable[[dict[str, Any], object, str], str | None]] = {
    "int_type": _number,
    "int_from_float": _number,
    "float_type": _number,
    "bool_type": _boolean,
    "greater_than_equal": lambda context, given, key: _bound(context["ge"], given, key),
    "less_than_equal": lambda context, given, key: _bound(context["le"], given, key),
    "less_than": _share,
    "string_type": lambda context, given, key: (
        None if isinstance(given, str) else "write a name, not a number"
    ),
    "name_or_number": lambda context, given, key: (
        _write(key, _yaml(given[0]))
        if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str | int)
        else "write one name, or one whole number from 0"
    ),
    "literal_error": _word,
    "tuple_type": _numbers,
    **dict.fromkeys(("padding", "initializer", "parts", "numbers", "positions", "own"), _own),
    "activation": _activation,
}

_OWN_WORDS = frozenset({"padding", "initializer", "activation", "value_error", "own"})
