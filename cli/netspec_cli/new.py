"""`netspec new`: a spec of one's own, started from one of the zoo; or what the zoo has."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from netspec_cli.common import WRONG_SPEC, fail, path_of, show


class Format(StrEnum):
    """How the list is written."""

    text = "text"
    json = "json"


def new(
    name: Annotated[
        str | None, typer.Argument(help="The name of the network; the file is NAME.yaml.")
    ] = None,
    origin: Annotated[
        str, typer.Option("--from", help="What to start from: zoo:NAME, or a path.")
    ] = "zoo:lenet5",
    list_: Annotated[bool, typer.Option("--list", help="Show the zoo instead.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to write the list.")] = Format.text,
) -> None:
    """Write NAME.yaml from a spec of the zoo. Never overwrites a file."""
    if list_:
        _list(format)
        return
    if name is None:
        fail("give the new network a name: netspec new my_net --from zoo:lenet5 (--list shows the zoo)")
    _write(name, origin)


def _write(name: str, origin: str) -> None:
    from netspec.diagnostics import SpecError
    from netspec.language.item import IDENTIFIER
    from netspec.scaffold import copies

    if not IDENTIFIER.match(name):
        fail(f"`{name}` cannot be a name: a letter, then letters, digits and underscores")
    try:
        files = copies(path_of(origin), name)
    except SpecError as error:
        show(error.diagnostics)
        raise typer.Exit(WRONG_SPEC) from None
    present = [path for path in files if Path(path).exists()]
    if present:
        fail(f"{', '.join(present)} is there already, and nothing is overwritten")
    for path, text in files.items():
        try:
            Path(path).parent.mkdir(exist_ok=True)
            with Path(path).open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            fail(f"cannot write {path}: {error.strerror or error}")
        typer.echo(f"wrote {path}" + (f", from {origin}" if path == f"{name}.yaml" else ""), err=True)
    typer.echo(f"next: netspec check {name}.yaml", err=True)


def _list(format: Format) -> None:
    from netspec.language.places import zoo

    rows = [_row(name, path) for name, path in zoo().items()]
    if format is Format.json:
        typer.echo(json.dumps({"netspec": 1, "zoo": rows}, indent=2, ensure_ascii=False))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        count = "unavailable" if row["params"] is None else f"{row['params']:,}"
        typer.echo(f"{row['name'].ljust(width)}  {count:>12}  {row['description']}")


def _row(name: str, path: Path) -> dict[str, Any]:
    from netspec.check import check_file

    graph, _ = check_file(path)
    if graph is None:
        return {"name": name, "description": "does not hold: netspec check tells why", "params": None}
    return {"name": name, "description": graph.description, "params": graph.shapes().totals.params}
