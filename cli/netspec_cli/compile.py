"""`netspec compile`: the generated source."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.common import Force, Named, Out, Sets, Spec, load_with_sources, may_write, show, write
from netspec_cli.failures import WRONG_SPEC
from netspec_cli.passes import through


def compile(
    spec: Spec,
    backend: Named,
    out: Out = None,
    passes: Annotated[
        list[str] | None,
        typer.Option(
            "--pass",
            metavar="PASS",
            help="logits, fold-batch-norm, fully-convolutional, still or cut=NAME. Repeatable.",
        ),
    ] = None,
    sets: Sets = None,
    force: Force = False,
) -> None:
    """Write the network as readable source that runs without netspec. Needs no framework."""
    from netspec.backend import Writes, capable
    from netspec.refusals import refusals

    chosen = capable(backend, Writes)
    graph, sources = load_with_sources(spec, sets)
    if out is not None:
        may_write([out], sources, force)
    graph, _ = through(graph, passes or ())
    if wrong := refusals(graph, chosen):
        show(wrong)
        raise typer.Exit(WRONG_SPEC)
    write(chosen.source(graph).text, out, "python")
