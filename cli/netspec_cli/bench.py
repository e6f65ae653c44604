"""`netspec bench`: speed and memory of the backends, side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.common import fail, load_spec


def bench(
    spec: Annotated[str, typer.Argument(help="A path, or zoo:NAME.")],
    backends: Annotated[str, typer.Option(help="Which, with commas between.")] = "torch,keras",
) -> None:
    """Time the forward and the training step of the backends side by side."""
    from netspec.backend import Unavailable, usable

    load_spec(spec)
    try:
        usable(backends.split(","))
    except Unavailable as error:
        fail(str(error))
    fail("the backends cannot be timed yet")
