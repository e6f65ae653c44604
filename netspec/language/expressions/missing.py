"""The placeholder for a missing value or tensor."""

from __future__ import annotations

from typing import Final

from netspec.dataclass import dataclass
from netspec.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value, with the reason. Without a reason, an error is already reported.

    `absent` is the place of a name that selects something of an item that is left out. An item that takes it is
    refused, unless that is left out, too.
    """

    reason: str | None = None
    help: str | None = None
    absent: Span | None = None


BROKEN: Final = Missing()
"""The placeholder for everything whose error is already reported."""
