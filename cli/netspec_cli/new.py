"""`netspec new`: a spec of one's own, from the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import fail, path_of, write


def new(
    name: Annotated[str, typer.Argument(help="The name of the network.")],
    origin: Annotated[str, typer.Option("--from", help="The spec to start from.")] = "zoo:lenet5",
) -> None:
    """Write NAME.yaml from a spec of the zoo."""
    out = Path(f"{name}.yaml")
    if out.exists():
        fail(f"{out} is there already")
    write(path_of(origin).read_text(encoding="utf-8"), out)
