"""How initialisers are drawn."""

from __future__ import annotations

from typing import Any

from netspec.ops.initializers import SETTINGS
from tests.random_networks.draw import Draw

VALUES = {"low": -0.5, "high": 0.25, "std": 0.5, "mean": 0.125, "value": 0.25, "gain": 2.0}


def init(draw: Draw, kernel: bool = True) -> Any:
    """An initialiser, with some of its settings; `bilinear` only for a kernel."""
    kind = draw.choice([kind for kind in SETTINGS if kernel or kind != "bilinear"])
    settings = {name: VALUES[name] for name in SETTINGS[kind] if draw.chance(0.6)}
    return {kind: settings} if settings else kind
