"""`netspec ops`: the catalogue of ops, from their classes."""

from __future__ import annotations

from typing import Annotated

import typer


def ops(op: Annotated[str | None, typer.Argument(help="An op; all of them without it.")] = None) -> None:
    """List the ops by family."""
    from netspec.ops import FAMILIES

    for family, members in FAMILIES.items():
        typer.echo(family)
        for each in members:
            if op in (None, each.keyword):
                typer.echo(f"  {each.keyword:18} {(each.__doc__ or '').splitlines()[0]}")
