"""`$name` and `${…}`: finds the expression in a value, evaluates it, and reports errors at their place inside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import pairwise

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.display import displayed
from netspec.language.expressions.evaluation import Silent, calculate, hold_all_names, hold_name, look_up
from netspec.language.expressions.missing import BROKEN
from netspec.language.expressions.names import AXES_OF_POSITIONS, property_of
from netspec.language.expressions.parser import parse
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tree import Chain, Formula, Literal, NamePath, walk
from netspec.language.reading.values import Scalar

LENGTH_LIMIT = 1000

_REFERENCE = re.compile(r"\$([^\W\d]\w*)")
_TEXT_OR_BRACE = re.compile(r"'[^']*'|\"[^\"]*\"|[{}]")


def is_expression(scalar: Scalar) -> bool:
    """Whether a value contains an expression: `$name`, `${…}`, or a text with one in it (refused later)."""
    value = scalar.value
    return isinstance(value, str) and (value.startswith("$") or "${" in value)


def evaluate(scalar: Scalar, names: Mapping[str, object], problems: Problems) -> object:
    """The value of an expression, or BROKEN, with the reason reported at the part that causes it.

    `names` has parameters, `in` and `block` as dicts of sizes (`{"channels": 64, "height": 56}`, `{"in": {…}}`), and
    `index`. A Missing among them is reported with its reason if it is needed; a Missing without a reason means that an
    error is already reported. A whole float from `${…}` becomes an int; `$name` gives the value of the parameter.
    """
    text = str(scalar.value).strip()
    try:
        return _evaluate(text, names)
    except Silent:
        return BROKEN
    except Refusal as refusal:
        facts = ", ".join(f"`{name}` is {displayed(value)}" for name, value in seen(scalar, names).items())
        problems.error(
            refusal.code,
            refusal.message,
            _span(scalar, text, refusal),
            notes=[f"here {facts}"] if facts else (),
            help=refusal.help,
        )
        return BROKEN


def seen(scalar: Scalar, names: Mapping[str, object]) -> dict[str, object]:
    """The plain values that an expression uses, by their names in it: `in.channels`, `width`."""
    found = {name: _at(names, name) for name in _used(scalar)}
    return {
        name: value for name, value in found.items() if isinstance(value, int | float | str | list | tuple)
    }


def compared(scalar: Scalar, name: str) -> list[str]:
    """The texts with which an expression compares a name: those of `${name == "lstm"}`."""
    formula = _enclosed(scalar)
    chains = [each for each, _ in walk(formula.root) if isinstance(each, Chain)] if formula else []
    return [
        other.value
        for chain in chains
        for sign, pair in zip(chain.signs, pairwise(chain.operands), strict=True)
        for one, other in (pair, pair[::-1])
        if sign in ("==", "!=") and isinstance(one, NamePath) and one.path == name
        if isinstance(other, Literal) and isinstance(other.value, str)
    ]


def asks_for_size(scalar: Scalar) -> bool:
    """Whether an expression uses the size of an axis of positions: `in.height`, `stem.width`."""
    last = (path.rpartition(".") for path in _used(scalar))
    return any(owner and part in AXES_OF_POSITIONS for owner, _, part in last)


def _used(scalar: Scalar) -> list[str]:
    """The names and paths in an expression."""
    text = str(scalar.value).strip()
    if reference := _REFERENCE.fullmatch(text):
        return [reference.group(1)]
    formula = _enclosed(scalar)
    return [] if formula is None else _paths(formula)


def _enclosed(scalar: Scalar) -> Formula | None:
    """What `${…}` encloses; None for another text, or a wrong one."""
    text = str(scalar.value).strip()
    formula = parse(text[2:-1]) if _is_whole(text) and len(text) <= LENGTH_LIMIT else None
    return formula if isinstance(formula, Formula) else None


def can_be_calculated(text: str, names: Mapping[str, object]) -> bool:
    """Whether a plain text is probably an expression: a known name, or arithmetic with any names."""
    formula = parse(text) if len(text) <= LENGTH_LIMIT else None
    if not isinstance(formula, Formula):
        return False
    return _paths(formula) != [text.strip()] or _at(names, text.strip()) is not None


def _paths(formula: Formula) -> list[str]:
    """The names and paths (`in.channels`) in a formula, without duplicates, in the order of the text."""
    return list(dict.fromkeys(each.path for each in formula.names()))


def _at(names: Mapping[str, object], path: str) -> object:
    first, *rest = path.split(".")
    if rest and first not in ("in", "block"):
        return property_of(names, (first, *rest[:-1]), rest[-1])
    value: object = names
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def hold_names(
    scalar: Scalar, parameters: Collection[str], problems: Problems, later: Collection[str] = ()
) -> None:
    """Report an expression that cannot be read, or with an undeclared name, without evaluating it.

    `later` are names that are declared below it.
    """
    if problems.full:
        return
    text = str(scalar.value).strip()
    try:
        if reference := _REFERENCE.fullmatch(text):
            hold_name(reference.group(1), parameters, 1, later)
        else:
            formula = _formula(text)
            try:
                hold_all_names(formula, parameters, later=later)
            except Refusal as refusal:
                raise refusal.moved(2) from None
    except Refusal as refusal:
        problems.error(refusal.code, refusal.message, _span(scalar, text, refusal), help=refusal.help)


def _evaluate(text: str, names: Mapping[str, object]) -> object:
    """The value. Raises Refusal with columns in `text`."""
    if reference := _REFERENCE.fullmatch(text):
        return look_up(reference.group(1), names, 1)
    formula = _formula(text)
    try:
        return calculate(formula, names)
    except Refusal as refusal:
        raise refusal.moved(2) from None


def _formula(text: str) -> Formula:
    """The text in the braces of a `${…}`. Raises Refusal with columns in `text`."""
    if not _is_whole(text):
        raise _mixed(text)
    inside = text[2:-1]
    if len(inside) > LENGTH_LIMIT:
        message = f"this expression has {len(inside):,} characters; the limit is {LENGTH_LIMIT:,}"
        raise Refusal(codes.EXPRESSION_TOO_LONG, message, 0, len(text), "use parameters for its parts")
    formula = parse(inside)
    if isinstance(formula, Refusal):
        raise formula.moved(2)
    return formula


def _is_whole(text: str) -> bool:
    """Whether the text is one `${…}` and nothing more."""
    if not text.startswith("${") or not text.endswith("}"):
        return False
    return not any(found.group() in "{}" for found in _TEXT_OR_BRACE.finditer(text[2:-1]))


_JOINED_WORD = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:\$\{[^{}]*\}[\w.]*)+")
"""Values with a word directly before, between or after them; a number before one is a factor."""

JOINED = (
    "words are not joined: list the whole words in a parameter, `params: {words: [a1, a2]}`, and choose one: "
    "`${words[0]}`"
)
"""Advice for a word that is put together from a text and a value."""


def _mixed(text: str) -> Refusal:
    if "${" not in text:
        message = "`$` must be followed by the name of a parameter, and nothing else"
        inside = text[1:] if text.startswith("$") else ""
        advice = "write `$name`, or `${…}` to calculate"
        if len(inside) <= 200 and "$" not in inside and isinstance(parse(inside), Formula):
            advice = f"write `${{{inside}}}`: `${{…}}` calculates"
    elif text.startswith("${") and "}" not in text:
        message, advice = "the brace of this `${` is not closed", "put `}` at its end"
    else:
        message = "a value is either one whole `${…}`, or contains none"
        advice = "put the whole calculation inside one pair of braces"
        if _JOINED_WORD.fullmatch(text):
            advice = JOINED
    return Refusal(codes.EXPRESSION_ALONE, message, 0, len(text), advice)


def _span(scalar: Scalar, text: str, refusal: Refusal) -> Span:
    """The place of a part of the expression; the whole value if columns are unknown."""
    span, quotes = scalar.span, 2 if scalar.quoted else 0
    raw = str(scalar.value)
    if span.line != span.end_line or span.end_column - span.column != len(raw) + quotes:
        return span
    first = span.column + quotes // 2 + raw.index(text)
    start, end = first + refusal.start, first + max(refusal.end, refusal.start + 1)
    return Span(span.file, span.line, start, span.line, end)
