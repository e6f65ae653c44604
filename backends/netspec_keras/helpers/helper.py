"""Defines what a helper is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from netspec.dataclass import dataclass

Parts = Collection[str]
"""The parts of helpers that a network needs."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A class or function of the generated text, and the helpers that must be defined before it.

    `text` is the whole helper. If a network can need less, `written` returns the text with some parts only.
    """

    text: str
    needs: tuple[str, ...] = ()
    written: Callable[[Parts], str] | None = None

    def of(self, parts: Parts) -> str:
        """The text with these parts; empty if no other helper needs it then."""
        return self.text if self.written is None else self.written(parts)

    def needs_of(self, parts: Parts) -> tuple[str, ...]:
        """The helpers that the text with these parts needs."""
        if self.written is None:
            return self.needs
        text = self.written(parts)
        return tuple(each for each in self.needs if re.search(rf"\b{each}\b", text))
