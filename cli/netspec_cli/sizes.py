"""Bytes as one reads them."""

from __future__ import annotations

UNAVAILABLE = "unavailable"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def size(count: int | None) -> str:
    """Bytes in powers of a thousand, with one digit behind the point; None is not known."""
    if count is None:
        return UNAVAILABLE
    value, unit = float(count), UNITS[0]
    for larger in UNITS[1:]:
        if value < 999.95:  # what would round to 1000.0 is one of the next unit
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:,.1f} {unit}"
