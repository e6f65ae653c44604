"""The placeholder for a missing value or tensor."""

from __future__ import annotations

from typing import Final

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value, with the reason. Without a reason, an error is already reported."""

    reason: str | None = None
    help: str | None = None


BROKEN: Final = Missing()
"""The placeholder for everything whose error is already reported."""
