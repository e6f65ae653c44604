"""`netspec draw`: draws the network as SVG, or as an HTML page with boxes that fold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import fail, load_with_sources, may_write, write
from netspec_cli.options import Force, Sets, Spec

SUFFIXES = (".svg", ".html", ".htm")


def draw(
    spec: Spec,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="x.svg or x.html. Default: SVG to stdout."),
    ] = None,
    sets: Sets = None,
    force: Force = False,
) -> None:
    """Draw the network: blocks as boxes, branches side by side, equal repetitions once. In HTML, boxes can fold."""
    if out is not None and out.suffix.lower() not in SUFFIXES:
        fail(f"{out}: a drawing must be .svg or .html")
    graph, sources = load_with_sources(spec, sets)
    if out is not None:
        may_write([out], sources, force)
    if out is not None and out.suffix.lower() != ".svg":
        from netspec.drawing.page import as_html

        write(as_html(graph), out, "xml")
        return
    from netspec.drawing.svg import as_svg

    write(as_svg(graph), out, "xml")
