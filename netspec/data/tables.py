"""Reads CSV files row by row: a header, cells, and errors with the line. The memory is that of the numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from netspec import files
from netspec.data.bounds import LARGEST, DataError

_LONGEST_CELL = 1 << 16
_LONGEST_LINE = 1 << 24


@contextmanager
def rows(
    path: Path, separator: str, header: bool = True
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The names of the columns, and the other rows with their lines; every row has a cell per column.

    Without a header, columns are named by their number from 0.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or a row has another number of cells.
    """
    try:
        with files.open_plain(path) as stream:
            text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
            csv.field_size_limit(_LONGEST_CELL)
            reader = csv.reader(_lines(text, path), delimiter=separator, strict=True, skipinitialspace=True)
            first = next(reader, [])
            if not first:
                raise DataError(f"{path}: is empty", "the first line has the names of the columns")
            names = [name.strip() if header else str(at) for at, name in enumerate(first)]
            if twice := [name for name in names if names.count(name) > 1]:
                raise DataError(f"{path}: has two columns called {twice[0]!r}")
            found = reader if header else chain([first], reader)
            yield names, _checked(path, reader, found, len(names))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start:,})", "save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: is not a table: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error


def _lines(text: IO[str], path: Path) -> Iterator[str]:
    """The lines of a table; a file with no line end would fill the memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise DataError(f"{path}: has a line of more than {_LONGEST_LINE:,} characters")
        yield line


def _checked(
    path: Path, reader: Any, rows: Iterable[list[str]], columns: int
) -> Iterator[tuple[int, list[str]]]:
    total = 0
    for cells in rows:
        line = reader.line_num
        if not cells:
            continue
        total += sum(map(len, cells))
        if total > LARGEST:
            raise DataError(f"{path}: is larger than any table")
        if len(cells) != columns:
            raise DataError(f"{path}: line {line} has {len(cells)} cells, and the first line has {columns}")
        yield line, [cell.strip() for cell in cells]


def number(cell: str, path: Path, line: int, column: str) -> float:
    """The number in a cell.

    Raises:
        DataError: it is none, or not finite.
    """
    try:
        found = float(cell)
    except ValueError:
        what = f"{cell[:40]!r}, which is not a number" if cell else "nothing"
        raise DataError(f"{path}: line {line}: the column {column} has {what}") from None
    if found != found or found in (float("inf"), float("-inf")):
        raise DataError(f"{path}: line {line}: the column {column} has {cell}, which is not finite")
    return found
