"""What the commands after a training have in common: their options, and opening a run with its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli.common import fail, note
from netspec_cli.options import Format

if TYPE_CHECKING:
    from netspec.training.opened import Chosen, OpenedRun


Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Trained = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="best|last|FILE",
        help="The weights of the best or last epoch, or of a file. Default: those that the run tested.",
    ),
]
Backend = Annotated[
    str | None,
    typer.Option("--backend", "-b", metavar="NAME", help="A backend. Default: the one that trained."),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="auto, cpu, or a device name of the framework. Default: that of the run.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="FOLDER", help="The folder with the files of named data sets."),
]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Written = Annotated[Format, typer.Option("--format", help="How to write the report.")]


@contextmanager
def failing() -> Iterator[None]:
    """Turn what can be wrong with a run, its weights or data into the message of a wrong command."""
    from netspec.data.bounds import DataError
    from netspec.training.opened import CannotOpen
    from netspec.training.preparation import CannotPrepare
    from netspec.weights import WeightsError

    try:
        yield
    except (CannotOpen, CannotPrepare, DataError) as error:
        fail(str(error) + (f"\n{error.help}" if error.help else ""))
    except WeightsError as error:
        fail(str(error))


def run_of(path: Path, weights: str | None) -> tuple[OpenedRun, Chosen]:
    """The run in a folder, and its weights; a run that did not end is noted."""
    from netspec.training.opened import opened

    run = opened(path)
    chosen = run.weights(weights, note)
    if (state := run.facts.get("state")) != "finished":
        word = {"running": "has not ended (it goes on, or its process was killed)"}.get(
            str(state), f"did not end: it is {state}"
        )
        note(f"the run in {path} {word}")
    return run, chosen


def device_of(run: OpenedRun, device: str | None, backend: str) -> str:
    """The device of the option, else that of the run; another backend has other names of devices."""
    if device is not None:
        return device
    return str(run.facts.get("device", "auto")) if backend == run.backend else "auto"
