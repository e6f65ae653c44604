"""Formats numbers of bytes."""

from __future__ import annotations

UNAVAILABLE = "unavailable"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def size(count: int | None) -> str:
    """A number of bytes in powers of a thousand, with one decimal; None means unknown."""
    if count is None:
        return UNAVAILABLE
    value, unit = float(count), UNITS[0]
    for larger in UNITS[1:]:
        if value < 999.95:  # a value that would round to 1000.0 uses the next unit
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:,.1f} {unit}"
