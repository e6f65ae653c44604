"""`netspec weights`: shows, compares, converts and imports files of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netspec import files
from netspec_cli.common import fail, load_with_sources, may_write, note, put
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.form import STYLE
from netspec_cli.options import Force, Format, Sets, Spec
from netspec_cli.streams import say, say_json

if TYPE_CHECKING:
    from netspec.exchange import Ambiguous, Imported
    from netspec.weights.figures import Differing, Figures
    from netspec.weights.held import Held

app = typer.Typer(
    **STYLE,
    no_args_is_help=True,
    help="Show, compare, convert and import files of weights, of any framework.",
)


class By(StrEnum):
    """How tensors are matched with weights."""

    name = "name"
    order = "order"


class ChannelPlace(StrEnum):
    """The place of the channels in a map that is flattened."""

    first = "first"
    last = "last"


File = Annotated[Path, typer.Argument(metavar="FILE", help="A file of weights, or the folder of a run.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="A file of weights.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write it.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="NAME", help="The tensors under this key of a checkpoint that has several."
    ),
]
Framework = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="BACKEND", help="The framework of names and layouts in a .safetensors or .npz file."
    ),
]


@contextmanager
def _reported() -> Iterator[None]:
    """Turn the errors of files of weights into messages."""
    from netspec.weights import WeightsError

    try:
        yield
    except WeightsError as error:
        fail(str(error))


# Show.


@app.command("show")
def show(file: File, key: Key = None, format: FormatOption = Format.text) -> None:
    """Show the tensors of a file: names, shapes, types, ranges, and values that are not finite."""
    from netspec.weights.figures import figures

    with _reported():
        path, held = _held(file, key)
    rows = [(name, array.shape, held.kinds[name], figures(array)) for name, array in held.tensors.items()]
    for line in held.notes:
        note(f"{path}: {line}")
    if format is Format.json:
        say_json(
            {
                "file": str(path),
                "tensors": [_facts(*row) for row in rows],
                "totals": {
                    "tensors": len(rows),
                    "numbers": sum(row[3].count for row in rows),
                    "bytes": sum(row[3].size for row in rows),
                    "not_finite": sum(row[3].not_finite for row in rows),
                },
                "notes": list(held.notes),
            }
        )
        return
    say(_shown(str(path)))
    table = [["tensor", "shape", "type", "numbers", "min", "max", "mean", "std", ""]]
    for name, shape, kind, each in rows:
        numbers = [
            f"{value:.4g}" if value == value else "-" for value in (each.low, each.high, each.mean, each.std)
        ]
        marked = f"! {each.not_finite:,} not finite" if each.not_finite else ""
        table.append([_shown(name), _size(shape), kind, f"{each.count:,}", *numbers, marked])
    for line in _lines(table, right=range(3, 8)):
        say(line)
    strange = sum(row[3].not_finite for row in rows)
    say(
        f"{len(rows):,} tensor{'s' * (len(rows) > 1)}, {sum(row[3].count for row in rows):,} numbers, "
        f"{sum(row[3].size for row in rows):,} bytes"
        + (f", {strange:,} numbers not finite" if strange else "")
    )


def _facts(name: str, shape: tuple[int, ...], kind: str, each: Figures) -> dict[str, Any]:
    numbers = {"min": each.low, "max": each.high, "mean": each.mean, "std": each.std}
    return {
        "name": name,
        "shape": list(shape),
        "type": kind,
        "numbers": each.count,
        "bytes": each.size,
        **{word: value if isfinite(value) else None for word, value in numbers.items()},
        "not_finite": each.not_finite,
    }


# Diff.


@app.command("diff")
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A file of weights, or the folder of a run.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    format: FormatOption = Format.text,
) -> None:
    """Compare two files by the names of their tensors. Exits with 1 if a name, a shape or a value differs."""
    from netspec.weights.figures import differences

    with _reported():
        first, one = _held(a, None)
        second, other = _held(b, None)
    for path, held in ((first, one), (second, other)):
        for line in held.notes:
            note(f"{path}: {line}")
    found = differences(one.tensors, other.tensors)
    kinds = [
        each.name
        for each in found
        if each.absolute is not None and one.kinds[each.name] != other.kinds[each.name]
    ]
    wrong = [each for each in found if each.what != "equal"]
    if format is Format.json:
        say_json(
            {
                "a": str(first),
                "b": str(second),
                "ok": not wrong,
                "tensors": [_difference(each, one, other) for each in found],
            }
        )
    else:
        _tell_differences(first, second, found, kinds)
    if wrong:
        raise typer.Exit(WRONG_SPEC)


def _tell_differences(first: Path, second: Path, found: Sequence[Differing], kinds: Sequence[str]) -> None:
    wrong = [each for each in found if each.what != "equal"]
    say(f"A: {_shown(str(first))}")
    say(f"B: {_shown(str(second))}")
    table = [["tensor", "differs in", "A", "B", "largest", "relative"]] if wrong else []
    for each in wrong:
        sizes = ["-" if shape is None else _size(shape) for shape in each.shapes]
        values = ["" if value is None else f"{value:.3g}" for value in (each.absolute, each.relative)]
        table.append([_shown(each.name), each.what, *sizes, *values])
    for line in _lines(table, right=(4, 5)):
        say(line)
    equal = len(found) - len(wrong)
    if kinds:
        say(
            f"{len(kinds)} tensor{'s have' if len(kinds) > 1 else ' has'} another type, such as {_shown(kinds[0])}"
        )
    if wrong:
        say(f"{len(wrong)} of {len(found)} tensors differ, {equal} are equal")
    else:
        say(f"all {len(found)} tensors are equal" if len(found) > 1 else "the only tensor is equal")


def _difference(each: Differing, one: Held, other: Held) -> dict[str, Any]:
    def number(value: float | None) -> Any:
        return "inf" if value == float("inf") else value

    return {
        "name": each.name,
        "differs_in": None if each.what == "equal" else each.what,
        "shapes": [None if shape is None else list(shape) for shape in each.shapes],
        "types": [one.kinds.get(each.name), other.kinds.get(each.name)],
        "max_abs": number(each.absolute),
        "max_rel": number(each.relative),
    }


# Convert.


@app.command("convert")
def convert(
    file: Source,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The new file; the end of its name says the format."
        ),
    ],
    spec: Annotated[
        str | None,
        typer.Option(
            "--spec", metavar="SPEC", help="The network, where names or layouts are a framework's own."
        ),
    ] = None,
    names: Framework = None,
    key: Key = None,
    sets: Sets = None,
    force: Force = False,
) -> None:
    """Write weights in another format: .safetensors, .npz, or one of a framework, whose backend says: weights.

    Without --spec, names and layouts stay. With it, the file is one of netspec or of a model that netspec built.
    """
    from netspec.exchange import converted, repacked

    if spec is None and (names is not None or sets):
        fail(f"{'--as' if names else '--set'} is for the weights of a network: name it with --spec SPEC")
    with _reported():
        if spec is None:
            may_write([out], [file], force)
            content = repacked(file, out, key, _note(file))
        else:
            graph, sources = load_with_sources(spec, sets)
            may_write([out], [*sources, file], force)
            content = converted(file, out, graph, names, key, _note(file))
    put({out: content})


# Import.


@app.command("import")
def import_(
    spec: Spec,
    file: Source,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write the weights to this .safetensors file. Default: show the table.",
        ),
    ] = None,
    by: Annotated[By | None, typer.Option("--by", help="Match only by name, or only by order.")] = None,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="MAP", help="Match by this YAML file, with a line `ours: theirs` a weight."
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "--map-template", metavar="MAP", help="Write a map to fill in, if the match is ambiguous."
        ),
    ] = None,
    names: Framework = None,
    flatten: Annotated[
        ChannelPlace | None,
        typer.Option("--flatten", help="The place of the channels where the model of FILE flattens a map."),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            "--skip", metavar="PATTERN", help="Leave out tensors of the file, such as 'aux*'. Repeatable."
        ),
    ] = None,
    key: Key = None,
    sets: Sets = None,
    force: Force = False,
    format: FormatOption = Format.text,
) -> None:
    """Bring the weights of others into a network, by name, by order or by a map, and show the table.

    Nothing is guessed: where several tensors are possible, the command says so and writes a map to fill in.
    """
    from netspec.exchange import Ambiguous, imported
    from netspec.weights.containers import as_safetensors

    if by is not None and map_file is not None:
        fail("--map says which tensor is which weight: leave out --by")
    if template is not None and map_file is not None:
        fail("--map reads a map, and --map-template writes one: leave out one of them")
    if out is not None and out.suffix.lower() != ".safetensors":
        fail(f"{out}: weights of netspec are .safetensors files (`netspec weights convert` writes others)")
    graph, sources = load_with_sources(spec, sets)
    targets = [each for each in (out, template) if each is not None]
    may_write(targets, [*sources, file, *([] if map_file is None else [map_file])], force)
    with _reported():
        try:
            found = imported(
                graph,
                file,
                names=names,
                by=None if by is None else by.value,
                map_file=map_file,
                flatten=None if flatten is None else flatten.value,
                skip=skip or (),
                key=key,
                tell=_note(file),
            )
        except Ambiguous as error:
            if template is not None:
                from netspec.marks import marked

                put({template: marked(error.template, "yaml")})
            fail("\n  ".join([str(error), *_ways_on(error, template)]))
    if template is not None:
        note(f"{template} is not written: nothing is ambiguous")
    _report(found, file, format)
    if out is not None:
        put({out: as_safetensors(found.weights)})
    elif format is Format.text:
        note("nothing is written: name the file with -o WEIGHTS.safetensors")


def _ways_on(error: Ambiguous, template: Path | None) -> Iterator[str]:
    """What to do about an ambiguous match; nothing if the file is of another network."""
    if error.can_map and template is not None:
        yield f"fill in {template}, and read it with --map {template}"
    elif error.can_map:
        yield "write a map to fill in with --map-template MAP.yaml, and read it with --map MAP.yaml"
    if error.can_order:
        yield "or, if the file has the order of the spec: --by order"


def _report(found: Imported, file: Path, format: Format) -> None:
    if format is Format.json:
        say_json(
            {
                "file": str(file),
                "framework": found.framework,
                "matched": found.how,
                "weights": [
                    {
                        "ours": line.ours,
                        "shape": list(line.shape),
                        "theirs": list(line.theirs),
                        "their_shape": list(line.their_shape),
                        "conversion": line.how,
                    }
                    for line in found.lines
                ],
                "left_out": list(found.left_out),
            }
        )
        return
    say(f"{_shown(str(file))}: names and layouts of {found.framework}, matched {found.how}")
    table = [["theirs", "shape", "ours", "shape", "conversion"]]
    for line in found.lines:
        theirs = " + ".join(map(_shown, line.theirs))
        table.append([theirs, _size(line.their_shape), line.ours, _size(line.shape), line.how])
    for text in _lines(table):
        say(text)
    say(f"{len(found.lines)} weights, all found")
    if found.left_out:
        say(f"left out: {', '.join(map(_shown, found.left_out))}")


# Common.


def _held(file: Path, key: str | None) -> tuple[Path, Held]:
    """The tensors of a file; of a run, its best weights, or the last ones."""
    from netspec.exchange import held

    path = file
    if files.is_folder(file):
        from netspec.training.claim import BEST, LAST

        path = next((file / name for name in (BEST, LAST) if files.exists(file / name)), file)
        if path == file:
            fail(f"{files.shortened(file)} is a folder without the weights of a run ({BEST}, {LAST})")
    return path, held(path, key)


def _note(file: Path) -> Any:
    return lambda line: note(f"{file}: {line}")


def _size(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "a number"


def _shown(text: str) -> str:
    """A name without characters that would change the terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _lines(table: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)] if table else []
    for row in table:
        cells = (
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
