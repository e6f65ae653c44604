"""`netspec backends`: what is installed, what is missing and how to install it, what is broken and why."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How the report is written."""

    text = "text"
    json = "json"


def backends(
    format: Annotated[Format, typer.Option("--format", help="How to write the report.")] = Format.text,
) -> None:
    """List the backends: installed, missing (and how to install them), or broken (and why)."""
    from netspec.backend import backends as registered

    found = [(each.name, each.status()) for each in registered()]
    if format is Format.json:
        rows = [
            {"name": name, "state": s.state, "detail": s.detail, "mend": s.mend or None} for name, s in found
        ]
        typer.echo(json.dumps({"netspec": 1, "backends": rows}, indent=2))
        return
    for name, status in found:
        typer.echo(f"{name:8} {status.state:8} {status.detail}")
        if status.mend:
            typer.echo(f"{'':17} {status.mend}")
