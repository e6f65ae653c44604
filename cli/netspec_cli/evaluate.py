"""`netspec evaluate`: measures a trained network on its test part, or on other data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netspec_cli.opening import (
    Backend,
    DataDir,
    Device,
    Json,
    Run,
    Trained,
    Written,
    device_of,
    failing,
    run_of,
)
from netspec_cli.options import Format
from netspec_cli.streams import complain, say, say_json

if TYPE_CHECKING:
    from netspec.training.evaluate import Evaluation, OfClass, Table
    from netspec.training.opened import Chosen

MOST_CLASSES = 60
"""The classes that the table lists; JSON has all."""
WIDEST = 12
"""The classes of the largest confusion matrix that the text shows; JSON has all."""


class Part(StrEnum):
    """A part of a data set."""

    test = "test"
    validation = "validation"
    train = "train"


def evaluate(
    run: Run,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="Other data: a named set, or a path."),
    ] = None,
    part: Annotated[
        Part | None, typer.Option("--part", help="The part that is measured. Default: test.")
    ] = None,
    weights: Trained = None,
    backend: Backend = None,
    device: Device = None,
    data_dir: DataDir = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download missing files of a named data set.")
    ] = False,
    json: Json = False,
    format: Written = Format.text,
) -> None:
    """Measure a trained network: its figures, a table of its classes, and its confusion matrix.

    The samples are prepared as in the training. With the defaults, the figures are those that the training measured at
    its end, to the bit. Other data must have the same sizes and classes.
    """
    from netspec.backend import Trains, usable
    from netspec.training.evaluate import evaluate as measured
    from netspec_cli.train import from_here

    with failing():
        opened, chosen = run_of(run, weights)
        name = backend or opened.backend
        engine = usable([name], Trains)[0]
        if fetch:
            _fetch(data or opened.recipe.source, data_dir or opened.data_dir)
        found = measured(
            opened,
            chosen,
            engine,
            from_here(data),
            None if part is None else part.value,
            data_dir=data_dir,
            device=device_of(opened, device, name),
        )
    if json or format is Format.json:
        say_json({"run": str(run), "name": opened.graph.name, "backend": name, **_facts(found, chosen)})
    else:
        say("\n".join(_text(found, chosen, name)))


def _fetch(name: str, folder: Path | None) -> None:
    from netspec.data.fetch import fetch
    from netspec.data.sets import default_folder
    from netspec.recipe.names import SETS

    if name in SETS:
        fetch(name, folder or default_folder(), tell=complain)


def _facts(found: Evaluation, weights: Chosen) -> dict[str, Any]:
    return {
        "weights": {"file": str(weights.path), "epoch": weights.epoch},
        "data": found.data,
        "part": found.part,
        "samples": found.samples,
        "figures": {name: _finite(value) for name, value in found.figures.items()},
        "outputs": [
            {
                "name": table.output,
                "elements": table.elements,
                "classes": [_of_class(each) for each in table.classes],
                "confusion": [list(row) for row in table.confusion],
            }
            for table in found.tables
        ],
    }


def _finite(value: Any) -> Any:
    """The figure as in `metrics.jsonl`: null for NaN and infinity, which JSON does not have."""
    from math import isfinite

    return None if isinstance(value, float) and not isfinite(value) else value


def _of_class(each: OfClass) -> dict[str, Any]:
    return {
        "index": each.index,
        "name": each.name,
        "count": each.count,
        "assigned": each.assigned,
        "right": each.right,
        "recall": each.recall,
        "precision": each.precision,
        "iou": each.iou,
    }


def _text(found: Evaluation, weights: Chosen, backend: str) -> Iterator[str]:
    from netspec.data.parts import WORDS
    from netspec.training.curves import figure

    after = "" if weights.epoch is None else f" (epoch {weights.epoch})"
    yield (
        f"{weights.path}{after} on {backend}: {found.samples:,} {WORDS[found.part]} "
        f"sample{'s' * (found.samples != 1)} of {found.data}"
    )
    numbers = {name: value for name, value in found.figures.items() if not isinstance(value, list)}
    width = max(map(len, numbers), default=0)
    for name, value in numbers.items():
        yield f"  {name.replace('_', ' ').ljust(width)}  {figure(name, value)}"
    for table in found.tables:
        yield ""
        yield from _classes(table)
        yield from _matrix(table)


def _classes(table: Table) -> Iterator[str]:
    shown = table.classes[:MOST_CLASSES]
    rows: list[tuple[str, ...]] = [(f"{table.output}: class", table.elements, "recall", "precision", "IoU")]
    rows += [
        (_name(each), f"{each.count:,}", _percent(each.recall), _percent(each.precision), _percent(each.iou))
        for each in shown
    ]
    yield from _columns(rows)
    if len(shown) < len(table.classes):
        yield f"… {len(table.classes) - len(shown):,} more (--json has all)"


def _matrix(table: Table) -> Iterator[str]:
    if len(table.classes) > WIDEST:
        return
    yield ""
    names = [_name(each) for each in table.classes]
    yield from _columns(
        [
            ("true \\ assigned", *(str(each.index) for each in table.classes)),
            *(
                (name, *(f"{number:,}" for number in row))
                for name, row in zip(names, table.confusion, strict=True)
            ),
        ]
    )


def _name(each: OfClass) -> str:
    number = str(each.index)
    plain = each.name.isprintable() and each.name.strip() == each.name != ""
    return number if each.name == number else f"{number} {each.name if plain else repr(each.name)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lines of a table: the first column to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()
