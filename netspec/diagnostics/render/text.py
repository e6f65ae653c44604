"""Renders diagnostics for people: the message, the line of the spec, and a caret under the value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from netspec import files
from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import printable
from netspec.diagnostics.span import Span

# The line ends of YAML, so that lines are counted here as in the YAML reader.
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_TAB = "    "
_WIDEST = 120
_SIZE_LIMIT = 20_000_000

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "frame": "\x1b[1;34m", "help": "\x1b[1;36m"}


def as_text(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str] | None = None, colour: bool = False
) -> str:
    """Render diagnostics one after the other, with an empty line in between and no line end at the end.

    `sources` contains the text of files by the file name in the spans; other files are read. If the text of a file
    is not available, the excerpt is left out.
    """
    lines = _Lines(sources or {})
    paint = _Paint(colour)
    return "\n\n".join(_block(each, lines, paint) for each in diagnostics)


class _Lines:
    """The lines of the files that spans refer to; each file is read once."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._read: dict[str, list[str]] = {}

    def line(self, span: Span) -> str | None:
        """The first line of a span, or None if there is no line to show."""
        if span.column == span.end_column == span.line == 1:
            return None  # an empty span at the start of a file: the problem is the whole file
        if span.file not in self._read:
            text = self._sources.get(span.file)
            text = _read(span.file) if text is None else text
            self._read[span.file] = _LINE_END.split(text.removeprefix("\ufeff"))
        lines = self._read[span.file]
        return lines[span.line - 1] if 0 < span.line <= len(lines) and any(lines) else None


def _read(file: str) -> str:
    try:
        return files.read(file, _SIZE_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""  # without an excerpt, the diagnostic still states the problem


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, kind: str) -> str:
        return f"{_COLOURS[kind]}{text}{_PLAIN}" if self._colour else text

    def bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self._colour else text


def _block(diagnostic: Diagnostic, lines: _Lines, paint: _Paint) -> str:
    span = diagnostic.span
    margin = " " * len(str(span.line))
    head = paint(f"{diagnostic.severity}[{diagnostic.code.id}]", diagnostic.severity)
    block = [
        f"{head}{paint.bold(': ' + printable(diagnostic.message))}",
        f"{margin}{paint('-->', 'frame')} {printable(str(span))}",
    ]
    source = lines.line(span)
    bar = paint("|", "frame")
    if source is not None:
        shown, caret = _excerpt(source, span)
        block.append(f"{margin} {bar}")
        block.append(f"{paint(str(span.line), 'frame')} {bar} {shown}".rstrip())
        block.append(f"{margin} {bar} {paint(caret, diagnostic.severity)}")
    remarks = [("note", note) for note in diagnostic.notes]
    remarks += [("help", diagnostic.help)] if diagnostic.help else []
    for kind, text in remarks:
        lead = (
            f"{margin} {paint('=', 'frame')} {paint(kind, 'help') if kind == 'help' else paint.bold(kind)}: "
        )
        # The further lines of a remark start below its first word.
        hanging = "\n" + margin + " " * len(" = help: ")
        block.append(lead + printable(text).replace("\n", hanging))
    return "\n".join(block)


def _excerpt(source: str, span: Span) -> tuple[str, str]:
    """The line as it is shown, and the spaces and carets below it, in terminal columns."""
    first = min(span.column - 1, len(source))
    last = min(span.end_column - 1, len(source)) if span.end_line == span.line else len(source.rstrip())
    last = max(first, last)
    # Only the part that can be shown is processed: a line can be as long as a file.
    before = _cells_of(source[max(first - _WIDEST, 0) : first])
    marked = _cells_of(source[first : min(last, first + _WIDEST)])
    behind = _cells_of(source[last : last + _WIDEST])
    if len(source) > 2 * _WIDEST or _width(before + marked + behind) > _WIDEST:
        before, marked, behind = _cut(before, marked, behind)
    return before + marked + behind, " " * _width(before) + "^" * max(_width(marked), 1)


def _cut(before: str, marked: str, behind: str) -> tuple[str, str, str]:
    """The part of a long line around the marked value."""
    room = _WIDEST // 3
    if len(before) > room:
        before = "…" + before[-room:]
    if len(marked) > room:
        marked = marked[: room - 1] + "…"
    if len(behind) > room:
        behind = behind[:room] + "…"
    return before, marked, behind


def _cells_of(text: str) -> str:
    return "".join(map(_shown, text))


def _shown(sign: str) -> str:
    if sign == "\t":
        return _TAB
    # One character per character, so that columns match; U+FFFD stands for a character that cannot be shown.
    return sign if sign.isprintable() else "\ufffd"


def _width(text: str) -> int:
    """The number of terminal columns: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
