"""The work of `netspec compile`, without its command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from netspec_cli.common import (
    fail,
    given_weights,
    load_with_sources,
    may_write,
    put,
    show,
    text_name,
    weights_files,
    write,
)
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.passes import through

if TYPE_CHECKING:
    from netspec.backend import Arrays, Files
    from netspec.graph import Graph


def compile_one(
    spec: str,
    backend: str,
    out: Path | None = None,
    passes: Iterable[str] = (),
    weights: list[str] | None = None,
    sets: Iterable[str] | None = None,
    force: bool = False,
) -> int:
    """Write the source, or the file, of a spec; return the exit code."""
    from netspec.backend import Backend, Files, Unsupported, Writes, capable, usable

    found = capable(backend, Backend)
    chosen = found if isinstance(found, Files | Writes) else capable(backend, Writes)
    graph, sources = load_with_sources(spec, sets)
    if isinstance(chosen, Files):
        usable([backend], Files)
        out = _file_name(out, chosen)
    elif weights:
        fail(f"--weights: source of {backend} contains no weights; leave the option out")
    if out is not None:
        may_write([out], [*sources, *weights_files(weights or [])], force)
        if not isinstance(chosen, Files):
            text_name(out, f"source of {backend}", ".py")
    graph, arrays = through(
        graph, passes, _weights(graph, weights or []) if isinstance(chosen, Files) else None
    )
    try:
        if isinstance(chosen, Files):
            assert out is not None
            assert arrays is not None
            from netspec.marks import sealed

            put({out: sealed(chosen.file(graph, arrays))})
        else:
            write(chosen.source(graph).text, out, "python")
    except Unsupported:
        from netspec.refusals import refusals

        wrong = refusals(graph, chosen)  # with the places in the spec
        if not wrong:
            raise
        show(wrong)
        return WRONG_SPEC
    return 0


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
