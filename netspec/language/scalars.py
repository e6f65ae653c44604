"""What a plain YAML word means: stricter than YAML 1.1, so that no value changes its kind by surprise."""

from __future__ import annotations

import re

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*(?:_[0-9]+)*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, float | bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_DIGIT_LIMIT = 19
LARGEST = 2**63 - 1


class TooLarge(ValueError):
    """A whole number beyond what any size or count can be."""


def interpret(text: str) -> str | int | float | bool | None:
    """Tell the value of an unquoted scalar.

    `1e-5` and `1E3` are floats, `21_958_868` is a whole number; `on`, `yes`, `no` and `012` are words
    (YAML 1.1 reads booleans and an octal number there). Raises TooLarge beyond 2⁶³ − 1.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    # The length first: Python refuses to convert a number of thousands of digits.
    if len(digits.lstrip("+-")) > _DIGIT_LIMIT or abs(int(digits)) > LARGEST:
        raise TooLarge(text)
    return int(digits)
