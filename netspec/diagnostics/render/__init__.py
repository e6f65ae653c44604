"""Diagnostics as text for people and as data for machines; one file a format."""

from collections.abc import Callable

from netspec.diagnostics.render.github import as_github
from netspec.diagnostics.render.json import as_json
from netspec.diagnostics.render.junit import as_junit
from netspec.diagnostics.render.report import Report
from netspec.diagnostics.render.sarif import as_sarif
from netspec.diagnostics.render.text import as_text

REPORTS: dict[str, Callable[[Report], str]] = {
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
    "junit": as_junit,
}
"""The formats for machines, by the names that `netspec check --format` takes."""

__all__ = ["REPORTS", "Report", "as_github", "as_json", "as_junit", "as_sarif", "as_text"]
