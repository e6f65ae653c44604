"""Renders diagnostics as GitHub workflow commands, which GitHub shows next to the changed lines."""

from __future__ import annotations

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import DiagnosticsByFile, printable


def as_github(report: DiagnosticsByFile) -> str:
    """One `::error …::` or `::warning …::` line per diagnostic; empty without diagnostics."""
    return "\n".join(_command(each) for _, diagnostics in report for each in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = {"file": span.file, "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:
        # GitHub accepts columns only within one line, and its end column is inclusive.
        place |= {"col": span.column, "endColumn": max(span.end_column - 1, span.column)}
    place |= {"title": f"{diagnostic.code.id}: {diagnostic.code.title}"}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    remarks = [*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    return f"::{diagnostic.severity} {properties}::{_data(chr(10).join([diagnostic.message, *remarks]))}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
