"""Renders diagnostics as JSON, in the documented, stable form."""

from __future__ import annotations

import json
from collections.abc import Mapping

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import DiagnosticsByFile, is_ok


def as_json(report: DiagnosticsByFile, counts: Mapping[str, int] | None = None) -> str:
    """The JSON of `netspec check`: every file with `ok` and its diagnostics, and the number of files of each kind."""
    files = [
        {"path": path, "ok": is_ok(diagnostics), "diagnostics": [_fields(each) for each in diagnostics]}
        for path, diagnostics in report
    ]
    text = json.dumps(
        {"netspec": 1, "files": files, **({} if counts is None else {"counts": counts})},
        indent=2,
        ensure_ascii=False,
    )
    # Half of a surrogate pair cannot be encoded; its JSON escape means the same.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _fields(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    return {
        "code": diagnostic.code.id,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }
