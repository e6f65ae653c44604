"""Diagnostics as text for people and as data for machines; one file a format."""

from netspec.diagnostics.render.github import as_github
from netspec.diagnostics.render.json import as_json
from netspec.diagnostics.render.junit import as_junit
from netspec.diagnostics.render.sarif import as_sarif
from netspec.diagnostics.render.text import as_text

REPORTS = {"json": as_json, "github": as_github, "sarif": as_sarif, "junit": as_junit}
"""How the report of a check is written for machines, by format."""

__all__ = ["REPORTS", "as_github", "as_json", "as_junit", "as_sarif", "as_text"]
