"""What a backend can do, which backends there are, and what each refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.backend.discovery import (
    Broken,
    backend,
    backends,
    capabilities,
    capable,
    installed,
    names,
    native_names,
    oracles,
    usable,
)
from netspec.backend.interface import (
    CAPABILITIES,
    Backend,
    Builds,
    Files,
    Fragile,
    Incapable,
    Judges,
    Keyed,
    LearningTrial,
    Learns,
    Limit,
    LocalName,
    NoDevice,
    Runs,
    Source,
    Status,
    Tap,
    Timed,
    Trains,
    Trial,
    Unavailable,
    Unsupported,
    Workload,
    Writes,
)
from netspec.backend.refusals import refused, require

if TYPE_CHECKING:
    from netspec.backend.interface import Array, Arrays

__all__ = [
    "CAPABILITIES",
    "Array",
    "Arrays",
    "Backend",
    "Broken",
    "Builds",
    "Files",
    "Fragile",
    "Incapable",
    "Judges",
    "Keyed",
    "LearningTrial",
    "Learns",
    "Limit",
    "LocalName",
    "NoDevice",
    "Runs",
    "Source",
    "Status",
    "Tap",
    "Timed",
    "Trains",
    "Trial",
    "Unavailable",
    "Unsupported",
    "Workload",
    "Writes",
    "backend",
    "backends",
    "capabilities",
    "capable",
    "installed",
    "names",
    "native_names",
    "oracles",
    "refused",
    "require",
    "usable",
]
