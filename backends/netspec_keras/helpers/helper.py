"""Defines what a helper is."""

from __future__ import annotations

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Helper:
    """A class or function of the generated text, and the helpers that must be defined before it."""

    text: str
    needs: tuple[str, ...] = ()
