"""Formats the values of an expression for messages."""

from __future__ import annotations

from netspec.types import LIMIT


def displayed(value: object) -> str:
    """A value of an expression, for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        shown = ", ".join(displayed(each) for each in value[:8])
        return f"[{shown}{', …' if len(value) > 8 else ''}]"
    if isinstance(value, int | float):
        if not abs(value) < LIMIT:
            return "beyond 2⁶³"
        whole = isinstance(value, int) or value.is_integer()
        shown = str(int(value)) if whole else f"{value:.10g}"
        return shown.replace("-", "−")
    return f"`{str(value)[:40]}`"
