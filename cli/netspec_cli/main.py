"""The command line of `netspec`: registers the commands."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core

from netspec_cli import apart, program, streams
from netspec_cli.form import STYLE, formed

COMMANDS = (
    *("check", "shapes", "compile", "convert", "data", "train", "runs", "evaluate", "predict", "export"),
    *("weights", "compare", "bench", "draw", "ops", "schema", "explain", "new", "backends", "arith"),
)
"""The commands in the order of the help; each is the function, or the `app`, of its module."""

SHORT = frozenset({"check", "shapes", "compile"})
"""The commands that run no framework and end soon."""


class Commands(typer.core.TyperGroup):
    """The commands. Each is imported when it is used, so `check` does not import what `train` needs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            return None
        gc.disable()
        module = import_module(f"netspec_cli.{cmd_name}")
        program.collect_garbage(seldom=apart.is_program and cmd_name in SHORT)
        part = getattr(module, "app", None)
        if part is None:
            part = typer.Typer(**STYLE)
            part.command(cmd_name)(getattr(module, cmd_name))
        return formed(part)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an expected error ends it with a message."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if hasattr(error, "show") and hasattr(error, "message"):  # a usage error of typer
                error.message = error.message.replace("Value error, ", "")
                raise
            code = program.explain(error)
            if code is None:
                raise
            raise typer.Exit(code) from None


app = typer.Typer(
    cls=Commands,
    name="netspec",
    help="Write a network once, in YAML; check it, infer its shapes, compile it, prove it.",
    no_args_is_help=True,
    **STYLE,
)


def _version(wanted: bool) -> None:
    if wanted:
        from netspec._version import __version__

        streams.say(f"netspec {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Write a network once, in YAML; check it, infer its shapes, compile it, prove it."""


def run() -> None:
    """The entry point. Exits with 1 if a spec is wrong, with 2 if the command is wrong."""
    apart.is_program = True
    try:
        # Not standalone, because then a closed pipe would exit with 1, which means that a spec is wrong.
        program.run(lambda: int(app(standalone_mode=False) or 0))
    finally:
        apart.is_program = False
