"""`netspec compile`: the generated source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import WRONG_SPEC, Force, fail, load_with_sources, may_write, write
from netspec_cli.passes import through


def compile(
    spec: Annotated[str, typer.Argument(help="A path, or zoo:NAME.")],
    backend: Annotated[str, typer.Option("--backend", "-b", help="torch or keras; see `netspec backends`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
    passes: Annotated[
        list[str] | None,
        typer.Option("--pass", help="logits, fold-batch-norm, fully-convolutional, still or cut=NAME."),
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the spec: NAME=VALUE.")
    ] = None,
    force: Force = False,
) -> None:
    """Write the network as readable source that runs without netspec. Needs no framework."""
    from netspec.backend import Unavailable, Unsupported
    from netspec.backend import backend as find_backend

    graph, sources = load_with_sources(spec, sets)
    if out is not None:
        may_write([out], sources, force)
    graph, _ = through(graph, passes or ())
    try:
        write(find_backend(backend).source(graph).text, out, "python")
    except Unavailable as error:
        fail(str(error))
    except Unsupported as error:
        fail(f"{backend} cannot express {graph.name}: {error}", WRONG_SPEC)
