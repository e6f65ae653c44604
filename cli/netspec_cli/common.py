"""The common parts of commands: loading a spec, reading `--set`, error messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from netspec import files
from netspec.diagnostics import Diagnostic, Problems
from netspec.graph import Graph
from netspec.language.document.library import Library
from netspec.language.document.skeleton import is_blocks_file
from netspec.language.reading.locations import SUFFIXES, ZOO, shown, zoo
from netspec.loading import ParameterError, find, graph_of_file
from netspec_cli.exits import WRONG_COMMAND, WRONG_SPEC
from netspec_cli.ranks import may_report
from netspec_cli.streams import complain, hand_over

if TYPE_CHECKING:
    from netspec.backend import Arrays, Backend, Unavailable
    from netspec.types import Float


def fail(message: str, code: int = WRONG_COMMAND) -> NoReturn:
    """Print what is wrong with the command to stderr, and exit."""
    import typer  # not loaded by a command that succeeds without it

    if may_report():
        complain(f"netspec: {message}")
    raise typer.Exit(code)


def note(line: str) -> None:
    """Print a note to stderr, and continue."""
    complain(f"note: {line}")


def colourful(stream: object = None) -> bool:
    """Whether to use colours on a stream: it is a terminal, and NO_COLOR is not set."""
    stream = sys.stdout if stream is None else stream
    return "NO_COLOR" not in os.environ and bool(getattr(stream, "isatty", lambda: False)())


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics as text to stderr."""
    from netspec.diagnostics.render import as_text

    diagnostics = list(diagnostics)
    if diagnostics:
        complain(as_text(diagnostics, colour=colourful(sys.stderr)))


def parameters(sets: Iterable[str] | None) -> dict[str, object]:
    """The options `--set name=value` as a mapping; values are read as YAML."""
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
    """The value in `--set OPTION`; `text` is the part after its `=`, which is read as YAML."""
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
    """The problem of a value, and a caret below its place in the option as typed."""
    lines = [problem.message]
    if "\n" not in option:
        at = len(option) - len(text) + problem.span.column - 1
        lines += [f"  --set {option}", f"  {' ' * (len('--set ') + at)}^"]
    if problem.help:
        lines.append(f"  help: {problem.help}")
    return "\n".join(lines)


def path_of(spec: str) -> Path:
    """The file or folder of a spec: an existing path, or `zoo:` and a name."""
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
    """Like `path_of`, but only for a file."""
    path = path_of(spec)
    if files.is_folder(path):
        fail(f"{spec} is a folder; name one spec (`netspec check {spec}` checks all of them)")
    return path


def _in_the_zoo(spec: str) -> str:
    """A hint if the zoo has a spec with this name."""
    name = Path(spec).stem if Path(spec).suffix in SUFFIXES else spec
    return f"; did you mean {ZOO}{name}?" if name in zoo() else ""


def load_spec(spec: str, sets: Iterable[str] | None = None) -> Graph:
    """The graph of a spec. Prints its diagnostics and exits with 1 if it is wrong; with 2 if the command is wrong."""
    return load_with_sources(spec, sets)[0]


def load_with_sources(spec: str, sets: Iterable[str] | None = None) -> tuple[Graph, tuple[Path, ...]]:
    """Like `load_spec`, and also the files it was read from: includes, embedded networks and their weights."""
    problems = Problems()
    library = Library(problems)
    params = parameters(sets)
    path = file_of(spec)
    value = library.read(path, shown(path))
    if value is not None and is_blocks_file(value):
        fail(
            f"{spec} contains only blocks for other specs to include, no network (`netspec check {spec}` checks it)"
        )
    try:
        graph = graph_of_file(path, problems, params, library)
    except ParameterError as error:
        fail(str(error))
    show(problems)
    if graph is None:
        import typer

        raise typer.Exit(WRONG_SPEC)
    return graph, (*library.values, *(Path(file) for _, file in graph.pretrained))


