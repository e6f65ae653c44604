"""A plot of the losses and accuracies over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.drawing.chart import Curve, Panel, as_svg
from netspec.training.folder import Epoch

NAMES = {"loss": False, "accuracy": True}
"""The figures to plot, each with whether it is a fraction."""


def curves(title: str, facts: str, losses: Sequence[float], epochs: Sequence[Epoch]) -> str:
    """The loss of every step and the figures of every epoch, as SVG."""
    steps = _steps(losses, len(epochs))
    panels = []
    for name, percent in NAMES.items():
        lines = [Curve(part, part, _points(epochs, f"{part}_{name}")) for part in ("train", "test")]
        thin = [Curve("each step", "step", steps)] if name == "loss" else []
        shown = tuple(line for line in (*thin, *lines) if line.points)
        if shown:
            panels.append(Panel("epoch", name, shown, percent))
    return as_svg(title, facts, panels)


def headline(best: Epoch) -> str:
    """One line about the best epoch."""
    accuracy, loss = best.metrics.get("test_accuracy"), best.metrics.get("test_loss")
    if accuracy is not None:
        return f"best test accuracy {100 * accuracy:.2f} % after epoch {best.number}"
    return "" if loss is None else f"best test loss {loss:.6f} after epoch {best.number}"


def _steps(losses: Sequence[float], epochs: int) -> list[tuple[float, float]]:
    """The losses of the steps, each at its position in epochs."""
    per_epoch = len(losses) / max(epochs, 1)
    return [((at + 1) / per_epoch, loss) for at, loss in enumerate(losses)]


def _points(epochs: Sequence[Epoch], metric: str) -> list[tuple[float, float]]:
    known = [(each.number, each.metrics.get(metric)) for each in epochs]
    return [(float(number), value) for number, value in known if value is not None]
