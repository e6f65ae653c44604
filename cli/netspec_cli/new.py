"""`netspec new`: writes a new spec, based on one of the zoo; or lists the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from netspec_cli.common import fail, file_of, may_write, put, show
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.options import Force, Format
from netspec_cli.streams import complain, say, say_json


def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The name of the network; the file is NAME.yaml.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SPEC",
            help="The spec to copy: zoo:NAME, or a path. By default the network of the zoo with this name; "
            "if the zoo has none, zoo:lenet5.",
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the zoo instead.")] = False,
    format: Annotated[
        Format | None, typer.Option("--format", help="How to write the list.  [default: text]")
    ] = None,
    force: Force = False,
) -> None:
    """Write NAME.yaml from a spec of the zoo."""
    if list_:
        if name is not None:
            fail(f"--list lists the zoo and does not write {name}.yaml: leave out one of the two")
        _list(format or Format.text)
        return
    if format is not None:
        fail("--format is only for --list; a new spec is always YAML")
    if name is None:
        fail("give the new network a name: netspec new my_net --from zoo:lenet5 (--list lists the zoo)")
    _write(name, origin, force)


def _write(name: str, origin: str | None, force: bool) -> None:
    from netspec.diagnostics import SpecError
    from netspec.language.document.item import IDENTIFIER
    from netspec.language.reading.locations import ZOO, zoo
    from netspec.marks import marked
    from netspec.scaffold import copies

    if not IDENTIFIER.match(name):
        advice = ""
        if name.startswith(ZOO):
            advice = f"; netspec new {name.removeprefix(ZOO)} copies {name}, and --from {name} gives it another name"
        fail(
            f"`{name}` is not a valid name: a name is a letter, followed by letters, digits and underscores{advice}"
        )
    origin = origin or f"{ZOO}{name if name in zoo() else 'lenet5'}"
    source = file_of(origin)
    try:
        texts = copies(source, name)
    except SpecError as error:
        show(error.diagnostics)
        raise typer.Exit(WRONG_SPEC) from None
    may_write(map(Path, texts), [source], force)
    put({Path(path): marked(text, "yaml") for path, text in texts.items()}, f", from {origin}")
    complain(f"next: netspec check {name}.yaml")


def _list(format: Format) -> None:
    from netspec.language.reading.locations import zoo

    rows = [_row(name, path) for name, path in zoo().items()]
    if format is Format.json:
        say_json({"zoo": rows})
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        count = "unavailable" if row["params"] is None else f"{row['params']:,}"
        say(f"{row['name'].ljust(width)}  {count:>12}  {row['description']}")


def _row(name: str, path: Path) -> dict[str, Any]:
    from netspec.analysis import analyze
    from netspec.check import check_file

    graph, _ = check_file(path)
    if graph is None:
        return {"name": name, "description": "does not hold: netspec check says why", "params": None}
    return {"name": name, "description": graph.description, "params": analyze(graph).totals.params}
