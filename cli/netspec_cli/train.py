"""`netspec train`: trains one spec on one backend; prints a table of epochs to stdout and progress to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from netspec import files
from netspec.dataclass import replace
from netspec.language.reading import locations
from netspec_cli.common import fail, given_weights, load_with_sources, note, setting, show, weights_files
from netspec_cli.following import ProgressFormat, Shape, followed
from netspec_cli.options import Weights
from netspec_cli.streams import complain

if TYPE_CHECKING:
    from netspec.backend import Trains
    from netspec.data.parts import Parts
    from netspec.diagnostics import Diagnostic
    from netspec.graph import Graph
    from netspec.recipe import Recipe, StatedRecipe
    from netspec.training.report import Report
    from netspec.training.run import Run

PREFIX = "train."
DIVIDING = (f"{PREFIX}batch", f"{PREFIX}accumulate")
"""The settings that divide a step into parts: a run can go on with others, in steps of the same samples."""


def train(
    spec: Annotated[
        str | None, typer.Argument(metavar="SPEC", help="A spec or recipe file, or zoo:NAME.")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option("--backend", "-b", metavar="NAME", help="A backend; `netspec backends` lists them."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="A named set (`netspec data` lists them), or a path."),
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
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="NAME", help="auto, cpu, or a device name of the framework."),
    ] = None,
    devices: Annotated[
        int,
        typer.Option("--devices", min=1, metavar="N", help="Train on so many devices of this machine."),
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="The run folder. Default: runs/NAME-BACKEND-N."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the run in the folder --out.")] = False,
    weights: Weights = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="FOLDER", help="Go on with the run in this folder; without SPEC."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write scalars for TensorBoard, into the run folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    format: Annotated[
        ProgressFormat, typer.Option("--format", help="How to write the report.")
    ] = ProgressFormat.text,
) -> None:
    """Train a network with its recipe, and write a run folder; or go on with a run."""
    from netspec.backend import Trains, usable
    from netspec.language.document.overrides import given_as
    from netspec.training.match import require_trainable

    shape = Shape(quiet, format, tensorboard)
    if tensorboard:
        from netspec.training.tensorboard import require

        require()
    if resume is not None:
        given = {
            "SPEC": spec, "--backend": backend, "--data": data, "--epochs": epochs, "--seed": seed,
            "--out": out, "--force": force, "--weights": weights,
        }  # fmt: skip
        given |= {f"--set {each}": each for each in sets or [] if each.partition("=")[0] not in DIVIDING}
        if others := [name for name, value in given.items() if value]:
            fail(f"--resume goes on with a run as it is: leave out {', '.join(others)}")
        _resume(resume, split(sets or [])[0], data_dir, fetch, _GivenDevices(device, devices), shape)
        return
    if spec is None:
        fail("name a SPEC to train, or a run to go on with: --resume FOLDER")
    if backend is None:
        fail("name a backend with --backend; `netspec backends` lists them")
    overrides, params = split(sets or [])
    if data is not None:
        overrides["data"] = Override(from_here(data), f"--data {data}")
    if epochs is not None:
        overrides["epochs"] = Override(epochs, f"--epochs {epochs}")
    if seed is not None:
        overrides["seed"] = Override(seed, f"--seed {seed}")
    try:
        graph, sources = load_with_sources(spec, params)
    except typer.Exit:
        recipe_of(None, spec, overrides)  # report a wrong option in the same run
        raise
    if graph.train is None and (known := locations.recipe_of(graph.file)):
        note(f"{spec} has no recipe of its own; that of its paper is {known}")
    recipe = recipe_of(graph.train, graph.file, overrides)
    chosen = usable([backend], Trains)[0]
    options = {given_as(key): each.option for key, each in overrides.items()}
    with naming(options):
        require_trainable(graph, recipe, chosen, device or "auto")  # before a large data set is read
    _spread(chosen, devices)
    samples = data_of(graph, recipe, data_dir, fetch)

    def run(listeners: Sequence[Report]) -> Run:
        from netspec.training.run import train

        return train(
            graph,
            chosen,
            recipe,
            samples,
            out=out,
            weights=given_weights(weights or [], graph, recipe.seed),
            device="auto" if device is None else device,
            devices=_within(chosen, devices),
            text=_text(graph),
            inputs=(*sources, *weights_files(weights or [])),
            force=force,
            origin={
                "spec": _absolute(spec),
                "data_dir": None if data_dir is None else str(data_dir.absolute()),
            },
            listeners=listeners,
            events=tensorboard,
            warn=lambda warnings: show(named(each, options) for each in warnings),
        )

    with naming(options):
        followed(run, recipe.epochs, shape, {"spec": spec, "name": graph.name})


def _resume(
    path: Path,
    overrides: Mapping[str, Override],
    data_dir: Path | None,
    fetch: bool,
    where: _GivenDevices,
    shape: Shape,
) -> None:
    """Go on with a run: what it trains is read as it was read at its start."""
    from netspec.backend import Trains, usable
    from netspec.diagnostics import Problems, SpecError
    from netspec.language.document.overrides import given_as
    from netspec.language.document.recipe import again
    from netspec.recipe import StatedRecipe
    from netspec.training.run import CannotGoOn, facts_of, recorded, resume

    try:
        facts = facts_of(path)
        origin = facts.get("origin")
        if not origin:
            raise CannotGoOn(
                f"the run in {path} was not started by `netspec train`: call `netspec.training.run.resume`"
            )
        given = facts["params"].items()
        folder, before, backend = origin.get("data_dir"), facts["device"], facts["backend"]
        spec = origin["spec"]
        told = recorded(path)
    except CannotGoOn as error:
        fail(str(error))
    except (KeyError, TypeError, AttributeError):
        fail(f"the run in {path} is not whole: it cannot be resumed")
    graph, _ = load_with_sources(spec, [f"{name}={json.dumps(value)}" for name, value in given])
    problems = Problems()
    written = again(told, problems, str(path / "recipe.yaml"))
    if written is None:
        raise SpecError(problems.in_order())
    recipe = recipe_of(StatedRecipe(written, {}), str(path), overrides)
    chosen = usable([backend], Trains)[0]
    _spread(chosen, where.devices)
    samples = data_of(graph, recipe, data_dir or (None if folder is None else Path(folder)), fetch)
    with naming({given_as(key): each.option for key, each in overrides.items()}):
        followed(
            lambda listeners: resume(
                graph,
                chosen,
                recipe,
                samples,
                path,
                device=where.device or before,
                devices=_within(chosen, where.devices),
                listeners=listeners,
                events=shape.events,
            ),
            recipe.epochs,
            shape,
            {"spec": spec, "name": graph.name},
        )


class _GivenDevices(NamedTuple):
    """The device as given, and the number of devices."""

    device: str | None
    devices: int


def _spread(backend: Trains, devices: int) -> None:
    """Start a process for each device, if the backend needs one, and exit when all are done."""
    from netspec.backend import Launches
    from netspec_cli.ranks import is_one_of_several

    if devices == 1 or is_one_of_several() or not isinstance(backend, Launches):
        return
    code, message = backend.launch(devices, sys.argv[1:])
    if message:
        fail(message, code)
    raise typer.Exit(code)


def _within(backend: Trains, devices: int) -> int:
    """The number of devices of a process."""
    from netspec.backend import Launches

    return 1 if isinstance(backend, Launches) else devices


def _absolute(spec: str) -> str:
    """The spec as it is found from every folder."""
    return spec if spec.startswith("zoo:") else str(Path(spec).absolute())


class Override(NamedTuple):
    """A setting of the recipe from the command line, and the option as typed."""

    value: object
    option: str


def split(sets: list[str]) -> tuple[dict[str, Override], list[str]]:
    """The settings of the recipe by their keys, and the options for the spec."""
    overrides: dict[str, Override] = {}
    for each in sets:
        if not each.startswith(PREFIX):
            continue
        key, equals, text = each.removeprefix(PREFIX).partition("=")
        if not equals or not all(key.split(".")):
            fail(f"--set {each}: write --set train.NAME=VALUE, such as --set train.epochs=3")
        if key in overrides:
            fail(f"--set {each}: {PREFIX}{key} is set twice")
        overrides[key] = Override(setting(each, text), f"--set {each}")
    return overrides, [each for each in sets if not each.startswith(PREFIX)]


def from_here(data: str | None) -> str | None:
    """A path on the command line is relative to the current folder, and need not contain a slash."""
    from netspec.recipe.names import KNOWN, is_path, seen_from

    if data is None or data in KNOWN:
        return data
    lacks_slash = not is_path(data) and files.exists(data)
    return seen_from(Path.cwd(), f"./{data}" if lacks_slash else data)


def recipe_of(stated: StatedRecipe | None, file: str, overrides: Mapping[str, Override]) -> Recipe:
    """The recipe of a spec with the settings of the command line; if one of these is wrong, the command is wrong."""
    from netspec.diagnostics import Problems, SpecError
    from netspec.language.document.overrides import given_as
    from netspec.language.document.recipe import settle

    problems = Problems()
    recipe = settle(stated, problems, file, {key: each.value for key, each in overrides.items()})
    if recipe is not None:
        return recipe
    with naming({given_as(key): each.option for key, each in overrides.items()}):
        raise SpecError(problems.in_order())


@contextmanager
def naming(options: Mapping[str, str]) -> Iterator[None]:
    """Report errors of settings from the command line by their options, as those of a wrong command."""
    from netspec.diagnostics import SpecError

    try:
        yield
    except SpecError as error:
        wrong = [(each, option) for each in error.diagnostics if (option := _option(each, options))]
        if not wrong:
            raise
        diagnostics = [each for each, _ in wrong]
        show(each for each in error.diagnostics if each not in diagnostics)
        fail("\nnetspec: ".join(_in_words(each, option) for each, option in wrong))


def _option(diagnostic: Diagnostic, options: Mapping[str, str]) -> str | None:
    """The option that gave the setting of a diagnostic, or a part of it."""
    if diagnostic.span.line:
        return None
    place = diagnostic.span.file.split(".")

    def shared(name: str) -> int:
        pairs = zip(place, name.split("."), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    nearest = max(options, key=shared, default="")
    return options[nearest] if shared(nearest) > 1 else None  # the first word is `train`


def named(diagnostic: Diagnostic, options: Mapping[str, str]) -> Diagnostic:
    """The diagnostic with the option in place of the setting that it gave."""
    option = _option(diagnostic, options)
    return diagnostic if option is None else replace(diagnostic, span=replace(diagnostic.span, file=option))


def _in_words(diagnostic: Diagnostic, option: str) -> str:
    """A diagnostic for an option: without a place, and with help in the form of an option."""
    lines = [f"{option}: {diagnostic.message}", *(f"  {each}" for each in diagnostic.notes)]
    if diagnostic.help:
        flag = option.partition("=" if option.startswith("--set") else " ")[0]
        by, name = ("=", flag.rpartition(".")[2]) if option.startswith("--set") else (" ", flag[2:])
        # A spec has `epochs: 10`, the command line `--epochs 10`.
        lines.append("  help: " + diagnostic.help.replace(f"`{name}: ", f"`{flag}{by}"))
    return "\n".join(lines)


def data_of(graph: Graph, recipe: Recipe, folder: Path | None, fetch: bool) -> Parts:
    """The data of a recipe; a wrong set ends the command."""
    from netspec.data.bounds import DataError
    from netspec.data.fetch import fetch as get
    from netspec.data.loading import load
    from netspec.data.sets import default_folder
    from netspec.recipe.names import SETS
    from netspec.training.heads import sources

    try:
        if fetch and recipe.source in SETS:
            get(recipe.source, folder or default_folder(), tell=complain)
        # A path in a recipe is relative to the folder of the file in which the recipe is written.
        base = Path(graph.file if graph.train is None else graph.train.file).parent
        return load(sources(graph, recipe), folder, recipe.seed, base=base, workers=recipe.workers)
    except DataError as error:
        fail(str(error) + (f"\n{error.help}" if error.help else ""))


def _text(graph: Graph) -> str | None:
    try:
        return files.read(graph.file).decode()
    except (OSError, UnicodeDecodeError):
        return None
