"""Renders diagnostics as text for people and as data for machines; one file per format."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from netspec.diagnostics.render.report import DiagnosticsByFile

if TYPE_CHECKING:
    from netspec.diagnostics.render.github import as_github
    from netspec.diagnostics.render.json import as_json
    from netspec.diagnostics.render.junit import as_junit
    from netspec.diagnostics.render.sarif import as_sarif
    from netspec.diagnostics.render.text import as_text


def __getattr__(name: str) -> Any:
    """Load a renderer when it is first used; most runs find no problem and do not need one."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.removeprefix('as_')}"), name)


def _renderer(name: str) -> Callable[[DiagnosticsByFile], str]:
    def render(report: DiagnosticsByFile) -> str:
        write: Callable[[DiagnosticsByFile], str] = __getattr__(f"as_{name}")
        return write(report)

    return render


REPORTS: dict[str, Callable[[DiagnosticsByFile], str]] = {
    name: _renderer(name) for name in ("json", "github", "sarif", "junit")
}
"""The machine formats, by their names in `netspec check --format`."""

__all__ = ["REPORTS", "DiagnosticsByFile", "as_github", "as_json", "as_junit", "as_sarif", "as_text"]
