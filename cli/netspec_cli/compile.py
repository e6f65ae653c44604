"""`netspec compile`: writes the generated source, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli.common import (
    fail,
    given_weights,
    load_with_sources,
    may_write,
    put,
    show,
    weights_files,
    write,
)
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.options import BackendOption, Force, Out, Sets, Spec, Weights
from netspec_cli.passes import through

if TYPE_CHECKING:
    from netspec.backend import Arrays, Files
    from netspec.graph import Graph


def compile(
    spec: Spec,
    backend: BackendOption,
    out: Out = None,
    passes: Annotated[
        list[str] | None,
        typer.Option(
            "--pass",
            metavar="PASS",
            help="logits, fold-batch-norm, fully-convolutional, still or cut=NAME. Repeatable.",
        ),
    ] = None,
    weights: Weights = None,
    sets: Sets = None,
    force: Force = False,
) -> None:
    """Write the network as readable source that runs without netspec, or as a file, as its backend does.

    Writing source needs no framework. A file contains the weights, and needs the packages of its backend.
    """
    from netspec.backend import Backend, Files, Writes, capable, usable
    from netspec.refusals import refusals

    found = capable(backend, Backend)
    chosen = found if isinstance(found, Files) else capable(backend, Writes)
    graph, sources = load_with_sources(spec, sets)
    if isinstance(chosen, Files):
        usable([backend], Files)
        out = _file_name(out, chosen)
    elif weights:
        fail(f"--weights: source of {backend} contains no weights; leave the option out")
    if out is not None:
        may_write([out], [*sources, *weights_files(weights or [])], force)
    graph, arrays = through(
        graph, passes or (), _weights(graph, weights or []) if isinstance(chosen, Files) else None
    )
    if wrong := refusals(graph, chosen):
        show(wrong)
        raise typer.Exit(WRONG_SPEC)
    if isinstance(chosen, Files):
        assert out is not None
        assert arrays is not None
        from netspec.marks import sealed

        put({out: sealed(chosen.file(graph, arrays))})
    else:
        write(chosen.source(graph).text, out, "python")


def _file_name(out: Path | None, backend: Files) -> Path:
    """The path of the file; it is required and must have the suffix of the backend."""
    if out is None or out.suffix.lower() != backend.suffix:
        fail(f"{backend.name} writes a file, not text: name it with --out NAME{backend.suffix}")
    return out


def _weights(graph: Graph, given: list[str]) -> Arrays:
    from netspec.backend import native_names
    from netspec.weights import WeightsError, starting

    try:
        found = given_weights(given, graph, 0)
        return starting(graph, 0, native=native_names(graph)) if found is None else found
    except WeightsError as error:
        fail(str(error))
