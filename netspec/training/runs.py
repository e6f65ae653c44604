"""Lists runs: how each stands, its figures, and the settings in which they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from netspec import files
from netspec.training.claim import FACTS, LINES, is_taken


@dataclass(frozen=True)
class RunSummary:
    """One run: its folder, how it stands, its last epoch, its best epoch, the figures of its test part."""

    folder: Path
    state: str
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    last: Mapping[str, Any] = field(default_factory=dict)
    best: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0

    @property
    def epochs(self) -> int:
        """The number of whole epochs."""
        return int(self.last.get("epoch", 0))

    @property
    def goal(self) -> str | None:
        """The figure by which the best weights are chosen."""
        word, _, name = str(self.facts.get("best", "")).partition(" ")
        return name if word == "by" else None


def runs(folder: Path) -> list[RunSummary]:
    """The run in this folder, or the runs in its subfolders, in the order of their start."""
    if (folder / FACTS).exists():
        return [listed(folder)]
    found = [listed(each) for each in sorted(folder.iterdir()) if (each / FACTS).exists()]
    return sorted(found, key=lambda run: str(run.facts.get("started", "")))


def listed(folder: Path) -> RunSummary:
    """What the files of a run say. A file that cannot be read says nothing."""
    facts = _mapping(folder / FACTS, json.loads)
    state = str(facts.get("state", "unreadable"))
    if state == "running" and is_taken(folder) is False:
        state = "interrupted"
    settings = _mapping(folder / "recipe.yaml", yaml.safe_load).get("train")
    lines = list(_lines(folder / LINES))
    steps = sum("step" in line for line in lines)
    epochs = [line for line in lines if "train_loss" in line]
    run = RunSummary(folder, state, facts, dict(_flat(settings or {})), steps=steps)
    if not epochs:
        return run
    nothing: dict[str, Any] = {}
    test = next((line for line in reversed(lines) if "test_loss" in line), nothing)
    return RunSummary(
        folder,
        state,
        facts,
        run.settings,
        last=epochs[-1],
        best=_best(epochs, run.goal),
        test=test,
        steps=steps,
        seconds=sum(line.get("seconds", 0) for line in epochs),
    )


def differing(found: Sequence[RunSummary]) -> list[str]:
    """The settings of the recipes that are not the same in all runs."""
    known = [run.settings for run in found if run.settings]
    names = dict.fromkeys(name for settings in known for name in settings)
    return [name for name in names if len({repr(settings.get(name)) for settings in known}) > 1]


def _best(epochs: Sequence[Mapping[str, Any]], goal: str | None) -> Mapping[str, Any]:
    known = [line for line in epochs if goal is not None and isinstance(line.get(goal), float | int)]
    if goal is None or not known:
        return {}
    sign = -1 if goal.endswith(SMALLER) else 1
    return max(known, key=lambda line: sign * float(line[goal]))


SMALLER = ("loss", "perplexity", "mae", "rmse")
"""The ends of the names of figures that are the better the smaller they are."""


def _mapping(path: Path, parse: Any) -> Mapping[str, Any]:
    try:
        told = parse(files.read(path))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return told if isinstance(told, dict) else {}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = files.read(path).decode()
    except (OSError, ValueError):
        return
    for line in text.splitlines():
        try:
            told = json.loads(line)
        except ValueError:  # the last line of a run that is being written
            continue
        if isinstance(told, dict):
            yield told


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
