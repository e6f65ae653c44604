"""`netspec shapes`: prints one line per layer, and the totals."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli.common import load_spec
from netspec_cli.options import Sets, Spec
from netspec_cli.sizes import UNAVAILABLE, size
from netspec_cli.streams import rule, say, say_json

if TYPE_CHECKING:
    from netspec.analysis import Shapes

HEADINGS = ("layer", "op", "output", "parameters", "MACs", "receptive field", "memory")


class TableFormat(StrEnum):
    """How the report is written."""

    table = "table"
    json = "json"


def shapes(
    spec: Spec,
    format: Annotated[
        TableFormat, typer.Option("--format", help="How to write the report.")
    ] = TableFormat.table,
    sets: Sets = None,
) -> None:
    """Show type, parameters, MACs, receptive field and memory of every layer, and the totals."""
    from netspec.analysis import analyze

    graph = load_spec(spec, sets)
    found = analyze(graph)
    if format is TableFormat.json:
        say_json(found.as_dict())
    else:
        say(table(found))


def table(found: Shapes) -> str:
    """A table of the layers, and the totals below."""
    from netspec.analysis.costs import FLOAT_BYTES

    report = found.as_dict()
    rows = [
        [name, "input", str(type_), "", "", "", size(FLOAT_BYTES * type_.elements)]
        for name, type_ in found.inputs.items()
    ]
    rows += [
        [
            layer.name,
            layer.op,
            str(layer.type),
            f"{layer.params:,}" if layer.params else "",
            UNAVAILABLE if layer.macs is None else f"{layer.macs:,}" if layer.macs else "",
            UNAVAILABLE if layer.receptive is None else str(layer.receptive),
            size(layer.bytes),
        ]
        for layer in found.layers
    ]
    return "\n".join([report["name"], "", *columns([list(HEADINGS), *rows]), "", *_totals(report)])


def columns(rows: list[list[str]]) -> list[str]:
    """Rows as lines. The first row has the headings; the first three columns are words, the others numbers."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if index < 3 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], rule(max(map(len, lines))), *lines[1:]]


def _totals(report: dict[str, object]) -> list[str]:
    totals = report["totals"]
    assert isinstance(totals, dict)
    memory = totals["memory"]
    macs = UNAVAILABLE if totals["macs"] is None else f"{totals['macs']:,}"
    rows = [
        ("layers", f"{totals['layers']:,}"),
        ("parameters", f"{totals['params']:,}, {totals['trainable']:,} of them trainable"),
        ("MACs", macs),
        ("activations", f"{totals['activations']:,} values per sample"),
        ("weights", size(memory["weights_bytes"])),
        ("inference", f"{size(memory['inference_bytes'])}: weights and the two largest consecutive tensors"),
        (
            "training",
            f"{size(memory['training_bytes_per_sample'])} per sample: input and all outputs; plus the weights",
        ),
    ]
    width = max(len(name) for name, _ in rows)
    return [f"{name.ljust(width)}  {value}" for name, value in rows]
