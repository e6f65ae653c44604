"""What stands where a value should be, when there is none."""

from __future__ import annotations

from enum import Enum
from typing import Final

from netspec.dataclass import dataclass


class Failed(Enum):
    """The type of FAILED, so that a type checker can tell it from a value."""

    FAILED = "failed"


FAILED: Final = Failed.FAILED
"""What stands for a value that could not be had; the reason is already reported."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known, and why. Without a reason: something is broken that is reported already."""

    reason: str | None = None
    help: str | None = None
