"""The files of an exported network: source, weights, `predict.py`, `README.md`, and what backends write as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from netspec.backend import Backend, Exports, Files, Unsupported, backends
from netspec.export.script import WHITENING, Script
from netspec.marks import marked, sealed
from netspec.training.opened import Chosen, OpenedRun

if TYPE_CHECKING:
    from netspec.types import Float

Contents = dict[str, "str | bytes"]


def contents(run: OpenedRun, weights: Chosen, backend: Exports, tell: Callable[[str], None]) -> Contents:
    """The files by their names. `tell` gets a sentence for what is left out.

    Raises:
        CannotPrepare: samples are prepared in a way that a program without netspec does not know.
        Unsupported: the backend refuses the network.
    """
    dtype: Float = "float64" if run.recipe.precision == "float64" else "float32"
    export = backend.export(run.graph, weights.arrays, dtype)
    script = Script(run.graph, run.recipe, run.preparation, export, dtype)
    found: Contents = {
        "network.py": marked(backend.source(run.graph).text, "python"),
        export.file: export.content,
        "predict.py": marked(script.text(), "python"),
    }
    if (matrices := script.whitening()) is not None:
        found[WHITENING] = matrices
    others = dict(_files(run, weights, dtype, tell))
    found |= others
    found["README.md"] = "\n".join(_readme(run, weights, script, backend, list(others)))
    return found


def _files(
    run: OpenedRun, weights: Chosen, dtype: Float, tell: Callable[[str], None]
) -> Iterator[tuple[str, bytes]]:
    """The files of backends that write a file with the weights."""
    for each in backends():
        if not isinstance(each, Files) or not isinstance(each, Backend):
            continue
        name = f"network{each.suffix}"
        status = each.status()
        if status.state != "ok":
            tell(f"{name} is not written: {status.detail}" + (f" ({status.fix})" if status.fix else ""))
            continue
        try:
            yield name, sealed(each.file(run.graph, weights.arrays, dtype))
        except Unsupported as error:
            tell(f"{name} is not written: {error}")


WORDS = {
    "picture": "pictures, or arrays of bytes",
    "table": "tables (CSV), or arrays",
    "text": "texts, or arrays of indices",
    "": "arrays",
}


def _readme(
    run: OpenedRun, weights: Chosen, script: Script, backend: Exports, others: list[str]
) -> Iterator[str]:
    name, facts = run.graph.name, run.facts
    epoch = "" if weights.epoch is None else f", epoch {weights.epoch}"
    yield f"# {name}"
    yield ""
    yield (
        f"A network trained with netspec {facts.get('netspec', '')} on {facts.get('data', 'own data')} "
        f"(`{run.path.name}/{weights.path.name}`{epoch}). This folder needs no netspec."
    )
    yield ""
    yield "```sh"
    yield f"pip install {' '.join(script.packages)}"
    example = {"picture": "photo.png", "table": "new.csv", "text": "start.txt"}.get(
        script.takes, "samples.npy"
    )
    yield f"python predict.py {example}          # the answers, a line each"
    yield f"python predict.py {example} --json   # the same as JSON"
    if script.takes == "picture" and script.settings.size is None:
        yield f"python predict.py {example} --resize # pictures of another size are resized"
    yield "```"
    yield ""
    yield "| file | contents |"
    yield "| --- | --- |"
    yield f"| `network.py` | the network as {backend.name} source |"
    yield f"| `{script.export.file}` | the weights |"
    yield "| `predict.py` | reads files, prepares samples, runs the network, reads its answers |"
    if script.whitening() is not None:
        yield f"| `{WHITENING}` | the mean and the matrix by which samples are whitened |"
    for each in others:
        yield f"| `{each}` | the network with its weights, for other programs |"
    yield ""
    yield "## Inputs and outputs"
    yield ""
    yield f"`predict.py` takes {WORDS[script.takes]}."
    yield ""
    yield "| | name | shape of a sample | |"
    yield "| --- | --- | --- | --- |"
    for input_ in run.graph.inputs:
        fed = run.preparation.inputs[input_.name]
        stored = "×".join(map(str, fed.shape)) or "one number"
        kind = fed.dtype if fed.conversion is not None else "indices of symbols"
        yield f"| input | `{input_.name}` | {stored}, channels first | {kind} |"
    for head in script.heads:
        size = "×".join(map(str, head.type.shape))
        yield f"| output | `{head.name}` | {size} | {head.kind} |"
    for head in script.heads:
        known = head.asked.classes
        if known is not None and known.names:
            yield ""
            yield f"Classes of `{head.name}`: {', '.join(f'{at} {each}' for at, each in enumerate(known.names))}."
    yield ""
    yield "## Preparation"
    yield ""
    yield "As in the training; `prepare` in `predict.py`:"
    yield ""
    yield "```python"
    yield script.preparing()
    yield "```"
    if run.recipe.precision not in ("float32", "float64"):
        yield ""
        yield f"The training was in {run.recipe.precision}; this network computes in {script.dtype}."
    yield ""
