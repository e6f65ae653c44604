"""Explains errors of the YAML reader, and finds their causes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from netspec.diagnostics import Code, Problems, Span
from netspec.diagnostics.codes import files as codes
from netspec.language.reading.brackets import Bracket, Brackets, scan

LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")

_BARE_NAME = re.compile(r"(\s*)- +([A-Za-z_]\w*)\s*(?:#.*)?")
_ITEM = re.compile(r"(\s*- +)([A-Za-z_]\w*:(?: .*)?)")
_NEXT_KEY = re.compile(r", *[A-Za-z_]\w*:(?: |$)")
_QUOTED_OR_COMMENT = re.compile(r"""(?<![^\s,:\[{])(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)|(?<!\S)#.*""")
_WHOLE_EXPRESSION = re.compile(r"(?<=[\s,\[{])\$\{[^{}]*\}(?=\s*(?:[,\]}]|$))")
_KEY = re.compile(r"(\s*)([A-Za-z_]\w*):(?:\s|$)")
_GLUED = re.compile(r"\s*(?:- +)?([A-Za-z_]\w*):([^\s:].*)")
_TWO_COLONS = re.compile(r"\s*(?:- +)*[^\s:#\"'\[{][^:#]*:\s+([^\"'\[{#\s].*)")


_SCAN_LIMIT = 1_000_000  # characters; enough to find a cause, and quick on a file of rubbish
_BRACED_LIMIT = 1_000  # characters; a longer item is not written on one line


@dataclass(frozen=True, slots=True)
class _Finding:
    code: Code
    message: str
    span: Span
    help: str
    notes: tuple[str, ...] = ()


class _Failure:
    """One failure of the YAML reader, with its text."""

    def __init__(self, error: Any, text: str, file: str) -> None:
        self.problem: str = getattr(error, "problem", None) or "it cannot be read"
        self.context: str = getattr(error, "context", None) or ""
        self.lines = LINE_END.split(text)
        self.file = file
        self.brackets: Brackets = scan(text[:_SCAN_LIMIT])
        self._starts = [0] + [each.end() for each in LINE_END.finditer(text)]
        mark = getattr(error, "problem_mark", None)
        origin = getattr(error, "context_mark", None)
        self.line: int = min(mark.line, len(self.lines) - 1) if mark else 0
        self.column: int = mark.column if mark and mark.line < len(self.lines) else 0
        self.at_end: bool = mark is None or not "".join(self.lines[self.line :])[self.column :].strip()
        self.origin = (origin.line, origin.column) if origin else None

    @property
    def text(self) -> str:
        return self.lines[self.line]

    @property
    def sign(self) -> str:
        return self.text[self.column : self.column + 1]

    @property
    def here(self) -> Span:
        return self.at(self.line, self.column)

    def at(self, line: int, column: int, width: int = 1) -> Span:
        # The reader can stop at the end of a line, where there is no character to mark.
        end = max(min(column + width, len(self.lines[line])), column)
        return Span(self.file, line + 1, column + 1, line + 1, end + 1)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 0, of an offset in the text."""
        line = bisect_right(self._starts, offset) - 1
        return line, offset - self._starts[line]

    def before(self) -> tuple[int, str] | None:
        """The nearest line above that is not empty."""
        for number in range(self.line - 1, -1, -1):
            if (line := self.lines[number].strip()) and not line.startswith("#"):
                return number, self.lines[number]
        return None


def explain(error: Exception, text: str, file: str, problems: Problems) -> None:
    """Report a failure of the YAML reader as an error of the author."""
    failure = _Failure(error, text, file)
    if _bare_expressions(failure, text, problems):
        return
    found = next(found for look in _CAUSES if (found := look(failure)))
    problems.error(found.code, found.message, found.span, notes=found.notes, help=found.help)


def _bare_expressions(failure: _Failure, text: str, problems: Problems) -> bool:
    for start, end in failure.brackets.bare:
        line, column = failure.place(start)
        written = text[start:end]
        problems.error(
            codes.BARE_EXPRESSION,
            f"`{written}` has no quotes inside {{ }} or [ ]",
            failure.at(line, column, len(written)),
            help=f'write `"{written}"`'
            if written.endswith("}")
            else 'write the whole expression on one line, in quotes: `"${…}"`',
        )
    return bool(failure.brackets.bare)


def _keys_on_one_line(failure: _Failure) -> _Finding | None:
    """A whole item on one line, without the braces that this needs: `- add: , from: [a, b]`."""
    masked = _masked(failure.text)
    item = _ITEM.fullmatch(failure.text[: len(masked)])
    if item is None or not _has_outer_comma(masked[item.start(2) :]):
        return None
    braced = _braced(item.group(2), masked[item.start(2) :])
    return _Finding(
        codes.NOT_YAML,
        "several keys on one line need braces around them",
        failure.at(failure.line, item.start(2), len(item.group(2))),
        f"write `- {braced}`, or each key on its own line" if braced else "write each key on its own line",
    )


def _masked(text: str) -> str:
    """The text of a line without its comment, with another text of the same length for each quoted one."""
    return _QUOTED_OR_COMMENT.sub(
        lambda found: "" if found.group().startswith("#") else "_" * len(found.group()), text
    ).rstrip()


def _braced(text: str, masked: str) -> str | None:
    """The keys in braces, with expressions in quotes as braces need them. None if this is still not YAML."""
    if len(text) > _BRACED_LIMIT:
        return None
    parts, done = [], 0
    for found in _WHOLE_EXPRESSION.finditer(masked):
        written = text[found.start() : found.end()]
        parts += [text[done : found.start()], _quoted(written)]
        done = found.end()
    braced = "{" + "".join([*parts, text[done:]]) + "}"
    try:
        list(yaml.parse(braced, Loader=yaml.BaseLoader))
    except yaml.YAMLError:
        return None
    return braced


def _quoted(value: str) -> str:
    """The value in quotes, the double ones if they need no escapes."""
    return f'"{value}"' if '"' not in value and "\\" not in value else "'" + value.replace("'", "''") + "'"


def _has_outer_comma(masked: str) -> bool:
    """Whether a comma outside brackets stands before a further key."""
    depth = 0
    for at, sign in enumerate(masked):
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and depth == 0 and _NEXT_KEY.match(masked, at):
            return True
    return False


def _open_quote(failure: _Failure) -> _Finding | None:
    if "quoted scalar" in failure.context and "found unexpected" in failure.problem and failure.origin:
        line, column = failure.origin
    elif (quote := _quote_ending_on(failure)) is not None:
        line, column = quote
    else:
        return None
    sign = failure.lines[line][column : column + 1]
    return _Finding(
        codes.QUOTE,
        f"the quote {sign} that opens here is not closed on its line",
        failure.at(line, column),
        f"add {sign} at the end of the value",
    )


def _quote_ending_on(failure: _Failure) -> tuple[int, int] | None:
    """A quoted value that spans lines and ends just before the failure should probably be closed earlier."""
    for start, end in failure.brackets.long_quotes:
        last_line, last_column = failure.place(end - 1)
        if last_line == failure.line and last_column < max(failure.column, 1):
            return failure.place(start)
    return None


def _tab(failure: _Failure) -> _Finding | None:
    indent = failure.text[: len(failure.text) - len(failure.text.lstrip())]
    if failure.sign != "\t" and "\t" not in indent:
        return None
    column = failure.column if failure.sign == "\t" else indent.index("\t")
    return _Finding(
        codes.TAB,
        "this line is indented with a tab",
        failure.at(failure.line, column),
        "replace the tab with spaces",
    )


def _bracket(failure: _Failure) -> _Finding | None:
    if "flow" not in failure.context:
        return None
    opened = failure.brackets.open
    if failure.sign and failure.sign in "]}" and "node" not in failure.context and failure.origin:
        line, column = failure.origin
        sign = failure.lines[line][column : column + 1]
        return _unclosed(failure, line, column, sign, f"and `{failure.sign}` comes before it is closed")
    if opened and (failure.at_end or _starts_above(failure, opened[-1])):
        line, column = failure.place(opened[-1].offset)
        return _unclosed(failure, line, column, opened[-1].sign, "and never closed")
    return _Finding(
        codes.NOT_YAML,
        "a value is missing here"
        if failure.sign and failure.sign in ",]}"
        else "a comma or a closing bracket is missing before this",
        failure.here,
        "put a comma between two values; a text with brackets or colons in it needs quotes",
    )


def _starts_above(failure: _Failure, bracket: Bracket) -> bool:
    return failure.place(bracket.offset)[0] < failure.line


def _unclosed(failure: _Failure, line: int, column: int, sign: str, how: str) -> _Finding:
    partner = {"[": "]", "{": "}"}.get(sign, "its partner")
    return _Finding(
        codes.BRACKET,
        f"`{sign}` is opened here {how}",
        failure.at(line, column),
        f"add the missing `{partner}`",
    )


def _closer_alone(failure: _Failure) -> _Finding | None:
    if not failure.sign or failure.sign not in "]}":
        return None
    return _Finding(
        codes.BRACKET,
        f"`{failure.sign}` closes nothing",
        failure.here,
        f"remove it, or open it with `{'[' if failure.sign == ']' else '{'}` before",
    )


def _keys_beside_name(failure: _Failure) -> _Finding | None:
    key = _KEY.match(failure.text)
    above = failure.before()
    name = _BARE_NAME.fullmatch(above[1]) if above else None
    if not key or not name or not above or len(key.group(1)) <= len(name.group(1)):
        return None
    return _Finding(
        codes.KEYS_BESIDE_NAME,
        f"`{name.group(2)}` is a bare name, and a bare name cannot have keys beside it",
        failure.at(above[0], name.start(2), len(name.group(2))),
        f"write `- {name.group(2)}:` with a colon",
        (f"the key `{key.group(2)}` is beside it on line {failure.line + 1}",),
    )


def _glued_colon(failure: _Failure) -> _Finding | None:
    lines = [(failure.line, failure.text)] + ([above] if (above := failure.before()) else [])
    for number, line in lines:
        if glued := _GLUED.fullmatch(line):
            key, rest = glued.groups()
            return _Finding(
                codes.MISSING_SPACE,
                "a space is missing after the colon",
                failure.at(number, glued.start(1), len(line.rstrip()) - glued.start(1)),
                f"write `{key}: {rest.strip()}`",
            )
    return None


def _second_colon(failure: _Failure) -> _Finding | None:
    twice = _TWO_COLONS.match(failure.text[: failure.column])
    if "mapping values" not in failure.problem or not twice:
        return None
    value = failure.text[twice.start(1) : len(_masked(failure.text))]
    return _Finding(
        codes.NOT_YAML,
        "a second colon on one line: a value with a colon needs quotes",
        failure.at(failure.line, twice.start(1), len(value)),
        f"write `{_quoted(value)}`, or put the inner key on its own line",
    )


def _after_quote(failure: _Failure) -> _Finding | None:
    before = failure.text[: failure.column].rstrip()
    if "mapping values" in failure.problem or not before.endswith(("'", '"')) or not failure.sign.strip():
        return None
    return _Finding(
        codes.NOT_YAML,
        "there is text after a closing quote",
        failure.here,
        "put the whole value in quotes; inside single quotes, write an apostrophe twice",
    )


def _missing_key(failure: _Failure) -> _Finding | None:
    before = failure.text[: failure.column].rstrip()
    if failure.sign != ":" or (before and before[-1] not in "{,"):
        return None
    return _Finding(
        codes.KEY_NOT_WORD,
        "a key is missing before the colon",
        failure.here,
        "write a word before the colon",
    )


def _indentation(failure: _Failure) -> _Finding | None:
    start = len(failure.text) - len(failure.text.lstrip())
    key = _KEY.match(failure.text)
    misplaced = "did not find expected" in failure.problem or "expected <block end>" in failure.problem
    if not (misplaced and failure.column == start) and not (
        "mapping values" in failure.problem and key and failure.line
    ):
        return None
    return _Finding(
        codes.INDENTATION,
        f"this line is indented by {start}, which is not a level of the lines above",
        failure.at(failure.line, start),
        _levels(failure, start) or "align the keys of one mapping, and the dashes of one list, exactly",
    )


def _levels(failure: _Failure, start: int) -> str:
    """The levels above to which the line can belong: those of dashes for a dash, those of keys for a key."""
    is_dash = failure.text[start:].startswith("- ")
    levels: dict[int, int] = {}
    least = len(failure.text) + 1000
    for number in range(failure.line - 1, max(failure.line - 200, -1), -1):
        line = failure.lines[number]
        inside = line.lstrip()
        indent = len(line) - len(inside)
        if not inside or inside.startswith("#") or indent >= least:
            continue
        least = indent
        if inside.startswith("- ") and not is_dash:
            indent += len(inside) - len(inside[1:].lstrip())
        if inside.startswith("- ") or not is_dash:
            levels.setdefault(indent, number + 1)
    nearest = sorted(levels, key=lambda indent: abs(indent - start))[:2]
    found = [
        f"by {indent} {'space' if indent == 1 else 'spaces'}, as line {levels[indent]}" for indent in nearest
    ]
    return f"indent it {'; or '.join(found)}" if found and start not in levels else ""


def _known_jargon(failure: _Failure) -> _Finding | None:
    for words, (code, message, advice) in _JARGON.items():
        if words in failure.problem or words in failure.context:
            return _Finding(code, message.format(sign=failure.sign), failure.here, advice)
    return None


def _anything(failure: _Failure) -> _Finding:
    return _Finding(
        codes.NOT_YAML,
        "the YAML is not valid from here on",
        failure.here,
        "look for a missing quote, comma or colon just before; a text with special characters needs quotes",
        (f"the YAML reader says: {failure.problem}",),
    )


_JARGON: dict[str, tuple[Code, str, str]] = {
    "undefined tag handle": (codes.TAG, "this is a tag, but a spec is plain data", "remove the tag"),
    "an alias": (
        codes.NOT_YAML,
        "`*` at the start of a value refers to an anchor, but no name follows",
        'put the value in quotes: `"*…"`',
    ),
    "an anchor": (
        codes.NOT_YAML,
        "`&` at the start of a value gives it a name, but no name follows",
        'put the value in quotes: `"&…"`',
    ),
    "cannot start any token": (
        codes.NOT_YAML,
        "a value cannot start with `{sign}` unless it is quoted",
        "put the value in quotes",
    ),
    "unknown escape": (
        codes.NOT_YAML,
        "the backslash in this quoted text does not start a valid YAML escape",
        "use single quotes, or double the backslash",
    ),
    "sequence entries": (
        codes.NOT_YAML,
        "a list with dashes must start on its own line",
        "break the line before the dash, or write the list in [ ]",
    ),
    "irective": (
        codes.NOT_YAML,
        "a line that starts with `%` is a YAML directive, but this one is unknown",
        "remove it",
    ),
    "incompatible YAML": (codes.NOT_YAML, "this version of YAML does not exist", "remove the line"),
    "block scalar": (
        codes.NOT_YAML,
        "after `|` or `>` the text starts on the next line",
        "break the line here, or put the value in quotes",
    ),
}

_CAUSES: tuple[Callable[[_Failure], _Finding | None], ...] = (
    _keys_on_one_line,
    _open_quote,
    _tab,
    _missing_key,
    _bracket,
    _closer_alone,
    _keys_beside_name,
    _second_colon,
    _glued_colon,
    _after_quote,
    _indentation,
    _known_jargon,
    _anything,
)
