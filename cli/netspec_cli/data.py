"""`netspec data`: shows what a data set holds and what looks wrong, and lists the named sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from netspec import files
from netspec_cli.common import fail, may_write, put, setting
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.options import Format
from netspec_cli.streams import complain, say, say_json

if TYPE_CHECKING:
    from netspec.data.inspection import Column, Inspection
    from netspec.data.parts import Parts
    from netspec.recipe.data import Data

MOST_CLASSES = 60
"""The classes that the report lists; JSON has all."""


def data(
    set: Annotated[
        str | None,
        typer.Argument(metavar="SET|PATH", help="A named set, or a path. Default: list the named sets."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the data of a recipe: --set validation=0.1, --set table.targets=price. Repeatable.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="FOLDER", help="The folder with named sets. Default: $NETSPEC_DATA."
        ),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the missing files of a named set.")
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", metavar="NUMBER", min=0, help="Chooses parts by fractions.")
    ] = 0,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw ten samples into this .svg or .png file."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a picture that exists.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.text,
) -> None:
    """Show what a data set holds: parts, shapes, types, ranges, classes with counts, and what looks wrong."""
    from netspec.data.bounds import DataError

    if set is None:
        if sets or fetch or picture:
            fail("name a data set, or a path (`netspec data` lists the named sets)")
        _list(data_dir, format)
        return
    _require_kind(picture, force)
    try:
        report, wanted = _inspected(_settings(set, sets or []), data_dir, fetch, seed)
        drawn = None if picture is None else _drawn(report.parts, picture)
    except DataError as error:
        fail(str(error) + (f"\n{error.help}" if error.help else ""))
    if format is Format.json:
        say_json({"data": wanted.train, **_facts(report)})
    else:
        say("\n".join(_text(report)))
    if picture is not None and drawn is not None:
        put({picture: drawn})
    if any(finding.is_error for finding in report.findings):
        raise typer.Exit(WRONG_SPEC)


def _require_kind(picture: Path | None, force: bool) -> None:
    if picture is None:
        return
    if picture.suffix.lower() not in (".svg", ".png"):
        fail(f"--picture {picture}: a picture is an .svg or a .png file")
    if picture.suffix.lower() == ".svg":
        may_write([picture], (), force)
    elif files.exists(picture) and not force:
        fail(f"{picture} exists; --force overwrites it")


def _settings(name: str, sets: list[str]) -> Data:
    """The data of a recipe with these settings."""
    from netspec.model import Invalid
    from netspec.recipe.data import PARTS, Data
    from netspec.recipe.names import KNOWN, is_path

    train = f"./{name}" if name not in KNOWN and not is_path(name) and files.exists(name) else name
    stated: dict[str, Any] = {"train": train}
    for each in sets:
        key, equals, text = each.partition("=")
        if not key or not equals:
            fail(f"--set {each}: write --set NAME=VALUE")
        *outer, last = key.split(".")
        inside = stated
        for part in outer:
            inside = inside.setdefault(part, {})
            if not isinstance(inside, dict):
                fail(f"--set {each}: {part} is set to a single value, too")
        if last in inside:
            fail(f"--set {each}: {key} is set twice")
        inside[last] = setting(each, text)
    outer = []
    try:
        for part, model in PARTS.items():
            if isinstance(stated.get(part), dict):
                outer = [part]
                stated[part] = model.model_validate(stated[part])
        outer = []
        return Data.model_validate(stated)
    except Invalid as error:
        wrong = error.details
        first = next((each for each in wrong if each["type"] == "extra_forbidden"), wrong[0])
        if first["type"] == "order":  # the reason is in the message
            fail(f"--set {'.'.join(map(str, [*outer, *first['loc']]))}: {first['msg']}")
        _refuse(
            [*outer, *(part for part in first["loc"] if isinstance(part, str))],
            first["type"] == "extra_forbidden",
        )


def _refuse(place: list[str], unknown: bool) -> NoReturn:
    """Exit with what a setting takes, or which settings there are."""
    from netspec.ops.nearest import did_you_mean
    from netspec.recipe.data import PARTS, Data

    inside = len(place) > 1 and place[0] in PARTS
    fields = PARTS[place[0]].model_fields if inside else Data.model_fields
    name, whose = (place[1], f"`{place[0]}`") if inside else (place[0], "data")
    if unknown:
        fail(
            f"--set {'.'.join(place[: 1 + inside])}: {whose} has no such setting{did_you_mean(name, fields)}; its "
            f"settings are {', '.join(fields)}"
        )
    takes = fields[name].description or "a mapping"
    fail(f"--set {'.'.join(place[: 1 + inside])}: `{name}` must be {takes}")


def _inspected(wanted: Data, folder: Path | None, fetch: bool, seed: int) -> tuple[Inspection, Data]:
    from netspec.data.fetch import fetch as get
    from netspec.data.inspection import inspect
    from netspec.data.loading import load
    from netspec.data.sets import default_folder
    from netspec.recipe.names import SETS

    if fetch and wanted.train in SETS:
        get(wanted.train, folder or default_folder(), tell=complain)
    return inspect(load(wanted, folder, seed)), wanted


def _drawn(parts: Parts, picture: Path) -> str | bytes:
    from netspec.data.picture import as_svg, sheet, tiles
    from netspec.marks import marked

    shown = tiles(parts)
    if picture.suffix.lower() == ".png":
        return sheet(shown)
    return marked(as_svg(parts.name, shown), "xml")


# The list.


def _list(folder: Path | None, format: Format) -> None:
    from netspec.data.bounds import DataError
    from netspec.data.sets import default_folder, missing
    from netspec.recipe.names import MADE, SETS

    try:
        place = folder or default_folder()
    except DataError as error:
        fail(str(error) + (f"\n{error.help}" if error.help else ""))
    rows = []
    for name, known in SETS.items():
        here = files.is_folder(place / name / "train") if known.form == "masks" else not missing(name, place)
        rows.append(
            {
                "name": name,
                "shape": list(known.shape),
                "classes": known.classes,
                "train": known.train,
                "validation": known.validation,
                "test": known.test,
                "here": here,
                "fetch": known.fetched,
            }
        )
    if format is Format.json:
        made = [{"name": name, "contents": what} for name, what in MADE.items()]
        say_json({"folder": str(place), "sets": rows, "made": made})
        return
    width = max(len(name) for name in SETS)
    say(f"named sets, in {files.shortened(place)}")
    for row, known in zip(rows, SETS.values(), strict=True):
        counts = " + ".join(f"{count:,}" for count in (known.train, known.validation, known.test) if count)
        state = (
            "here" if row["here"] else "--fetch downloads it" if row["fetch"] else "not here, and not fetched"
        )
        sizes = "×".join(map(str, known.shape[1:]))
        say(
            f"  {str(row['name']).ljust(width)}  {counts}  {known.shape[0]}@{sizes}  {known.classes} classes  ({state})"
        )
    say("sets without files")
    for name, what in MADE.items():
        say(f"  {name.ljust(width)}  {what}")


# The report.


def _text(report: Inspection) -> Iterator[str]:
    from netspec.data.arrays import size
    from netspec.data.parts import WORDS
    from netspec.data.source import Purpose

    parts = report.parts
    yield (
        f"{parts.name}: " + ", ".join(f"{len(source):,} {WORDS[name]}" for name, source in parts) + " samples"
    )
    for note in parts.notes:
        yield f"  {note}"
    for key, field in parts.train.fields.items():
        shape = (
            size(field.shape)
            if field.role is Purpose.input
            else "×".join(map(str, field.shape)) or "one number"
        )
        known = [part[key] for part in report.columns.values() if key in part]
        limits = f", {min(c.low for c in known):g} to {max(c.high for c in known):g}" if known else ""
        yield f"{field.role} {key}: {shape}, {field.dtype}{limits}"
        yield from _counts(report, key)
    for finding in report.findings:
        yield f"{'error' if finding.is_error else 'warning'}: {finding.message}"
        if finding.help:
            yield f"  help: {finding.help}"
    if not report.findings:
        yield "nothing looks wrong"


def _counts(report: Inspection, key: str) -> Iterator[str]:
    """A table of classes: how many samples, pixels or steps each part has of it."""
    columns = {name: part[key].counts for name, part in report.columns.items() if key in part}
    classes = report.classes(key)
    if key not in report.parts.targets or classes is None or not all(columns.values()):
        return
    seen = set[int]().union(*(counts or {} for counts in columns.values()))
    if key not in report.parts.classes and 1 < len(seen) <= classes.count // 2:
        return  # numbers, but not the indices of classes
    labels = sorted({*range(classes.count)}.union(*(counts or {} for counts in columns.values())))
    if len(labels) > 2 * MOST_CLASSES and key not in report.parts.classes:
        return
    shown = labels[:MOST_CLASSES]
    names = {label: _class(report, key, label) for label in shown}
    width = max(len("class"), *(len(name) for name in names.values()))
    yield f"  {'class'.ljust(width)}" + "".join(f"  {name:>12}" for name in columns)
    for label in shown:
        counts = "".join(f"  {(each or {}).get(label, 0):>12,}" for each in columns.values())
        yield f"  {names[label].ljust(width)}{counts}"
    if len(labels) > len(shown):
        yield f"  … {len(labels) - len(shown):,} more"


def _class(report: Inspection, key: str, label: int) -> str:
    classes = report.classes(key)
    if classes is None:
        return str(label)
    if label == classes.ignored:
        return f"{label} (ignored)"
    name = classes.names[label] if 0 <= label < len(classes.names) else ""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)
    return f"{label} {shown}" if shown and shown != str(label) else str(label)


def _facts(report: Inspection) -> dict[str, Any]:
    parts = report.parts
    return {
        "name": parts.name,
        "notes": list(parts.notes),
        "parts": {
            name: {
                "samples": len(source),
                "keys": {key: _column(column) for key, column in report.columns[name].items()},
            }
            for name, source in parts
        },
        "keys": {
            key: {
                "role": str(field.role),
                "shape": list(field.shape),
                "type": field.dtype,
                "classes": None if (known := report.classes(key)) is None else known.count,
                "names": [] if known is None else list(known.names),
            }
            for key, field in parts.train.fields.items()
        },
        "findings": [
            {"level": "error" if each.is_error else "warning", "message": each.message, "help": each.help}
            for each in report.findings
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    counts = (
        None if column.counts is None else {str(label): number for label, number in column.counts.items()}
    )
    return {"smallest": column.low, "largest": column.high, "counts": counts}
