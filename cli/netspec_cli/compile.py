"""`netspec compile`: writes the generated source, or a file."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.compiling import compile_one
from netspec_cli.options import BackendOption, Force, Out, Sets, Spec, Weights


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
    code = compile_one(spec, backend, out, passes or (), weights, sets, force)
    if code:
        raise typer.Exit(code)
