"""Graph → Graph: each pass is a plain function, and a verb or what it gives; `PASSES` lists them by name."""

from __future__ import annotations

from collections.abc import Callable

from netspec.graph import Graph
from netspec.passes.logits import logits
from netspec.passes.still import still

__all__ = ["PASSES", "logits", "still"]

PASSES: tuple[tuple[str, Callable[[Graph], Graph]], ...] = (
    ("still", still),
    ("logits", logits),
)