_STREAMS = ("-", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2")


def may_write(targets: Iterable[Path], inputs: Iterable[str | Path], force: bool) -> None:
    """Exit with 2, before anything is computed or written, if one of these must not be overwritten."""
    from netspec.marks import Occupied, guard

    targets = tuple(targets)
    for target in targets:
        if str(target) in _STREAMS:
            fail(
                f"{target} is not the name of a file: for the standard output, leave -o out, and for a file, name it"
            )
    try:
        guard(targets, inputs, force)
    except Occupied as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {' and '.join(map(files.shortened, targets))}: {files.reason(error)}")


def chosen(backends: str | None, capability: type[Backend]) -> list[str]:
    """The names in `--backends`; without the option, all installed backends with the capability."""
    from netspec.backend import installed, states

    if backends is None:
        names = installed(capability)
        for name, status in states(capability).items():
            if status.state == "broken":
                note(f"the backend {name} does not take part, because it is broken: {status.detail}")
        return names
    names = [name.strip() for name in backends.split(",") if name.strip()]
    if not names:
        fail("--backends is empty: write --backends NAME,NAME (`netspec backends` lists them)")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        fail(f"--backends contains {', '.join(twice)} twice")
    return names


def without_what_lacks(names: Sequence[str], error: Unavailable) -> NoReturn:
    """Report which of the backends cannot be used, and how to run the command without them."""
    from netspec.backend import Backend, Unavailable, usable
    from netspec_cli.failures import lacking

    ready = []
    for name in names:
        if name == error.backend:
            continue
        with suppress(Unavailable):
            ready += [each.name for each in usable([name], Backend)]
    others = f"\n  or without it: --backends {','.join(ready)}" if 0 < len(ready) < len(names) else ""
    fail(lacking(error) + others)


def text_name(out: Path, what: str, end: str) -> None:
    """Exit with 2 if a file for the text `what` has the end of another kind of file, which a backend writes."""
    if out.suffix.lower() in ("", end):
        return
    from netspec.backend import Files, backends
    from netspec.exchange.formats import suffix_of, writes

    own = out.with_suffix(end).name
    files_of = {each.suffix: each.name for each in backends() if isinstance(each, Files)}
    if (suffix := suffix_of(out, list(files_of))) is not None:
        fail(f"{out}: {what} is text, and -b {files_of[suffix]} writes {suffix} files; name the text {own}")
    if (suffix := suffix_of(out, writes())) is not None:
        fail(f"{out}: {what} is text, and {suffix} files hold weights; name the text {own}")


def write(text: str, out: Path | None, language: str) -> None:
    """Write a generated text with netspec's mark to a file or to stdout."""
    from netspec.marks import marked

    text = marked(text, language)
    if out is None:
        hand_over(text)
    else:
        put({out: text})


def put(contents: Mapping[Path, str | bytes], note: str = "") -> None:
    """Write files completely, all or none, and report them on stderr; exit with 2 if one cannot be written."""
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


def given_weights(given: Sequence[str], graph: Graph, seed: int, dtype: Float = "float32") -> Arrays | None:
    """The weights of `--weights`: those of one FILE, or those of the seed with the FILE of each NAME; None without.

    Raises:
        WeightsError: a file cannot be read, or does not contain the weights.
    """
    from netspec.backend import native_names
    from netspec.weights import load, starting

    if not given:
        return None
    native = native_names(graph)
    if len(given) == 1 and "=" not in given[0]:
        return load(given[0], graph, dtype, native, note)
    parts = [each.partition("=") for each in given]
    if any(not (name and equals and file) for name, equals, file in parts):
        fail("--weights takes one FILE, or NAME=FILE for each embedded network")
    return starting(graph, seed, dtype, {name: file for name, _, file in parts}, native, note)


def weights_files(given: Sequence[str]) -> list[Path]:
    """The files of `--weights`."""
    return [Path(each.rpartition("=")[2]) for each in given]
