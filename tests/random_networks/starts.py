"""How initialisers are drawn."""

from __future__ import annotations

from typing import Any

from netspec.ops.initializers import SETTINGS
from tests.random_networks.draw import Draw

VALUES = {"low": -0.5, "high": 0.25, "std": 0.5, "mean": 0.125, "value": 0.25, "gain": 2.0}


def init(draw: Draw) -> Any:
    """An initialiser, with some of its settings."""
    kind = draw.choice(list(SETTINGS))
    settings = {name: VALUES[name] for name in SETTINGS[kind] if draw.chance(0.6)}
    return {kind: settings} if settings else kind
