"""`netspec convert`: a pass on a network, written down again as a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import WRONG_SPEC, fail, load_spec, write
from netspec_cli.passes import through


def convert(
    spec: Annotated[str, typer.Argument(help="A path, or zoo:NAME.")],
    fully_convolutional: Annotated[
        bool,
        typer.Option("--fully-convolutional", help="Dense layers on a flattened map become convolutions."),
    ] = False,
    passes: Annotated[
        list[str] | None, typer.Option("--pass", help="A pass, such as fold-batch-norm or cut=NAME.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the spec: NAME=VALUE.")
    ] = None,
) -> None:
    """Write a network as a spec again, after passes; its scopes are laid flat, its paddings are numbers."""
    from netspec.diagnostics import Problems
    from netspec.language.write import write_spec
    from netspec.loading import graph_of_text

    asked = ["fully-convolutional"] if fully_convolutional else []
    asked += passes or []
    if not asked:
        fail("name a pass: --fully-convolutional, or --pass NAME")
    graph = load_spec(spec, sets)
    changed = through(graph, asked)
    name = (
        out.stem.replace("-", "_")
        if out is not None
        else f"{graph.name}_{asked[-1].partition('=')[0].replace('-', '_')}"
    )
    text = write_spec(changed, name)
    problems = Problems()
    if graph_of_text(text, str(out or "the new spec"), problems) is None:
        fail(
            "the network cannot be written as a spec: " + "; ".join(each.message for each in problems),
            WRONG_SPEC,
        )
    write(text, out)
