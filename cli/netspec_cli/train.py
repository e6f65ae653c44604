"""`netspec train`: trains one spec on one backend; prints a table of epochs to stdout and progress to stderr."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from netspec import files
from netspec_cli.common import fail, given_weights, load_with_sources, note, setting, show, weights_files
from netspec_cli.options import BackendOption, Device, Spec, Weights
from netspec_cli.streams import complain, say, say_json

if TYPE_CHECKING:
    from netspec.backend import Trains
    from netspec.diagnostics import Diagnostic
    from netspec.fit import Report
    from netspec.graph import Graph
    from netspec.recipe import Recipe, StatedRecipe
    from netspec.training.folder import Epoch
    from netspec.training.run import Run
    from netspec.training.samples import Dataset

PREFIX = "train."
UNAVAILABLE = "unavailable"


class Format(StrEnum):
    """How the report is written."""

    text = "text"
    json = "json"


def train(
    spec: Spec,
    backend: BackendOption,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="fashion-mnist-small, fashion-mnist, mnist, or a path."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="FOLDER", help="The folder with the files of named data sets."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download missing files of a named data set.")
    ] = False,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Set a parameter of the spec, or train.SETTING of its recipe. Repeatable.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="The same as --set train.epochs=N.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same as --set train.seed=N.")] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="The run folder. Default: runs/NAME-BACKEND-N."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the run in the folder --out.")] = False,
    weights: Weights = None,
    format: Annotated[Format, typer.Option("--format", help="How to write the report.")] = Format.text,
) -> None:
    """Train a network with its recipe, and write a run folder."""
    from netspec.backend import Trains, usable
    from netspec.training.match import require_classifier

    overrides, params = _split(sets or [])
    if data is not None:
        overrides["data"] = _Override(_from_here(data), f"--data {data}")
    if epochs is not None:
        overrides["epochs"] = _Override(epochs, f"--epochs {epochs}")
    if seed is not None:
        overrides["seed"] = _Override(seed, f"--seed {seed}")
    try:
        graph, sources = load_with_sources(spec, params)
    except typer.Exit:
        _recipe(None, spec, overrides)  # report a wrong option in the same run
        raise
    recipe = _recipe(graph.train, graph.file, overrides)
    require_classifier(graph)  # before a large data set is read
    _run(
        spec,
        graph,
        usable([backend], Trains)[0],
        recipe,
        _data(graph, recipe, data_dir, fetch),
        out,
        weights or [],
        device,
        format,
        (*sources, *weights_files(weights or [])),
        force,
    )


class _Override(NamedTuple):
    """A setting of the recipe from the command line, and the option as typed."""

    value: object
    option: str


def _split(sets: list[str]) -> tuple[dict[str, _Override], list[str]]:
    """The settings of the recipe by their keys, and the options for the spec."""
    overrides: dict[str, _Override] = {}
    for each in sets:
        if not each.startswith(PREFIX):
            continue
        key, equals, text = each.removeprefix(PREFIX).partition("=")
        if not equals or not all(key.split(".")):
            fail(f"--set {each}: write --set train.NAME=VALUE, such as --set train.epochs=3")
        if key in overrides:
            fail(f"--set {each}: {PREFIX}{key} is set twice")
        overrides[key] = _Override(setting(each, text), f"--set {each}")
    return overrides, [each for each in sets if not each.startswith(PREFIX)]


def _from_here(data: str | None) -> str | None:
    """A path on the command line is relative to the current folder, and need not contain a slash."""
    from netspec.recipe.names import SETS, is_path, seen_from

    if data is None or data in SETS:
        return data
    lacks_slash = not is_path(data) and files.exists(data)
    return seen_from(Path.cwd(), f"./{data}" if lacks_slash else data)


def _recipe(stated: StatedRecipe | None, file: str, overrides: Mapping[str, _Override]) -> Recipe:
    """The recipe of a spec with the settings of the command line; if one of these is wrong, the command is wrong."""
    from netspec.diagnostics import Problems, SpecError
    from netspec.language.document.overrides import given_as
    from netspec.language.document.recipe import settle

    problems = Problems()
    recipe = settle(stated, problems, file, {key: each.value for key, each in overrides.items()})
    if recipe is not None:
        return recipe
    options = {given_as(key): each.option for key, each in overrides.items()}
    wrong = [each for each in problems if each.span.file in options]
    if wrong:
        show(each for each in problems if each not in wrong)
        fail("\nnetspec: ".join(_in_words(each, options[each.span.file]) for each in wrong))
    raise SpecError(problems.in_order())


def _in_words(diagnostic: Diagnostic, option: str) -> str:
    """A diagnostic for an option: without a place, and with help in the form of an option."""
    lines = [f"{option}: {diagnostic.message}", *(f"  {each}" for each in diagnostic.notes)]
    if diagnostic.help:
        flag = option.partition("=" if option.startswith("--set") else " ")[0]
        by, name = ("=", flag.rpartition(".")[2]) if option.startswith("--set") else (" ", flag[2:])
        # A spec has `epochs: 10`, the command line `--epochs 10`.
        lines.append("  help: " + diagnostic.help.replace(f"`{name}: ", f"`{flag}{by}"))
    return "\n".join(lines)


def _data(graph: Graph, recipe: Recipe, folder: Path | None, fetch: bool) -> Dataset:
    from netspec.recipe.names import SETS, seen_from
    from netspec.training import datasets
    from netspec.training.fetch import fetch as get
    from netspec.training.idx import DataError

    try:
        if fetch and recipe.data in SETS:
            get(recipe.data, folder or datasets.default_folder(), tell=complain)
        # A path in a recipe is relative to the folder of its spec.
        return datasets.load(seen_from(Path(graph.file).parent, recipe.data), folder)
    except DataError as error:
        fail(str(error) + (f"\n{error.help}" if error.help else ""))


def _run(
    spec: str,
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Dataset,
    out: Path | None,
    weights: list[str],
    device: str,
    format: Format,
    sources: tuple[Path, ...],
    force: bool,
) -> None:
    from netspec.stops import Terminated, stoppable
    from netspec.training.folder import METRICS, CannotKeep, FolderTaken
    from netspec.training.run import Diverged
    from netspec.training.run import train as run
    from netspec.weights import WeightsError
    from netspec_cli.progress import Progress

    names = [name for name in METRICS if not name.endswith("accuracy") or "accuracy" in recipe.metrics]
    listeners: list[Report] = [EpochTable(names)] if format is Format.text else []
    try:
        start = given_weights(weights, graph, recipe.seed)
        with stoppable(), Progress(recipe, len(data.train_labels)) as progress:
            done = run(
                graph,
                backend,
                recipe,
                data,
                out=out,
                weights=start,
                device=device,
                text=_text(graph),
                inputs=sources,
                force=force,
                listeners=[progress, *listeners],
                warn=show,
            )
    except Diverged as error:
        fail("\n".join([f"{error}; a smaller learning rate may help", *_notes(error)]), 1)
    except (CannotKeep, FolderTaken, WeightsError) as error:
        fail("\n".join([str(error), *_notes(error)]))
    except Terminated as stop:
        fail("\n".join(["the training was asked to stop", *_notes(stop)]), 128 + stop.number)
    except KeyboardInterrupt as stop:
        for line in _notes(stop):
            note(line)
        raise
    if format is Format.json:
        say_json({"spec": spec, "name": graph.name, **_facts(done)})
    else:
        say(_summary(done))


def _notes(error: BaseException) -> list[str]:
    """The notes of an exception, such as the place of the run folder."""
    return getattr(error, "__notes__", [])


def _text(graph: Graph) -> str | None:
    try:
        return files.read(graph.file).decode()
    except (OSError, UnicodeDecodeError):
        return None


# The report.


class EpochTable:
    """Prints one line per epoch, as soon as the epoch is done."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Do nothing: the table has only epochs."""

    def epoch(self, epoch: int, metrics: Mapping[str, float], weights: Callable[[], Any]) -> None:
        """Print the line of the epoch; before the first one also the heading."""
        if epoch == 1:
            say("epoch  " + "  ".join(f"{name.replace('_', ' '):>14}" for name in self._names))
        say(f"{epoch:>5}  " + "  ".join(f"{figure(name, metrics.get(name)):>14}" for name in self._names))


def figure(name: str, value: float | None) -> str:
    """A metric for people: an accuracy in percent, a loss with its digits."""
    if value is None or value != value:
        return UNAVAILABLE
    return f"{100 * value:.2f} %" if name.endswith("accuracy") else f"{value:.6f}"


def _summary(run: Run) -> str:
    best, seconds = run.best, sum(epoch.seconds for epoch in run.epochs)
    name = "test_accuracy" if best.metrics.get("test_accuracy") is not None else "test_loss"
    return (
        f"{run.backend} on {run.data}: best {name.replace('_', ' ')} {figure(name, best.metrics.get(name))} "
        f"after epoch {best.number} of {len(run.epochs)}, {seconds:.0f} s; kept in {run.folder}"
    )


def _facts(run: Run) -> dict[str, object]:
    return {
        "backend": run.backend,
        "data": run.data,
        "folder": str(run.folder),
        "epochs": [_epoch(epoch) for epoch in run.epochs],
        "best": _epoch(run.best),
    }


def _epoch(epoch: Epoch) -> dict[str, Any]:
    return {"epoch": epoch.number, **epoch.metrics, "seconds": round(epoch.seconds, 3)}
