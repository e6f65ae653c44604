"""What the commands share: loading a spec, reading `--set`, failing politely."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer

from netspec import files
from netspec.diagnostics import Diagnostic, Problems
from netspec.graph import Graph
from netspec.language.library import Library
from netspec.loading import ParameterError, find, graph_of_file

WRONG_SPEC = 1
WRONG_COMMAND = 2

Force: TypeAlias = Annotated[
    bool,
    typer.Option("--force", help="Write over a file that netspec did not write, or that was edited since."),
]
"""The option of every command that writes a file."""


def fail(message: str, code: int = WRONG_COMMAND) -> NoReturn:
    """Say what is wrong with the command, on stderr, and stop."""
    typer.echo(f"netspec: {message}", err=True)
    raise typer.Exit(code)


def note(line: str) -> None:
    """Say what somebody should know, and go on: on stderr."""
    typer.echo(f"note: {line}", err=True)


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
    fault = None if files.is_folder(path) else files.fault(path)
    if fault is not None and files.is_missing(fault):
        fail(f"there is no file {files.shortened(spec)}")
    if fault is not None:
        fail(f"{files.shortened(spec)} cannot be read: {files.reason(fault)}")
    return path


def load_spec(spec: str, sets: Iterable[str] | None = None) -> Graph:
    """The graph of a spec. Tells what is wrong with it and stops with 1; with 2 if the command is wrong."""
    return load_with_sources(spec, sets)[0]


def load_with_sources(spec: str, sets: Iterable[str] | None = None) -> tuple[Graph, tuple[Path, ...]]:
    """As `load_spec`, and the files that it was read from: includes, embedded networks and their weights too."""
    problems = Problems()
    library = Library(problems)
    try:
        graph = graph_of_file(path_of(spec), problems, parameters(sets), library)
    except ParameterError as error:
        fail(str(error))
    show(problems)
    if graph is None:
        raise typer.Exit(WRONG_SPEC)
    return graph, (*library.values, *(Path(file) for _, file in graph.pretrained))


def may_write(targets: Iterable[Path], inputs: Iterable[str | Path], force: bool) -> None:
    """Stop with 2, before anything is worked out or written, if one of these may not be written over."""
    from netspec.marks import Occupied, guard

    targets = tuple(targets)
    try:
        guard(targets, inputs, force)
    except Occupied as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {' and '.join(map(files.shortened, targets))}: {files.reason(error)}")


def write(text: str, out: Path | None, language: str) -> None:
    """A generated text, with netspec's mark: to a file, or to stdout."""
    from netspec.marks import marked

    text = marked(text, language)
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        put({out: text})


def put(contents: Mapping[Path, str | bytes], note: str = "") -> None:
    """Write files whole, all or none, and say so on stderr; stop with 2 if one cannot be written."""
    out = next(iter(contents))
    try:
        for out in contents:
            out.parent.mkdir(parents=True, exist_ok=True)
        files.write_all(contents)
    except OSError as error:
        fail(f"cannot write {files.shortened(error.filename or out)}: {files.reason(error)}")
    for out in contents:
        typer.echo(f"wrote {out}{note}", err=True)
        note = ""
