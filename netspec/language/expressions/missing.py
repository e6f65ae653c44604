"""What stands where a value or a tensor should be, when there is none."""

from __future__ import annotations

from typing import Final

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value, and why. Without a reason: something is broken, and that is reported already."""

    reason: str | None = None
    help: str | None = None


BROKEN: Final = Missing()
"""What stands for all that is broken and reported."""
