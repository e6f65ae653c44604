"""The command `netspec`: registers the commands, and sees to it that no input yields a traceback."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from netspec.language.memory import no_collection

COMMANDS = (
    *("check", "shapes", "compile", "convert", "train", "compare", "bench", "draw"),
    *("ops", "schema", "explain", "new", "backends", "arith"),
)
"""The commands in the order in which they are shown; each is the function, or the `app`, of its module."""

_STYLE: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}


class Commands(typer.core.TyperGroup):
    """The commands, each imported when it is asked for: `check` does not wait for what `train` needs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            return None
        with no_collection():
            module = import_module(f"netspec_cli.{cmd_name}")
        gc.freeze()  # what is imported stays; no later search for garbage need look at it
        part = getattr(module, "app", None)
        if part is None:
            part = typer.Typer(**_STYLE)
            part.command(cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(part)


app = typer.Typer(
    cls=Commands,
    name="netspec",
    help="Write a network once, in YAML; check it, infer its shapes, compile it, prove it.",
    no_args_is_help=True,
    **_STYLE,
)


def _version(wanted: bool) -> None:
    if wanted:
        from netspec._version import __version__

        typer.echo(f"netspec {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Write a network once, in YAML; check it, infer its shapes, compile it, prove it."""


def run() -> None:
    """The entry point. A spec that is wrong ends with 1, a command that is wrong with 2."""
    # To look for plugins of pydantic would be to read what every installed package says of itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _stop("netspec: interrupted", 130)
    except Exception as error:
        _explain(error)
        # A bug of ours; its traceback is for those who ask for it.
        if "NETSPEC_DEBUG" in os.environ:
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _stop(f"netspec: this is a bug in netspec, please report it ({what}); NETSPEC_DEBUG=1 shows where", 2)


def _explain(error: Exception) -> None:
    """Stop with what an error says, if it is one that speaks to the author; imported once there is one."""
    from netspec.backend import Unavailable, Unsupported
    from netspec.diagnostics import SpecError

    if isinstance(error, SpecError):
        _stop(str(error), 1)
    if isinstance(error, Unsupported):
        _stop(f"netspec: {error}", 1)
    if isinstance(error, Unavailable):
        _stop(f"netspec: {error}" + (f"\n  to mend it: {error.mend}" if error.mend else ""), 2)


def _stop(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)
