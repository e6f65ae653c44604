"""`netspec check`: checks that every spec below the paths is valid, its shapes fit and its `expect` holds."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from netspec_cli.checking import check_all
from netspec_cli.common import parameters
from netspec_cli.options import Sets


class CheckFormat(StrEnum):
    """How the report is written."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"
    junit = "junit"


def check(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Specs, folders of specs, or zoo:NAME.")],
    format: Annotated[
        CheckFormat, typer.Option("--format", help="How to write the report.")
    ] = CheckFormat.text,
    sets: Sets = None,
    backends: Annotated[
        list[str] | None,
        typer.Option(
            "--backend", "-b", metavar="NAME", help="Also check whether this backend takes them. Repeatable."
        ),
    ] = None,
) -> None:
    """Check that every spec below the paths is valid, its shapes fit and its `expect` holds. Imports no framework.

    With --set, `expect` is not checked: it describes the spec as written.
    """
    code = check_all(paths, format, parameters(sets) or None, backends or ())
    if code:
        raise typer.Exit(code)
