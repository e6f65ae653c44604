"""What the commands share: their options, loading a spec, reading `--set`, failing politely."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias

import typer

from netspec import files
from netspec.diagnostics import Diagnostic, Problems
from netspec.graph import Graph
from netspec.language.document.library import Library
from netspec.language.document.skeleton import is_blocks_file
from netspec.language.reading.locations import SUFFIXES, ZOO, shown, zoo
from netspec.loading import ParameterError, find, graph_of_file
from netspec_cli.exits import WRONG_COMMAND, WRONG_SPEC
from netspec_cli.streams import complain, hand_over

if TYPE_CHECKING:
    from netspec.backend import Backend, Unavailable

# The arguments and options that several commands have. Help is ASCII, so that every terminal can show it.
Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A path, or zoo:NAME.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the spec. Repeatable."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="A file; stdout without it.")]
Named = Annotated[
    str,
    typer.Option("--backend", "-b", metavar="NAME", help="One of those that `netspec backends` lists."),
]
Several = Annotated[
    str | None,
    typer.Option(
        "--backends", metavar="NAME,NAME", help="With commas between; else all that are installed and can."
    ),
]
Device = Annotated[
    str, typer.Option("--device", metavar="NAME", help="auto, cpu, or what the framework calls one.")
]

Force: TypeAlias = Annotated[
    bool,
    typer.Option("--force", help="Write over a file that netspec did not write, or that was edited since."),
]
"""The option of every command that writes a file."""


def fail(message: str, code: int = WRONG_COMMAND) -> NoReturn:
    """Say what is wrong with the command, on stderr, and stop."""
    complain(f"netspec: {message}")
    raise typer.Exit(code)


def note(line: str) -> None:
    """Say what somebody should know, and go on: on stderr."""
    complain(f"note: {line}")


def colourful(stream: object = None) -> bool:
    """Whether colours are wanted on a stream: a terminal, and no NO_COLOR."""
    stream = sys.stdout if stream is None else stream
    return "NO_COLOR" not in os.environ and bool(getattr(stream, "isatty", lambda: False)())


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics as text, on stderr."""
    from netspec.diagnostics.render import as_text

    diagnostics = list(diagnostics)
    if diagnostics:
        complain(as_text(diagnostics, colour=colourful(sys.stderr)))


def parameters(sets: Iterable[str] | None) -> dict[str, object]:
    """`--set name=value` as a mapping; a value is read as YAML reads it."""
    params: dict[str, object] = {}
    for each in sets or ():
        name, equals, text = each.partition("=")
        if not equals or not name:
            fail(f"--set {each}: write --set NAME=VALUE")
        if name in params:
            fail(f"--set {each}: {name} is set twice")
        params[name] = setting(each, text)
    return params


def setting(option: str, text: str) -> object:
    """The value in `--set OPTION`; `text` is what stands behind its `=`, and is read as YAML reads it."""
    from netspec.diagnostics.codes.files import FILE_EMPTY
    from netspec.language.reading import source

    problems = Problems()
    value = source.read(text, "--set", problems) if text else None
    errors = [problem for problem in problems if problem.code is not FILE_EMPTY]
    if errors:
        fail(f"--set {option}: " + "\n".join(_in_option(option, text, problem) for problem in errors))
    if value is None:
        fail(f"--set {option}: there is no value after the `=`")
    return source.plain(value)


def _in_option(option: str, text: str, problem: Diagnostic) -> str:
    """What is wrong with a value, and a caret below the place in the option as it was typed."""
    lines = [problem.message]
    if "\n" not in option:
        at = len(option) - len(text) + problem.span.column - 1
        lines += [f"  --set {option}", f"  {' ' * (len('--set ') + at)}^"]
    if problem.help:
        lines.append(f"  help: {problem.help}")
    return "\n".join(lines)


def path_of(spec: str) -> Path:
    """The file or folder of a spec: a path that is there, or `zoo:` and a name."""
    try:
        path = find(spec)
    except FileNotFoundError as error:
        fail(str(error))
    fault = None if files.is_folder(path) else files.fault(path)
    if fault is not None and files.is_missing(fault):
        fail(f"there is no file {files.shortened(spec)}{_in_the_zoo(spec)}")
    if fault is not None:
        fail(f"{files.shortened(spec)} cannot be read: {files.reason(fault)}")
    return path


def file_of(spec: str) -> Path:
    """As `path_of`, of one spec: no folder."""
    path = path_of(spec)
    if files.is_folder(path):
        fail(f"{spec} is a folder; name one spec (`netspec check {spec}` says what is wrong in all of them)")
    return path


def _in_the_zoo(spec: str) -> str:
    """A hint, if the zoo has a spec of that name."""
    name = Path(spec).stem if Path(spec).suffix in SUFFIXES else spec
    return f"; did you mean {ZOO}{name}?" if name in zoo() else ""


def load_spec(spec: str, sets: Iterable[str] | None = None) -> Graph:
    """The graph of a spec. Says what is wrong with it and stops with 1; with 2 if the command is wrong."""
    return load_with_sources(spec, sets)[0]


def load_with_sources(spec: str, sets: Iterable[str] | None = None) -> tuple[Graph, tuple[Path, ...]]:
    """As `load_spec`, and the files that it was read from: includes, embedded networks and their weights too."""
    problems = Problems()
    library = Library(problems)
    params = parameters(sets)
    path = file_of(spec)
    value = library.read(path, shown(path))
    if value is not None and is_blocks_file(value):
        fail(
            f"{spec} holds blocks for other specs to include, and no network (`netspec check {spec}` checks it)"
        )
    try:
        graph = graph_of_file(path, problems, params, library)
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


def chosen(backends: str | None, capability: type[Backend]) -> list[str]:
    """The names in `--backends`, each once; without the option the installed backends that have the capability."""
    from netspec.backend import installed

    if backends is None:
        return installed(capability)
    names = [name.strip() for name in backends.split(",") if name.strip()]
    if not names:
        fail("--backends names none: write --backends NAME,NAME (`netspec backends` lists them)")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        fail(f"--backends names {', '.join(twice)} twice")
    return names


def without_what_lacks(names: Sequence[str], error: Unavailable) -> NoReturn:
    """Say which of the backends cannot be used here, and how to go on with the others."""
    from netspec.backend import Backend, Unavailable, usable
    from netspec_cli.failures import lacking

    ready = []
    for name in names:
        with suppress(Unavailable):
            ready += [each.name for each in usable([name], Backend)]
    others = f"\n  or without it: --backends {','.join(ready)}" if 0 < len(ready) < len(names) else ""
    fail(lacking(error) + others)


def write(text: str, out: Path | None, language: str) -> None:
    """A generated text, with netspec's mark: to a file, or to stdout."""
    from netspec.marks import marked

    text = marked(text, language)
    if out is None:
        hand_over(text)
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
        complain(f"wrote {out}{note}")
        note = ""
