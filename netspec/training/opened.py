"""A run that is opened again: its network, recipe, preparation and weights, as they were when it was trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from netspec import files
from netspec.backend import native_names
from netspec.diagnostics import Problems, SpecError
from netspec.graph import Graph
from netspec.language.document.library import Library
from netspec.language.document.recipe import again
from netspec.language.reading.locations import real, shown
from netspec.language.reading.source import read as read_source
from netspec.loading import graph_of_file, graph_of_text
from netspec.recipe import Recipe
from netspec.tensors import UnreadableTensors, metadata_of
from netspec.training.claim import BEST, FACTS, LAST
from netspec.training.folder import EPOCH
from netspec.training.preparation import FILE, CannotPrepare, Preparation
from netspec.training.run import CannotGoOn, facts_of
from netspec.types import Type
from netspec.weights import load

if TYPE_CHECKING:
    from netspec.backend import Arrays

KINDS = {"best": BEST, "last": LAST}
"""The weights of a run by the words for them."""


class CannotOpen(Exception):
    """A run cannot be opened. `str()` says why, `help` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True)
class Chosen:
    """Weights from a file. `epoch` is that after which a run wrote them, if it did."""

    path: Path
    arrays: Arrays
    epoch: int | None = None


@dataclass(frozen=True)
class OpenedRun:
    """A run of this or an earlier process."""

    path: Path
    facts: Mapping[str, Any]
    graph: Graph
    recipe: Recipe
    preparation: Preparation

    @property
    def types(self) -> dict[str, Type]:
        """The types of the outputs by their names."""
        return {each.name: self.graph.types[each.value] for each in self.graph.outputs}

    @property
    def base(self) -> Path:
        """The folder to which paths of the recipe are relative."""
        return Path(str(self.facts.get("base") or Path(self.graph.file).parent))

    @property
    def data_dir(self) -> Path | None:
        """The folder with named data sets, if the training was given one."""
        folder = (self.facts.get("origin") or {}).get("data_dir")
        return None if folder is None else Path(folder)

    @property
    def backend(self) -> str:
        """The name of the backend that trained."""
        return str(self.facts.get("backend"))

    def weights(self, choice: str | None = None, tell: Callable[[str], None] | None = None) -> Chosen:
        """The weights: `best`, `last` or a file; the default are those that were tested.

        Raises:
            CannotOpen: the run does not have them.
            WeightsError: a file is not that of this network.
        """
        best = files.exists(self.path / BEST)
        if choice == "best" and not best:
            why = f"{files.shortened(self.path)} has no best weights: "
            why += "nothing was selected" if self._selects_nothing else "its first epoch did not end"
            raise CannotOpen(why, "take the last ones: --weights last" if self._has_last else "")
        if choice in KINDS or choice is None:
            word = choice or ("best" if best else "last")
            path = self.path / KINDS[word]
            if not files.exists(path):
                why = f"{files.shortened(self.path)} has no weights: its first epoch did not end"
                raise CannotOpen(why, f"go on with it: netspec train --resume {self.path}")
        else:
            path = Path(choice)
        arrays = load(path, self.graph, None, native_names(self.graph), tell)
        return Chosen(path, arrays, epoch_of(path))

    @property
    def _selects_nothing(self) -> bool:
        return str(self.facts.get("best", "")).startswith("nothing")

    @property
    def _has_last(self) -> bool:
        return files.exists(self.path / LAST)


def epoch_of(path: Path) -> int | None:
    """The epoch after which a training wrote a file of weights."""
    try:
        told = metadata_of(path).get(EPOCH, "")
    except UnreadableTensors:
        return None
    return int(told) if told.isdecimal() else None


def is_run(path: Path) -> bool:
    """Whether this is the folder of a run."""
    return files.exists(path / FACTS)


def opened(path: Path) -> OpenedRun:
    """The run in a folder.

    The network is that of the spec as it was then: what has been edited since does not count, unless it is in another
    file that the spec includes; then the network is another one, which is an error.

    Raises:
        CannotOpen: it is not a run, or a file of it is missing or damaged.
        SpecError: the spec can no longer be read, because a file that it names is missing.
    """
    try:
        facts = facts_of(path)
        graph = _graph(path, facts)
        recipe = _recipe(path)
        preparation = Preparation.read(path / FILE)
    except CannotGoOn as error:
        raise CannotOpen(str(error), "name the folder of a run; `netspec runs` lists them") from None
    except CannotPrepare as error:
        raise CannotOpen(str(error), error.help) from None
    if preparation.inputs.keys() != {each.name for each in graph.inputs}:
        raise CannotOpen(f"{files.shortened(path / FILE)} is not that of this run: it has other inputs")
    return OpenedRun(path, facts, graph, recipe, preparation)


def _graph(path: Path, facts: Mapping[str, Any]) -> Graph:
    where = str(facts.get("source") or facts.get("file"))
    params = facts.get("params")
    if not isinstance(params, dict):
        raise CannotOpen(f"the run in {files.shortened(path)} is not whole: {FACTS} has no `params`")
    problems = Problems()
    try:
        text = files.read(path / "spec.yaml").decode()
        printed = files.read(path / "graph.txt").decode()
    except (OSError, UnicodeDecodeError):
        raise CannotOpen(
            f"the run in {files.shortened(path)} is not whole: it lacks spec.yaml or graph.txt"
        ) from None
    spec = Path(where)
    graph: Graph | None
    if files.exists(spec):
        library = Library(problems)
        library.values[real(spec)] = read_source(text, shown(spec), problems)
        graph = graph_of_file(spec, problems, params, library)
    else:  # it was moved; a spec that includes nothing is whole
        graph = graph_of_text(text, where, problems, params)
    if graph is None:
        raise SpecError(problems.in_order())
    if str(graph) != printed:
        raise CannotOpen(
            f"{where} is not the network of {files.shortened(path)} any more: a file that it includes has changed, "
            "or netspec has, or it was changed in Python",
            f"{files.shortened(path / 'graph.txt')} is the network that was trained",
        )
    return graph


def _recipe(path: Path) -> Recipe:
    problems = Problems()
    try:
        told = yaml.safe_load(files.read(path / "recipe.yaml"))["train"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        raise CannotOpen(f"the run in {files.shortened(path)} is not whole: it lacks recipe.yaml") from None
    recipe = again(told, problems, str(path / "recipe.yaml"))
    if recipe is None:
        raise SpecError(problems.in_order())
    return recipe
