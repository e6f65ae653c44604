"""`netspec backends`: lists the backends: installed, missing (with the install command) or broken (with the reason)."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.options import Format
from netspec_cli.streams import say, say_json


def backends(
    format: Annotated[Format, typer.Option("--format", help="How to write the report.")] = Format.text,
) -> None:
    """List the backends: installed, missing (and how to install them), or broken (and why), and what each can do."""
    from netspec.backend import backends as registered
    from netspec.backend import capabilities

    found = [(each.name, each.status(), capabilities(each)) for each in registered()]
    if format is Format.json:
        rows = [
            {"name": name, "state": s.state, "detail": s.detail, "fix": s.fix or None, "capabilities": can}
            for name, s, can in found
        ]
        say_json({"backends": rows})
        return
    for name, status, can in found:
        say(f"{name:8} {status.state:8} {status.detail}")
        for line in (", ".join(can), status.fix):
            if line:
                say(f"{'':17} {line}")
