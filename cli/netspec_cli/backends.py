"""`netspec backends`: lists the backends: installed, missing (with the install command) or broken (with the reason)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from netspec_cli.streams import say, say_json


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
            {"name": name, "state": s.state, "detail": s.detail, "fix": s.fix or None} for name, s in found
        ]
        say_json({"backends": rows})
        return
    for name, status in found:
        say(f"{name:8} {status.state:8} {status.detail}")
        if status.fix:
            say(f"{'':17} {status.fix}")
