"""`netspec runs`: lists runs, with their figures and the settings in which they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netspec import files
from netspec_cli.common import fail
from netspec_cli.options import Format
from netspec_cli.streams import say, say_json

if TYPE_CHECKING:
    from netspec.training.runs import RunSummary


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="A run, or a folder of runs. Default: runs.")
    ] = Path("runs"),
    format: Annotated[Format, typer.Option("--format", help="How to write the list.")] = Format.text,
) -> None:
    """List runs, and compare them: how each stands, its figures, the settings in which they differ."""
    from netspec.training.runs import differing
    from netspec.training.runs import runs as found_in

    if not files.is_folder(folder):
        fail(f"{files.shortened(folder)} is not a folder")
    found = found_in(folder)
    if not found:
        fail(f"{files.shortened(folder)} does not contain a run")
    settings = differing(found)
    if format is Format.json:
        say_json({"runs": [_facts(run) for run in found], "differing": settings})
        return
    for line in _table(found, settings):
        say(line)


def _facts(run: RunSummary) -> dict[str, Any]:
    told = {key: run.facts.get(key) for key in ("spec", "backend", "data", "started", "ended", "reason")}
    return {
        "folder": str(run.folder),
        "state": run.state,
        **told,
        "epochs": run.epochs,
        "steps": run.steps,
        "seconds": round(run.seconds, 3),
        "last": run.last or None,
        "best": run.best or None,
        "test": run.test or None,
        "settings": run.settings,
    }


def _table(found: list[RunSummary], settings: list[str]) -> list[str]:
    heads = ["run", "state", "spec", "backend", "data", "epochs", "train loss", "best", "test", "seconds"]
    rows = [[*heads, *settings]]
    for run in found:
        facts = (str(run.facts.get(key, "")) for key in ("spec", "backend", "data"))
        figures = (
            _figure(run.last, "train_loss"),
            _figure(run.best, run.goal),
            _figure(run.test, _test(run)),
        )
        own = (_setting(run.settings.get(name)) for name in settings)
        rows.append(
            [run.folder.name, run.state, *facts, str(run.epochs), *figures, f"{run.seconds:.0f}", *own]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _figure(line: Any, name: str | None) -> str:
    from netspec.training.curves import figure

    if not line or name is None:
        return ""
    value = line.get(name)
    shown = figure(name, value if isinstance(value, float | int) else None)
    return f"{shown} in {line['epoch']}" if name.startswith("validation") else shown


def _test(run: RunSummary) -> str | None:
    """The figure of the test part that stands for it."""
    own = None if run.goal is None else run.goal.replace("validation", "test", 1)
    known = [name for name in run.test if name.startswith("test_")]
    accuracy = next((name for name in known if name.endswith("accuracy")), "test_loss")
    return own if own in known else accuracy


def _setting(value: object) -> str:
    """The value as it is written in a spec: lists, mappings and flags as in JSON, which YAML reads."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | Mapping) else str(value)
