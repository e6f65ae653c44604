"""The page of figures: what recipes of the zoo reach, from docs/figures.json (benchmarks/train_figures.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("figures.json")

_ABOUT = """\
What recipes of the zoo reach, measured by `python benchmarks/train_figures.py NAME…`, which trains with the command in
the table and writes this page and `docs/figures.json`. The validation figure is the best one, by which the weights are
chosen; the test figure is measured once, with these weights. Seconds are those of the epochs, on a machine that others
use, too. A row with fewer epochs than the recipe says so in its command."""


def figures_page(notice: str) -> Iterator[str]:
    """All runs on record, by spec and backend."""
    yield "# Figures of trainings"
    yield notice
    yield _ABOUT
    runs = read()
    heads = ("spec", "backend", "epochs", "seconds", "best validation figure", "test", "framework", "machine")
    rows = [_row(name, run) for name, run in sorted(runs.items())]
    yield "\n".join([_line(heads), _line(["---"] * len(heads)), *map(_line, rows)])
    yield "The commands:"
    yield "```text\n" + "\n".join(run["command"] for _, run in sorted(runs.items())) + "\n```"


def read() -> dict[str, Any]:
    """The runs on record."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
    return found


def _row(name: str, run: dict[str, Any]) -> list[str]:
    best = run["best"]
    chosen = (
        "nothing was selected"
        if best is None
        else f"{_figure(best['figure'], best['value'])} ({best['epoch']})"
    )
    test = "; ".join(
        f"{each.replace('_', ' ')} {_figure(each, value)}" for each, value in run["test"].items()
    )
    return [
        f"`{run['spec']}`",
        run["backend"],
        str(run["epochs"]),
        f"{run['seconds']:,.0f}",
        chosen,
        test or "no test part",
        run["framework"],
        run["machine"],
    ]


def _figure(name: str, value: float) -> str:
    share = name.endswith(("accuracy", "iou"))
    return f"{100 * value:.2f} %" if share else f"{value:.4f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
