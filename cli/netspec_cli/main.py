"""The command `netspec`: registers the commands, and turns all exceptions into messages."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core

from netspec_cli import apart, ranks, streams
from netspec_cli.exits import INTERRUPTED, WRONG_COMMAND, WRONG_SPEC
from netspec_cli.form import STYLE, formed

COMMANDS = (
    *("check", "shapes", "compile", "convert", "data", "train", "runs", "evaluate", "predict", "weights"),
    *("compare", "bench", "draw", "ops", "schema", "explain", "new", "backends", "arith"),
)
"""The commands in the order of the help; each is the function, or the `app`, of its module."""


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
        gc.freeze()  # imported modules stay, so the garbage collector need not scan them
        gc.enable()
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
            from netspec_cli.failures import told

            if hasattr(error, "show") and hasattr(error, "message"):  # a usage error of typer
                error.message = error.message.replace("Value error, ", "")
                raise
            known = told(error)
            if known is None:
                raise
            message, code = known
            if ranks.may_tell():
                streams.complain(message)
                _add_notes(error)
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
    # Searching for plugins of pydantic would read the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    streams.prepare()
    apart.is_program = True
    try:
        with ranks.quietly() as messages:
            code = _code()
        sys.exit(code if messages is None else ranks.settled(code, messages.getvalue()))
    finally:
        apart.is_program = False


def _code() -> int:
    """Run the command; return the exit code after all output is written."""
    try:
        # Not standalone, because then a closed pipe would exit with 1, which means that a spec is wrong.
        code = int(app(standalone_mode=False) or 0)
        sys.stdout.flush()
        if code == WRONG_SPEC and streams.is_unread():
            code = 0
    except streams.Unwritable as error:
        streams.complain(f"netspec: cannot write to standard output: {error}")
        return WRONG_COMMAND
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            return int(error.exit_code)
        if "NETSPEC_DEBUG" in os.environ:
            raise  # the user asked for the traceback
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        if ranks.may_tell():
            streams.complain(
                f"netspec: this is a bug in netspec, please report it ({what}); NETSPEC_DEBUG=1 shows where"
            )
            _add_notes(error)
        return WRONG_COMMAND
    if code == INTERRUPTED:
        streams.complain("netspec: interrupted")
    return code


def _add_notes(error: BaseException) -> None:
    """Print the notes of an exception, such as the place of a run folder."""
    for note in getattr(error, "__notes__", []):
        streams.complain(f"note: {note}")
