"""Splits the text of an expression into tokens. It never fails: an unknown character is also a token."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

TokenKind = Literal["number", "word", "name", "sign", "unclosed", "strange", "end"]


class Token(NamedTuple):
    """A part of the text, from column `start` up to `end`.

    A word is in quotes; an unclosed one has only the first. A strange character is not part of any expression.
    """

    kind: TokenKind
    text: str
    start: int
    end: int


_DIGITS = r"[0-9](?:_?[0-9])*"
_EXPONENT = rf"(?:[eE][-+]?{_DIGITS})"
_NUMBER = "|".join(
    (
        r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+",
        rf"(?:{_DIGITS})?\.{_DIGITS}{_EXPONENT}?",
        rf"{_DIGITS}\.{_EXPONENT}?",
        rf"{_DIGITS}{_EXPONENT}?",
    )
)
_SIGN = r"\*\*|//|==|!=|<=|>=|<<|>>|:=|\.\.\.|[-+*/%<>=()\[\],.:~^&|@]"
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<word>'[^']*'|\"[^\"]*\")|(?P<unclosed>['\"])"
    rf"|(?P<name>[^\W\d]\w*)|(?P<sign>{_SIGN})|(?P<strange>\S)"
)
_KINDS: dict[str, TokenKind] = {
    "number": "number",
    "word": "word",
    "unclosed": "unclosed",
    "name": "name",
    "sign": "sign",
    "strange": "strange",
}


def tokens(text: str) -> list[Token]:
    """The tokens of a text. The last one has the kind `end`, after the last character that is not a space."""
    found = [
        Token(_KINDS[str(each.lastgroup)], each.group(), each.start(), each.end())
        for each in _TOKEN.finditer(text)
    ]
    end = found[-1].end if found else len(text)
    return [*found, Token("end", "", end, end)]
