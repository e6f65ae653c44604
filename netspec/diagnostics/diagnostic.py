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
"""The number of problems that one report shows; further ones are counted."""

_LONGEST = 1000
_NOTES = 12


class Full(Exception):
    """The report is full; the run ends here."""


@dataclass(slots=True)
class Problems:
    """Collects the problems of one run, without duplicates and up to the limit of a report.

    Writing a report must not take longer than reading the spec. So after the first SHOWN problems, further ones are
    only counted, long texts are shortened, and a loop that looks for problems item by item calls `check_room`.
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
        """Add these diagnostics, without duplicates."""
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
        """Whether further errors are only counted, so their details are not needed."""
        return self._kept["error"] >= SHOWN

    def skip(self, span: Span, count: int = 1, severity: Severity = "error") -> None:
        """Count problems without recording them; the first of them is at `span`."""
        self.more += count
        if severity == "error":
            self._worst_more = severity
        self.first_more = self.first_more or span

    def check_room(self) -> None:
        """Raise Full if further errors are only counted."""
        if self.full and self.more:
            raise Full

    @property
    def errors(self) -> list[Diagnostic]:
        return [each for each in self.found if each.severity == "error"]

    def in_order(self) -> list[Diagnostic]:
        """The problems in source order, followed by the number of those that are not shown."""
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
                    help="fix the problems above first: many of the others may have the same cause",
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
    """The text, without its middle if it is too long to read because of a long word of the author."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"
