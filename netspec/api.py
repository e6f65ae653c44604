"""The public functions that need a backend: compile, build, compare, train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.backend import Builds, Trains, Writes, capable, native_names, usable
from netspec.graph import Graph

if TYPE_CHECKING:
    from netspec.data.own import Samples
    from netspec.proof.result import Comparison
    from netspec.training.run import Run
    from netspec.types import Float


def compile(graph: Graph, backend: str) -> str:
    """Readable source for a framework, which runs without netspec. The framework need not be installed.

    Raises:
        Unavailable: no backend has this name.
        Incapable: the backend does not write source.
        Unsupported: the backend refuses the graph.
    """
    return capable(backend, Writes).source(graph).text


def build(
    graph: Graph,
    backend: str,
    *,
    seed: int = 0,
    dtype: Float = "float32",
    device: str = "auto",
    weights: str | Path | Mapping[str, str | Path] | None = None,
) -> Any:
    """A native model, such as an `nn.Module`: the generated source is executed and its weights are set.

    Args:
        seed: initial weights depend on it and on their names; they are the same on every backend.
        weights: a safetensors file with all weights, or files by the paths of embedded networks. Any dtype is
            accepted; a `WeightsWarning` reports values that are converted or left out. The `state_dict` of a model
            that `build` made is such a file.

    Raises:
        Unavailable: the backend is unknown, missing or broken.
        Unsupported: the backend refuses an op.
        WeightsError: a file cannot be read, or does not contain the weights of the graph.
    """
    from netspec.weights import load, starting

    (chosen,) = usable([backend], Builds)
    native = native_names(graph) if weights or graph.pretrained else {}
    if isinstance(weights, str | Path):
        return chosen.build(graph, load(weights, graph, dtype, native), dtype, device)
    return chosen.build(graph, starting(graph, seed, dtype, weights, native), dtype, device)


def compare(graph: Graph, *backends: str, dtype: Float = "float64", **settings: Any) -> Comparison:
    """Run a network on several backends and compare every value; see `netspec.proof.comparison.compare`.

    Without names, all installed backends that give gradients take part.
    """
    from netspec.proof.comparison import compare as run

    return run(graph, backends or None, dtype, **settings)


def train(
    graph: Graph,
    backend: str,
    *,
    data: str | Samples | Mapping[str, Samples] | None = None,
    data_dir: Path | None = None,
    **recipe: object,
) -> Run:
    """Train with the recipe of the spec; `recipe` overrides some of its settings (`epochs=3`).

    `data` is the name of a set, a path, or own samples: a sequence of mappings of arrays, or one for each part.

    Raises:
        SpecError: the recipe is wrong, or data and network do not fit each other.
        DataError: a data set is missing or malformed.
        Unavailable: the backend is unknown, missing or broken.
    """
    from netspec.data.loading import load
    from netspec.diagnostics import Problems, SpecError
    from netspec.language.document.recipe import settle
    from netspec.recipe.names import seen_from
    from netspec.training.heads import sources
    from netspec.training.run import train as run

    problems = Problems()
    own = None if data is None or isinstance(data, str) else data
    if isinstance(data, str):
        recipe["data"] = seen_from(Path.cwd(), data)
    told = settle(graph.train, problems, graph.file, recipe)
    if told is None:
        raise SpecError(problems.in_order())
    # A path in a recipe is relative to the folder of its file.
    base = Path(graph.file if graph.train is None else graph.train.file).parent
    try:
        text = files.read(graph.file).decode()
    except (OSError, UnicodeDecodeError):
        text = None
    samples = load(sources(graph, told) if own is None else own, data_dir, told.seed, base=base)
    return run(graph, usable([backend], Trains)[0], told, samples, text=text)
