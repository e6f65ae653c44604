"""What a command prints while a network trains: a table of epochs on stdout, the progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from netspec_cli.common import fail, note
from netspec_cli.streams import say, say_json, say_json_text

if TYPE_CHECKING:
    from netspec.training.report import Epoch, Report
    from netspec.training.run import Run


class ProgressFormat(StrEnum):
    """How the report is written."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class Shape(NamedTuple):
    """How much is printed, in which form, and whether TensorBoard's file is written."""

    quiet: bool
    format: ProgressFormat
    events: bool = False


def followed(
    run: Callable[[Sequence[Report]], Run], epochs: int, shape: Shape, names: Mapping[str, object]
) -> None:
    """Run a training, report it, and exit with the code of how it ended."""
    from netspec.data.bounds import DataError
    from netspec.stops import Terminated, stoppable
    from netspec.training import run as runs
    from netspec.weights import WeightsError
    from netspec_cli.progress import Progress

    listeners: list[Report] = []
    if not shape.quiet and shape.format is not ProgressFormat.json:
        listeners.append(EpochTable() if shape.format is ProgressFormat.text else Lines())
    try:
        with stoppable(), Progress(epochs, shape.quiet) as progress:
            done = run([progress, *listeners])
    except runs.Diverged as error:
        fail("\n".join([f"{error}; a smaller learning rate may help", *_notes(error)]), 1)
    except (
        runs.CannotGoOn,
        runs.CannotKeep,
        runs.CannotRead,
        runs.Damaged,
        runs.FolderTaken,
        runs.OutOfMemory,
        WeightsError,
    ) as error:
        fail("\n".join([str(error), *_notes(error)]))
    except DataError as error:
        fail("\n".join([str(error), *([error.help] if error.help else []), *_notes(error)]))
    except Terminated as stop:
        fail("\n".join(["the training was asked to stop", *_notes(stop)]), 128 + stop.number)
    except KeyboardInterrupt as stop:
        for line in _notes(stop):
            note(line)
        raise
    for line in done.remarks:
        note(line)
    if shape.format is ProgressFormat.json:
        say_json({**names, **_facts(done)})
    elif shape.format is ProgressFormat.jsonl:
        _line({**names, **{key: value for key, value in _facts(done).items() if key != "epochs"}})
    elif not shape.quiet:
        say(_summary(done))


def _notes(error: BaseException) -> list[str]:
    """The notes of an exception, such as the place of the run folder."""
    return getattr(error, "__notes__", [])


class EpochTable:
    """Prints one line per epoch, as soon as the epoch is done."""

    def __init__(self) -> None:
        self._began = False

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Do nothing: the table has only epochs."""

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of the epoch; before the first one also the heading."""
        from netspec.training.curves import figure

        shown = [name for name, value in epoch.metrics.items() if not isinstance(value, list)]
        widths = {name: max(14, len(name)) for name in shown}
        if not self._began:
            say("epoch  " + "  ".join(f"{name.replace('_', ' '):>{widths[name]}}" for name in shown))
        self._began = True
        cells = (f"{figure(name, epoch.number_of(name)):>{widths[name]}}" for name in shown)
        say(f"{epoch.number:>5}  " + "  ".join(cells))

    def tested(self, epoch: Epoch) -> None:
        """Do nothing: the summary has it."""


class Lines:
    """Prints one line of JSON per epoch."""

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Do nothing: the lines are of epochs."""

    def epoch(self, epoch: Epoch) -> None:
        """Print the line of the epoch."""
        _line(_epoch(epoch))

    def tested(self, epoch: Epoch) -> None:
        """Print the line of the test part."""
        _line(_epoch(epoch))


def _line(facts: Mapping[str, object]) -> None:
    say_json_text(json.dumps(facts, ensure_ascii=False, allow_nan=False))


def _summary(run: Run) -> str:
    from netspec.training.curves import headline

    seconds, count = sum(epoch.seconds for epoch in run.epochs), len(run.epochs)
    told = headline(run.best, run.goal, run.test)
    length = f"{count} epoch{'s' * (count != 1)}, {seconds:.0f} s"
    return f"{run.backend} on {run.data}: {told}; {length}; kept in {run.folder}"


def _facts(run: Run) -> dict[str, object]:
    return {
        "backend": run.backend,
        "data": run.data,
        "folder": str(run.folder),
        "epochs": [_epoch(epoch) for epoch in run.epochs],
        "best": None if run.best is None else _epoch(run.best),
        "test": None if run.test is None else _epoch(run.test),
    }


def _epoch(epoch: Epoch) -> dict[str, Any]:
    return {"epoch": epoch.number, **epoch.metrics, "seconds": round(epoch.seconds, 3)}
