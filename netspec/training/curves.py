"""A picture of how a training went, if matplotlib is there to draw it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from netspec.training.folder import Epoch


def draw(path: Path, title: str, losses: Sequence[float], epochs: Sequence[Epoch]) -> bool:
    """Draw the loss of every step and the figures of every epoch into a PNG; False if matplotlib is missing."""
    try:
        figure = import_module("matplotlib.figure").Figure(figsize=(10, 4), layout="constrained")
    except ImportError:
        return False
    left, right = figure.subplots(1, 2)
    per_epoch = len(losses) / len(epochs)
    left.plot(
        [(at + 1) / per_epoch for at in range(len(losses))], losses, linewidth=0.6, alpha=0.6, label="a step"
    )
    for axes, name in ((left, "loss"), (right, "accuracy")):
        for part in ("train", "test"):
            known = [(each.number, each.metrics.get(f"{part}_{name}")) for each in epochs]
            points = [(number, value) for number, value in known if value is not None]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=part)
        axes.set(xlabel="epoch", ylabel=name)
        if axes.lines:
            axes.legend()
    figure.suptitle(title)
    figure.savefig(path, dpi=120)
    return True
