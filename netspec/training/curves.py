"""A plot of the losses and accuracies over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.drawing.chart import Curve, Panel, as_svg
from netspec.training.report import Epoch

NAMES = {"loss": False, "accuracy": True}
"""The figures to plot, each with whether it is a fraction."""
PARTS = {"train": "train", "validation": "test"}
"""The parts to plot, each with the kind of its line."""


def curves(title: str, facts: str, losses: Sequence[float], epochs: Sequence[Epoch]) -> str:
    """The loss of every step and the figures of every epoch, as SVG."""
    steps = _steps(losses, len(epochs))
    panels = []
    for name, percent in NAMES.items():
        lines = [Curve(part, kind, _points(epochs, f"{part}_{name}")) for part, kind in PARTS.items()]
        thin = [Curve("each step", "step", steps)] if name == "loss" else []
        shown = tuple(line for line in (*thin, *lines) if line.points)
        if shown:
            panels.append(Panel("epoch", name, shown, percent))
    return as_svg(title, facts, panels)


def figure(name: str, value: float | None) -> str:
    """A figure for people: an accuracy in percent, a loss with its digits."""
    if value is None or value != value:
        return "unavailable"
    return f"{100 * value:.2f} %" if name.endswith("accuracy") else f"{value:.6f}"


def headline(best: Epoch | None, goal: str | None, test: Epoch | None) -> str:
    """One line about the best epoch and the test: `best validation accuracy 98.20 % after epoch 4; test …`."""
    parts = []
    if best is not None and goal is not None:
        value = figure(goal, best.number_of(goal))
        parts.append(f"best {goal.replace('_', ' ')} {value} after epoch {best.number}")
    if test is not None:
        name = next((each for each in test.metrics if each.endswith("accuracy")), "test_loss")
        parts.append(f"{name.replace('_', ' ')} {figure(name, test.number_of(name))}")
    if best is None and test is not None:
        parts[-1] += " of the last weights: nothing was selected, because there is no validation part"
    if not parts:
        parts.append("nothing was selected or tested, because there is no validation part and no test part")
    return "; ".join(parts)


def _steps(losses: Sequence[float], epochs: int) -> list[tuple[float, float]]:
    """The losses of the steps, each at its position in epochs."""
    per_epoch = len(losses) / max(epochs, 1)
    return [((at + 1) / per_epoch, loss) for at, loss in enumerate(losses)]


def _points(epochs: Sequence[Epoch], metric: str) -> list[tuple[float, float]]:
    known = [(each.number, each.number_of(metric)) for each in epochs]
    return [(float(number), value) for number, value in known if value is not None]


def side_by_side(
    title: str, facts: str, learned: Sequence[tuple[str, Sequence[float], Sequence[Epoch]]]
) -> str:
    """The curves of several backends in one picture, as SVG: a panel for each figure, a line for each backend.

    Where lines lie on each other, those of the later backends are dashed, so that all of them are seen.
    """
    kinds = ("train", "test dashed", "third dashed")
    names = [name for name, value in learned[0][2][0].metrics.items() if not isinstance(value, list)]
    panels = [
        Panel(
            "epoch",
            "loss of each step",
            tuple(
                Curve(backend, _kind(kinds, at), _steps(losses, len(epochs)))
                for at, (backend, losses, epochs) in enumerate(learned)
            ),
        )
    ]
    for name in names:
        lines = tuple(
            Curve(backend, _kind(kinds, at), _points(epochs, name))
            for at, (backend, _, epochs) in enumerate(learned)
        )
        if any(line.points for line in lines):
            panels.append(Panel("epoch", name.replace("_", " "), lines, name.endswith("accuracy")))
    return as_svg(title, facts, panels)


def _kind(kinds: Sequence[str], at: int) -> str:
    return kinds[min(at, len(kinds) - 1)]
