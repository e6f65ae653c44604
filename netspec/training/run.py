"""Trains one graph on one backend with its recipe, and writes a run folder."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.backend import Trains, Writes, native_names, shortage
from netspec.data.parts import Parts
from netspec.data.samples import Dataset
from netspec.diagnostics import Diagnostic, Problems, SpecError
from netspec.diagnostics.codes.backends import REFUSED
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.training.checkpoint import Checkpoint, Damaged
from netspec.training.claim import CHECKPOINT, FACTS, CannotKeep, Claim, FolderTaken
from netspec.training.classic import parts_of
from netspec.training.curves import curves, headline
from netspec.training.explain import explain
from netspec.training.folder import RECIPE, CannotRead, Folder, described
from netspec.training.heads import place
from netspec.training.loop import Diverged, TrainingLoop
from netspec.training.memory import OutOfMemory, out_of_memory
from netspec.training.obeyed import check_obeyed
from netspec.training.plan import Plan, plan
from netspec.training.preparation import FILE as PREPARATION
from netspec.training.preparation import WHITENING
from netspec.training.processes import Follower, here
from netspec.training.report import Epoch, Report
from netspec.weights import check, starting

if TYPE_CHECKING:
    from netspec.backend import Arrays

__all__ = [
    "CannotGoOn",
    "CannotKeep",
    "CannotRead",
    "Damaged",
    "Diverged",
    "FolderTaken",
    "OutOfMemory",
    "Run",
    "resume",
    "train",
]


class CannotGoOn(Exception):
    """A run cannot be resumed. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training. `curves` is the plot of its losses and accuracies.

    Of several processes, only the first one has the `folder`; for the others it is the folder in which it lies.

    `best` is the best epoch by the figure `goal` of the validation part; None if nothing was selected. `test` has the
    figures of the test part, measured once at the end with the best weights, or with the last ones.
    """

    folder: Path
    backend: str
    data: str
    epochs: tuple[Epoch, ...]
    best: Epoch | None
    goal: str | None
    test: Epoch | None
    losses: tuple[float, ...]
    curves: Path
    remarks: tuple[str, ...] = ()


def train(
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Parts | Dataset,
    *,
    out: Path | None = None,
    weights: Arrays | None = None,
    device: str = "auto",
    devices: int = 1,
    text: str | None = None,
    inputs: Collection[Path] = (),
    force: bool = False,
    origin: Mapping[str, Any] | None = None,
    listeners: Sequence[Report] = (),
    events: bool = False,
    warn: Callable[[Sequence[Diagnostic]], None] | None = None,
) -> Run:
    """Train from these weights, or from those of the seed and of pretrained parts; `text` is the spec as written.

    With `events`, TensorBoard's scalars are written into the run folder, too. `origin` is what `netspec train
    --resume` needs to read everything again.

    The run folder is `out`, which must be new or empty, or else runs/NAME-BACKEND-1 and so on. With `force`, `out`
    can contain files: those of an old run are removed, unless one of them is among the `inputs` that the training
    has read. A training that ends before its first step leaves no folder.

    Under torchrun, every process calls this function with the same arguments; the first one writes the run folder, and
    calls the `listeners`. `devices` is the number of devices of each process.

    Raises:
        SpecError: recipe, data and network do not fit each other.
        FolderTaken: `out` is not empty, or another training writes to it.
        CannotKeep: the folder cannot be written; the files written before are kept.
        Diverged: the loss became infinite or NaN; the files written before are kept.
        OutOfMemory: the device has no memory for a step; the files written before are kept.
        Unavailable, Unsupported: the backend cannot train the network.
        WeightsError: `weights` do not fit the graph, or the weights of a pretrained part cannot be read.
    """
    if weights is not None:
        check(weights, graph, "the given file")
    start = starting(graph, recipe.seed, native=native_names(graph)) if weights is None else weights
    whole = _planned(graph, backend, recipe, data, start, _Where(device, devices), warn)
    if whole.task.world.rank:
        return _run(graph, backend, whole, data, Follower(), out or Path("runs"))
    name = f"{graph.name}-{backend.name}"
    claim = Claim.numbered(Path("runs"), name) if out is None else Claim.take(out, inputs, force)
    facts = _circumstances(graph, backend, whole, data, weights, device)
    if origin is not None:
        facts["origin"] = dict(origin)
    texts: dict[str, str | bytes] = {**described(graph, text, recipe)}
    if isinstance(backend, Writes):
        texts["network.py"] = backend.source(whole.task.graph).text
    texts[PREPARATION] = whole.preparation.as_text()
    if (whitenings := whole.preparation.whitenings()) is not None:
        texts[WHITENING] = whitenings
    folder = Folder.make(claim, texts, facts)
    with folder:
        return _run(graph, backend, whole, data, folder, folder.path, _also(listeners, events, folder))


def resume(
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Parts | Dataset,
    path: Path,
    *,
    device: str = "auto",
    devices: int = 1,
    listeners: Sequence[Report] = (),
    events: bool = False,
) -> Run:
    """Go on with the run in a folder from its last checkpoint, to the end.

    On a CPU, the bits are those of a training that was never interrupted. The number of processes, or of devices, can
    be another one, and so can `batch` and `accumulate` of the recipe if a step has the same samples: then the numbers
    are the same up to rounding, but for those that dropout draws, and statistics that batch norm measures of a part.

    Raises:
        CannotGoOn: the run is finished, or what it trains is not the same any more.
        Damaged: there is no whole checkpoint.
        FolderTaken, CannotKeep, CannotRead, Diverged, OutOfMemory, Unavailable, Unsupported: as in `train`.
    """
    where = _Where(device, devices)
    if here().rank:
        checkpoint, whole, _ = _gone_on(graph, backend, recipe, data, path, where)
        return _run(graph, backend, whole, data, Follower.again(path, checkpoint), path, begun=checkpoint)
    claim = Claim.again(path)
    try:
        checkpoint, whole, facts = _gone_on(graph, backend, recipe, data, path, where)
        for key in ("ended", "epochs", "steps", "reason", "state"):
            facts.pop(key, None)
        folder = Folder.again(claim, facts | _spread(whole), checkpoint)
        folder.describe(recipe)
    except BaseException:
        claim.close()
        raise
    with folder:
        return _run(graph, backend, whole, data, folder, path, _also(listeners, events, folder), checkpoint)


def _also(listeners: Sequence[Report], events: bool, folder: Folder) -> Sequence[Report]:
    """The listeners, and TensorBoard's file if it is wanted."""
    if not events:
        return listeners
    from netspec.training.tensorboard import FOLDER, Events

    return (*listeners, Events(folder.path / FOLDER, len(folder.losses)))


def _gone_on(
    graph: Graph, backend: Trains, recipe: Recipe, data: Parts | Dataset, path: Path, where: _Where
) -> tuple[Checkpoint, Plan, dict[str, Any]]:
    """The last checkpoint of a run, the plan, and the content of its `run.json`."""
    facts = facts_of(path)
    if facts.get("state") == "finished":
        raise CannotGoOn(f"the run in {path} is finished")
    if files.read(path / "graph.txt").decode() != str(graph):
        raise CannotGoOn(f"{graph.file} is not the network of {path} any more: see its graph.txt")
    if not files.exists(path / CHECKPOINT):
        raise CannotGoOn(f"the run in {path} ended before its first checkpoint: start it again, with --force")
    told = recorded(path)
    before, now = told["batch"] * told["accumulate"], recipe.batch * recipe.accumulate
    if now != before:
        raise CannotGoOn(
            f"a step of {path} has {before:,} samples, but {recipe.batch:,} · {recipe.accumulate:,} are {now:,}: "
            "choose `batch` and `accumulate` with this product"
        )
    checkpoint = Checkpoint.read(path / CHECKPOINT)
    # The weights come from the checkpoint.
    start = starting(graph, recipe.seed, native=native_names(graph))
    whole = _planned(graph, backend, recipe, data, start, where, lambda warnings: None)
    given = {"train_samples": len(whole.feed.parts["train"]), "steps_per_epoch": whole.feed.steps}
    for key, value in given.items():
        if facts.get(key) != value:
            raise CannotGoOn(f"{path} has {facts.get(key):,} {key.replace('_', ' ')}, but now {value:,}")
    return checkpoint, whole, facts


def recorded(path: Path) -> dict[str, Any]:
    """The recipe of a run folder, as it is written there.

    Raises:
        CannotGoOn: there is none.
    """
    import yaml

    try:
        told = yaml.safe_load(files.read(path / RECIPE))["train"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        told = None
    if not isinstance(told, dict) or not all(
        isinstance(told.get(key), int) for key in ("batch", "accumulate")
    ):
        raise CannotGoOn(f"the run in {path} is not whole: it cannot be resumed")
    return told


def facts_of(path: Path) -> dict[str, Any]:
    """The content of `run.json` of a run folder.

    Raises:
        CannotGoOn: there is none.
    """
    import json

    try:
        told = json.loads(files.read(path / FACTS))
    except OSError as error:
        raise CannotGoOn(f"{path / FACTS} cannot be read: {files.reason(error)}") from None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise CannotGoOn(f"{path / FACTS} is not that of a run")
    return told


@dataclass(frozen=True, slots=True)
class _Where:
    """The name of the device, and the number of devices of each process."""

    device: str
    devices: int


def _planned(
    graph: Graph,
    backend: Trains,
    recipe: Recipe,
    data: Parts | Dataset,
    start: Arrays,
    where: _Where,
    warn: Callable[[Sequence[Diagnostic]], None] | None,
) -> Plan:
    """The plan of a training.

    Raises:
        SpecError: recipe, data and network do not fit each other.
    """
    problems = Problems()
    check_obeyed(graph, recipe, backend, problems, where.device)
    parts = parts_of(data) if isinstance(data, Dataset) else data
    whole = plan(graph, recipe, parts, start, where.device, problems)
    if whole is None:
        raise SpecError(problems.in_order())
    world = here()
    if recipe.sharded and world.size == 1:
        problems.warning(
            REFUSED,
            "`sharded: true` divides nothing, because this is one process: it has all weights",
            place(graph, recipe, ["sharded"]),
            help="start several with `--devices N` or torchrun, or leave `sharded` out",
        )
    if len(problems) and not world.rank:
        (warn or _warn)(problems.in_order())
    task = replace(whole.task, world=world, devices=where.devices)
    return replace(whole, task=task, feed=replace(whole.feed, world=world))


def _run(
    graph: Graph,
    backend: Trains,
    whole: Plan,
    data: Parts | Dataset,
    keeper: Folder | Follower,
    path: Path,
    listeners: Sequence[Report] = (),
    begun: Checkpoint | None = None,
) -> Run:
    try:
        return _trained(graph, backend, whole, data, keeper, path, listeners, begun)
    except Exception as error:
        lacks = shortage(error, [backend])
        if lacks is None:
            raise
        error.__traceback__ = None  # its frames keep the trainer, and so the memory of the device
    raise out_of_memory(lacks, whole, backend, len(keeper.epochs))


def _trained(
    graph: Graph,
    backend: Trains,
    whole: Plan,
    data: Parts | Dataset,
    keeper: Folder | Follower,
    path: Path,
    listeners: Sequence[Report],
    begun: Checkpoint | None,
) -> Run:
    trainer = backend.trainer(whole.task)
    loop = TrainingLoop(whole, trainer, keeper, listeners, None if begun is None else (begun, keeper.epochs))
    try:
        ended = loop.run()
    except Diverged as error:
        if isinstance(keeper, Folder):
            explain(error, whole, backend, keeper)
        if whole.task.world.size > 1:
            trainer.agree(0)  # the others wait until the first one knows why
        raise
    goal = None if whole.goal is None else whole.goal.name
    picture = path / "curves.svg"
    if isinstance(keeper, Folder):
        facts = headline(ended.best, goal, ended.test)
        title = f"{graph.name} on {backend.name}, {data.name}"
        picture = keeper.picture(curves(title, facts, keeper.losses, keeper.epochs))
    return Run(
        folder=path,
        backend=backend.name,
        data=data.name,
        epochs=ended.epochs,
        best=ended.best,
        goal=goal,
        test=ended.test,
        losses=tuple(keeper.losses),
        curves=picture,
        remarks=tuple(trainer.remarks()),
    )


def _warn(diagnostics: Sequence[Diagnostic]) -> None:
    """Warn a Python caller about diagnostics that do not prevent the training."""
    from netspec.diagnostics.render import as_text

    warnings.warn(as_text(diagnostics), stacklevel=4)


def _circumstances(
    graph: Graph, backend: Trains, whole: Plan, data: Parts | Dataset, weights: Arrays | None, device: str
) -> dict[str, Any]:
    from netspec._version import __version__

    return {
        "netspec": __version__,
        "spec": graph.name,
        "file": graph.file,
        "source": str(Path(graph.file).absolute()),
        "base": str(Path(graph.file if graph.train is None else graph.train.file).absolute().parent),
        "params": dict(graph.params),
        "backend": backend.name,
        "framework": backend.status().detail,
        "device": device,
        **_spread(whole),
        "data": data.name,
        **{f"{part}_samples": len(samples) for part, samples in whole.feed.parts.items()},
        "steps_per_epoch": whole.feed.steps,
        **({"parts": list(whole.notes)} if whole.notes else {}),
        "best": "nothing is selected" if whole.goal is None else f"by {whole.goal.name}",
        "weights": "from the seed" if weights is None else "given",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _spread(whole: Plan) -> dict[str, Any]:
    """The number of processes, and of devices of each."""
    return {"processes": whole.task.world.size, "devices": whole.task.devices}
