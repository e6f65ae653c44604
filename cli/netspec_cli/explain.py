"""`netspec explain`: explains a diagnostic code."""

from __future__ import annotations

from typing import Annotated

import typer

from netspec_cli.common import fail
from netspec_cli.streams import say


def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="A code such as NS0301; `all` lists every one.")
    ],
) -> None:
    """Explain a diagnostic code, with an example."""
    from netspec.check import check_text
    from netspec.diagnostics.catalogue import CODES
    from netspec.diagnostics.explain import UnknownCode
    from netspec.diagnostics.explain import explain as story

    if code == "all":
        say(
            "\n".join(f"{each.id}  {each.title}" for each in sorted(CODES.values(), key=lambda each: each.id))
        )
        return
    try:
        say(story(code, lambda text, file: check_text(text, file)[1]))
    except UnknownCode as error:
        fail(str(error))
