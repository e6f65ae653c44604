"""`netspec draw`: a picture of the network."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import load_spec, write


def draw(
    spec: Annotated[str, typer.Argument(help="A path, or zoo:NAME.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the spec: NAME=VALUE.")
    ] = None,
) -> None:
    """Draw the network as SVG."""
    graph = load_spec(spec, sets)
    rows = [
        f'<text x="8" y="{20 * row + 20}">{escape(f"{node.name} {node.output}")}</text>'
        for row, node in enumerate(graph.nodes)
    ]
    size = f'width="480" height="{20 * len(rows) + 20}"'
    write(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>' + "".join(rows) + "</svg>", out)
