"""`netspec explain`: the story of a code."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.common import fail


def explain(
    code: Annotated[str, typer.Argument(help="A code such as NS0301; `all` lists every one.")],
) -> None:
    """Tell what a diagnostic means, with an example."""
    from netspec.check import check_text
    from netspec.diagnostics.catalogue import CODES
    from netspec.diagnostics.explain import UnknownCode
    from netspec.diagnostics.explain import explain as story

    if code == "all":
        typer.echo(
            "\n".join(f"{each.id}  {each.title}" for each in sorted(CODES.values(), key=lambda each: each.id))
        )
        return
    try:
        typer.echo(story(code, lambda text, file: check_text(text, file)[1]))
    except UnknownCode as error:
        fail(str(error))
