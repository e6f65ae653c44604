"""A problem as data: what is wrong, where, why, and the smallest change that fixes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Literal

from netspec.dataclass import dataclass
from netspec.diagnostics.code import Code
from netspec.diagnostics.codes import files
from netspec.diagnostics.span import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem, ready for any renderer."""

    code: Code
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = "error"


SHOWN = 100
"""As many problems of one run are shown; more are counted."""

_LONGEST = 1000
_NOTES = 12


class Full(Exception):
    """So many problems are found that nobody reads on; the run ends here."""


@dataclass(slots=True)
class Problems:
    """Collects the problems of one run: each once, and no more than a person reads.

    A report must not take longer than the text that it is about. So what comes after the first SHOWN problems is
    counted only, texts are cut, and whoever looks for further problems item by item calls `check_room`.
    """

    found: list[Diagnostic] = field(default_factory=list)
    more: int = 0
    first_more: Span | None = None
    _worst_more: Severity = "warning"
    _kept: dict[Severity, int] = field(default_factory=lambda: {"error": 0, "warning": 0})
    _told: set[Diagnostic] = field(default_factory=set)

    def error(
        self, code: Code, message: str, span: Span, *, notes: Sequence[str] = (), help: str | None = None
    ) -> None:
        self.add([_diagnostic(code, message, span, notes, help, "error")])

    def warning(
        self, code: Code, message: str, span: Span, *, notes: Sequence[str] = (), help: str | None = None
    ) -> None:
        self.add([_diagnostic(code, message, span, notes, help, "warning")])

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take these, each once."""
        for each in diagnostics:
            if each in self._told:
                continue
            if self._kept[each.severity] >= SHOWN:
                self.skip(each.span, severity=each.severity)
            else:
                self._told.add(each)
                self._kept[each.severity] += 1
                self.found.append(each)

    @property
    def full(self) -> bool:
        """Whether further errors are counted only, so that nothing need be found out about them."""
        return self._kept["error"] >= SHOWN

    def skip(self, span: Span, count: int = 1, severity: Severity = "error") -> None:
        """Count problems of which nothing else is said; the first of them is at `span`."""
        self.more += count
        if severity == "error":
            self._worst_more = severity
        self.first_more = self.first_more or span

    def check_room(self) -> None:
        """Raise Full once further errors are counted only."""
        if self.full and self.more:
            raise Full

    @property
    def errors(self) -> list[Diagnostic]:
        return [each for each in self.found if each.severity == "error"]

    def in_order(self) -> list[Diagnostic]:
        """The problems in source order; last, how many more there are."""
        ordered = sorted(self.found, key=lambda each: (each.span.file, each.span.line, each.span.column))
        if self.full or self.first_more is not None:
            ordered.append(
                Diagnostic(
                    files.MORE_PROBLEMS,
                    f"{len(self.found)} problems are shown; "
                    + (
                        f"there are at least {self.more:,} more, from here on"
                        if self.more
                        else "there may be more"
                    ),
                    self.first_more or ordered[-1].span,
                    help="correct those above first: many of the others may have the same cause",
                    # Warnings that are left out do not make a spec wrong.
                    severity="error" if self.full else self._worst_more,
                )
            )
        return ordered

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.in_order())

    def __len__(self) -> int:
        return len(self.found) + self.more


def _diagnostic(
    code: Code, message: str, span: Span, notes: Sequence[str], help: str | None, severity: Severity
) -> Diagnostic:
    short = None if help is None else _cut(help)
    shown = [*map(_cut, notes[:_NOTES])]
    if len(notes) > _NOTES:
        shown.append(f"and {len(notes) - _NOTES:,} more notes")
    return Diagnostic(code, _cut(message), span, tuple(shown), short, severity)


def _cut(text: str) -> str:
    """A text without its middle where an author's words make it too long to read."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"
