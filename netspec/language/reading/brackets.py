"""Scans broken YAML for open brackets, open quotes, and `${…}` without quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# One token of the text. A quote opens a quoted value only where a value can start, and a `#` starts a comment only
# after a space; inside a plain word both are normal characters. Lines end as in YAML.
_ENDS = r"\n\r\x85\u2028\u2029"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', re.DOTALL)
_BARE = re.compile(rf"\$\{{[^{_ENDS}}}]*\}}?")
_BLOCK_PLAIN = re.compile(rf"(?:(?!:[ \t{_ENDS}]|:$| #)[^{_ENDS}])+")
_FLOW_PLAIN = re.compile(rf"(?:(?!: |:$| #|\$\{{)[^{_ENDS},\[\]{{}}])+", re.MULTILINE)
_BLANK = re.compile(rf"[ \t{_ENDS}]+|#[^{_ENDS}]*|(?:[-?:](?=[ \t{_ENDS}]|$)|,)")
_END = re.compile(rf"[{_ENDS}]")


@dataclass(frozen=True, slots=True)
class Bracket:
    """An opening bracket by its offset in the text."""

    sign: str
    offset: int


@dataclass(slots=True)
class Brackets:
    """The brackets that are open at the end, the expressions without quotes, and quotes that span lines."""

    open: list[Bracket] = field(default_factory=list)
    bare: list[tuple[int, int]] = field(default_factory=list)
    long_quotes: list[tuple[int, int]] = field(default_factory=list)


def scan(text: str) -> Brackets:
    """Scan the whole text once. Offsets are characters from its start."""
    found = Brackets()
    at = 0
    while at < len(text):
        at = _step(text, at, found)
    return found


def _step(text: str, at: int, found: Brackets) -> int:
    sign = text[at]
    if blank := _BLANK.match(text, at):
        return blank.end()
    if sign in "\"'" and (quoted := _QUOTED.match(text, at)):
        if _END.search(quoted.group()):
            found.long_quotes.append(quoted.span())
        return quoted.end()
    if found.open and (bare := _BARE.match(text, at)):
        found.bare.append(bare.span())
        return bare.end()
    if sign in "[{":
        found.open.append(Bracket(sign, at))
        return at + 1
    if sign in "]}":
        if found.open and found.open[-1].sign == {"]": "[", "}": "{"}[sign]:
            found.open.pop()
        return at + 1
    word = (_FLOW_PLAIN if found.open else _BLOCK_PLAIN).match(text, at)
    return word.end() if word else at + 1
