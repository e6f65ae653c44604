"""Reads the CSV file with one box per picture: file, left, top, right, bottom, and a class if there is one."""

from __future__ import annotations

from pathlib import Path

from netspec.data.bounds import DataError
from netspec.data.tables import number, rows
from netspec.dataclass import dataclass
from netspec.ops.nearest import did_you_mean

COLUMNS = ("file", "left", "top", "right", "bottom")
LABEL = "class"


@dataclass(frozen=True, slots=True)
class BoxRow:
    """The box of one picture (left, top, right, bottom), its class as written, and its line in the file."""

    box: tuple[float, ...]
    label: str | None
    line: int


def read(path: Path) -> dict[str, BoxRow]:
    """The boxes by the names of the files, which are relative to the folder of the pictures.

    Raises:
        DataError: a column is missing, a number is wrong, or a file has two boxes.
    """
    found: dict[str, BoxRow] = {}
    with rows(path, ",") as (names, lines):
        if absent := [name for name in COLUMNS if name not in names]:
            raise DataError(
                f"{path}: has no column {absent[0]}{did_you_mean(absent[0], names)}",
                f"its first line names the columns {', '.join(COLUMNS)}, and {LABEL} if there are classes",
            )
        for line, cells in lines:
            row = dict(zip(names, cells, strict=True))
            name = row["file"]
            if not name or Path(name).is_absolute() or ".." in Path(name).parts:
                raise DataError(f"{path}: line {line}: {name!r} is not a file in the folder of the pictures")
            if name in found:
                raise DataError(
                    f"{path}: line {line}: {name} has a box in line {found[name].line} already; this version takes one "
                    "box per picture"
                )
            box = tuple(number(row[column], path, line, column) for column in COLUMNS[1:])
            found[name] = BoxRow(box, row.get(LABEL), line)
    if not found:
        raise DataError(f"{path}: holds no box")
    return found
