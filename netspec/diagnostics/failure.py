"""The exception of a spec that is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.diagnostics.diagnostic import Diagnostic


class SpecError(Exception):
    """A spec is wrong. Carries every diagnostic of the run; `str()` is the rendered text."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        from netspec.diagnostics.render.text import as_text

        return as_text(self.diagnostics)
