"""An error in an expression, with its place."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.diagnostics import Code


@dataclass(eq=False, slots=True)
class Refusal(Exception):
    """An error in an expression; `start` and `end` are columns in its text, from 0."""

    code: Code
    message: str
    start: int
    end: int
    help: str | None = None

    def moved(self, by: int) -> Refusal:
        """The same error, in a text that starts this number of columns earlier."""
        return Refusal(self.code, self.message, self.start + by, self.end + by, self.help)
