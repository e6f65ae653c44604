"""The meaning of a plain YAML scalar: stricter than YAML 1.1, so that no value unexpectedly changes its kind."""

from __future__ import annotations

import re

from netspec.types import LIMIT

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


class OutOfRange(ValueError):
    """A number out of range: a whole number that is too large, or a number outside float64."""


def interpret(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar.

    `1e-5` and `1E3` are floats, `21_958_868` is a whole number; `on`, `yes`, `no` and `012` are words
    (YAML 1.1 reads booleans and an octal number there).

    Raises:
        OutOfRange: a whole number of 2⁶³ or more, or a number that is infinite or 0 in float64.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    # Check the length first: Python refuses to convert a number with thousands of digits.
    if len(digits.lstrip("+-")) > _DIGIT_LIMIT or abs(int(digits)) >= LIMIT:
        raise OutOfRange(
            f"this whole number has {sum(map(str.isdigit, digits))} digits; the largest is 2⁶³ − 1, with 19"
        )
    return int(digits)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise OutOfRange("this number is too large: the largest is about 1.8e308")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise OutOfRange("this number is too small: in float64 it is 0")
    return value


def boolean(given: object) -> str | None:
    """The boolean that was probably meant, or None."""
    return _BOOLEANS.get(str(given).lower())


_BOOLEANS = {
    "none": "false",
    "null": "false",
    "yes": "true",
    "on": "true",
    "1": "true",
    "no": "false",
    "off": "false",
    "0": "false",
}
