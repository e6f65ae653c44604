"""The command `netspec`: registers the commands, and sees to it that no input yields a traceback."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from netspec.diagnostics import SpecError
from netspec_cli import (
    arith,
    backends,
    bench,
    check,
    compare,
    compile,
    convert,
    draw,
    explain,
    new,
    ops,
    schema,
    shapes,
    train,
)

app = typer.Typer(
    name="netspec",
    help="Write a network once, in YAML; check it, infer its shapes, compile it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    check,
    shapes,
    compile,
    convert,
    train,
    compare,
    bench,
    draw,
    ops,
    schema,
    explain,
    new,
    backends,
):
    name = command.__name__.rpartition(".")[2]
    app.command(name)(getattr(command, name))
app.add_typer(arith.app, name="arith")


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
    from netspec.backend import Unavailable, Unsupported

    try:
        app()
    except SpecError as error:
        _stop(str(error), 1)
    except Unsupported as error:
        _stop(f"netspec: {error}", 1)
    except Unavailable as error:
        _stop(f"netspec: {error}" + (f"\n  to mend it: {error.mend}" if error.mend else ""), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _stop("netspec: interrupted", 130)
    except Exception as error:
        # A bug of ours; its traceback is for those who ask for it.
        if "NETSPEC_DEBUG" in os.environ:
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _stop(f"netspec: this is a bug in netspec, please report it ({what}); NETSPEC_DEBUG=1 shows where", 2)


def _stop(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)
