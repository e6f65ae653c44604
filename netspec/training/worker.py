"""Training as a function of plain values, for programs that start the processes themselves, such as Ray Train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netspec.backend import Launches, Trains, usable
from netspec.data.loading import load as load_data
from netspec.diagnostics import Problems, SpecError
from netspec.language.document.recipe import settle
from netspec.loading import load
from netspec.training.heads import sources
from netspec.training.match import require_trainable
from netspec.training.processes import here
from netspec.training.run import Run, resume, train

KEYS = frozenset({"spec", "backend", "out", "params", "recipe", "data_dir", "device", "resume"})


def train_worker(config: Mapping[str, Any]) -> Run:
    """Train in this process, one of several if `RANK` and `WORLD_SIZE` say so; the first one writes the run folder.

    `config` has `spec` (a path or `zoo:NAME`), `backend` and `out`, the run folder, as absolute paths; perhaps `params`
    of the spec, settings of the `recipe` by their keys (`optimizer.learning_rate`), `data_dir`, `device`, and `resume:
    True` to go on with the run in `out` if there is one.

    Raises:
        ValueError: a key is unknown or missing.
        SpecError: the spec or its recipe is wrong.
    """
    if wrong := sorted((config.keys() - KEYS) | ({"spec", "backend", "out"} - config.keys())):
        raise ValueError(
            f"train_worker takes {', '.join(sorted(KEYS))}; unknown or missing: {', '.join(wrong)}"
        )
    graph = load(config["spec"], **config.get("params", {}))
    problems = Problems()
    recipe = settle(graph.train, problems, graph.file, config.get("recipe"))
    if recipe is None:
        raise SpecError(problems.in_order())
    backend, device = usable([config["backend"]], Trains)[0], config.get("device", "auto")
    require_trainable(graph, recipe, backend, device)
    folder = config.get("data_dir")
    # A path in a recipe is relative to the folder of the file in which the recipe is written.
    base = Path(graph.file if graph.train is None else graph.train.file).parent
    data_dir = None if folder is None else Path(folder)
    data = load_data(sources(graph, recipe), data_dir, recipe.seed, base=base, workers=recipe.workers)
    out = Path(config["out"])
    goes_on = bool(config.get("resume")) and (out / "run.json").exists()
    if (world := here()).size > 1 and isinstance(backend, Launches):
        # The first process may have made the folder of a new run before another one looks for it.
        goes_on = backend.agreed(goes_on, world, device)
    if goes_on:
        return resume(graph, backend, recipe, data, out, device=device)
    origin = {"spec": str(config["spec"]), "data_dir": folder}
    return train(graph, backend, recipe, data, out=out, device=device, origin=origin)
