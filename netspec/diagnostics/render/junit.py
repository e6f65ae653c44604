"""Renders a run as JUnit XML, which CI services show as tests: one test per file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.diagnostics.render.report import DiagnosticsByFile, is_ok, printable
from netspec.diagnostics.render.text import as_text

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"})
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: DiagnosticsByFile) -> str:
    """One test case per file; errors are its failure, warnings its output."""
    failures = sum(not is_ok(diagnostics) for _, diagnostics in report)
    counts = f'tests="{len(report)}" failures="{failures}" errors="0"'
    cases = "".join(_case(path, diagnostics) for path, diagnostics in report)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="netspec" {counts}>\n'
        f'  <testsuite name="netspec check" {counts}>\n{cases}  </testsuite>\n</testsuites>'
    )


def _case(path: str, diagnostics: Sequence[Diagnostic]) -> str:
    head = f'    <testcase classname="netspec.check" name="{_attribute(path)}" file="{_attribute(path)}"'
    if not diagnostics:
        return f"{head}/>\n"
    errors = [each for each in diagnostics if each.severity == "error"]
    body = ""
    if errors:
        first = f"{errors[0].code.id}: {errors[0].message}"
        kind = ", ".join(sorted({each.code.id for each in errors}))
        body = f'      <failure type="{kind}" message="{_attribute(first)}">{_content(as_text(errors))}</failure>\n'
    if warnings := [each for each in diagnostics if each.severity != "error"]:
        body += f"      <system-out>{_content(as_text(warnings))}</system-out>\n"
    return f"{head}>\n{body}    </testcase>\n"


def _attribute(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", printable(text)).translate(_ENTITIES)


def _content(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text).translate({**_ENTITIES, ord("\n"): "\n"})
