"""A problem as data: what is wrong, where, why, and the smallest change that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from netspec.diagnostics.span import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. The story and the example are what `netspec explain` prints.

    `example` is a whole spec that has this problem and no other; a test checks it. It is empty only
    for problems that no single small file can show (a missing file, a 50 MB one).
    """

    id: str
    title: str
    story: str
    example: str = ""

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem, ready for any renderer."""

    code: Code
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = "error"


@dataclass(slots=True)
class Problems:
    """Collects the problems of one run, so that all of them are told, each once."""

    found: list[Diagnostic] = field(default_factory=list)
    _told: set[Diagnostic] = field(default_factory=set)

    def error(
        self, code: Code, message: str, span: Span, *, notes: Sequence[str] = (), help: str | None = None
    ) -> None:
        self.add([Diagnostic(code, message, span, tuple(notes), help)])

    def warning(
        self, code: Code, message: str, span: Span, *, notes: Sequence[str] = (), help: str | None = None
    ) -> None:
        self.add([Diagnostic(code, message, span, tuple(notes), help, severity="warning")])

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take these, each once."""
        for each in diagnostics:
            if each not in self._told:
                self._told.add(each)
                self.found.append(each)

    @property
    def errors(self) -> list[Diagnostic]:
        return [each for each in self.found if each.severity == "error"]

    def in_order(self) -> list[Diagnostic]:
        """The problems in source order."""
        return sorted(self.found, key=lambda each: (each.span.file, each.span.line, each.span.column))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.in_order())

    def __len__(self) -> int:
        return len(self.found)


class SpecError(Exception):
    """A spec is wrong. Carries every diagnostic of the run; `str()` is the rendered text."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        from netspec.diagnostics.render import as_text

        return as_text(self.diagnostics)
