"""Renders diagnostics as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from netspec.diagnostics.code import Code
from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import DiagnosticsByFile, printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(report: DiagnosticsByFile) -> str:
    """One run with one result per diagnostic, and the rules that the results refer to."""
    found = [each for _, diagnostics in report for each in diagnostics]
    codes = sorted({each.code.id: each.code for each in found}.values(), key=lambda code: code.id)
    places = {code.id: number for number, code in enumerate(codes)}
    run = {
        "tool": {"driver": {"name": "netspec", "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, places[each.code.id]) for each in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: Code) -> dict[str, object]:
    return {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": " ".join(code.story.split())},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    span = diagnostic.span
    remarks = [*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    location = {"artifactLocation": {"uri": _uri(span.file)}, "region": region}
    return {
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": printable("\n".join([diagnostic.message, *remarks]))},
        "locations": [{"physicalLocation": location}],
    }


def _uri(file: str) -> str:
    """A path as a URI: relative paths stay relative, and zoo names (`zoo:lenet5`) are URIs already."""
    from urllib.parse import quote  # slow to import, and used only here

    path = quote(file.replace("\\", "/"), safe="/:", errors="replace")
    return f"file://{path}" if PurePosixPath(path).is_absolute() else path
