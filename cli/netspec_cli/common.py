"""What the commands share: loading a spec, reading `--set`, failing politely."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import typer

from netspec.diagnostics import Diagnostic, Problems
from netspec.graph import Graph
from netspec.loading import ParameterError, find, graph_of_file

WRONG_SPEC = 1
WRONG_COMMAND = 2


def fail(message: str, code: int = WRONG_COMMAND) -> NoReturn:
    """Say what is wrong with the command, on stderr, and stop."""
    typer.echo(f"netspec: {message}", err=True)
    raise typer.Exit(code)


def colourful(stream: object = None) -> bool:
    """Whether colours are wanted on a stream: a terminal, and no NO_COLOR."""
    stream = sys.stdout if stream is None else stream
    return "NO_COLOR" not in os.environ and bool(getattr(stream, "isatty", lambda: False)())


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics as text, on stderr."""
    from netspec.diagnostics.render import as_text

    diagnostics = list(diagnostics)
    if diagnostics:
        typer.echo(as_text(diagnostics, colour=colourful(sys.stderr)), err=True)


def parameters(sets: Iterable[str] | None) -> dict[str, object]:
    """`--set name=value` as a mapping; a value is read as YAML reads it."""
    from netspec.language import source

    params: dict[str, object] = {}
    for each in sets or ():
        name, equals, text = each.partition("=")
        if not equals or not name:
            fail(f"--set {each}: write --set NAME=VALUE")
        problems = Problems()
        value = source.read(text, "--set", problems)
        if value is None:
            fail(
                f"--set {each}: "
                + ("; ".join(problem.message for problem in problems) or "there is no value")
            )
        params[name] = source.plain(value)
    return params


def path_of(spec: str) -> Path:
    """The file of a spec: a path that is there, or `zoo:` and a name."""
    try:
        path = find(spec)
    except FileNotFoundError as error:
        fail(str(error))
    if not path.exists():
        fail(f"there is no file {spec}")
    return path


def load_spec(spec: str, sets: Iterable[str] | None = None) -> Graph:
    """The graph of a spec. Tells what is wrong with it and stops with 1; with 2 if the command is wrong."""
    problems = Problems()
    try:
        graph = graph_of_file(path_of(spec), problems, parameters(sets))
    except ParameterError as error:
        fail(str(error))
    show(problems)
    if graph is None:
        raise typer.Exit(WRONG_SPEC)
    return graph


def write(text: str, out: Path | None) -> None:
    """A report or a source: to a file, or to stdout."""
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror or error}")
    typer.echo(f"wrote {out}", err=True)
