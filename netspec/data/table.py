"""Tables of numbers: a row is a sample, or a step of a time series that is cut into windows."""

from __future__ import annotations

from array import array
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.arrays import agreed, with_classes
from netspec.data.bounds import DataError
from netspec.data.parts import Classes, Parts
from netspec.data.pictures import FOLDERS
from netspec.data.source import Arrays, Purpose, SampleSource, WindowPiece, WindowSource
from netspec.data.tables import number, rows
from netspec.dataclass import dataclass
from netspec.ops.nearest import did_you_mean
from netspec.recipe.data import Data, TableData

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SUFFIXES = (".csv", ".tsv", ".txt", ".data")


@dataclass(frozen=True, slots=True)
class _Table:
    """The numbers of a file: inputs (rows, columns), targets likewise or as words, and the line of each row."""

    inputs: Any
    targets: Any
    words: tuple[str, ...]
    lines: Any
    whole: bool
    columns: tuple[str, ...]
    """The names of the columns of the inputs."""


def load(path: Path, data: Data, settings: TableData) -> Parts:
    """The parts of a table: of a file, or of a folder with `train.csv` and others.

    Raises:
        DataError: a column is missing, a cell is not a number, or a class is unknown.
    """
    paths = {"train": path}
    if files.is_folder(path):
        paths = {
            part: path / f"{name}{end}"
            for name, part in FOLDERS.items()
            for end in SUFFIXES
            if files.exists(path / f"{name}{end}")
        }
        if "train" not in paths:
            raise DataError(
                f"{path}: lacks train.csv", "a folder of tables has train.csv, validation.csv, test.csv"
            )
    tables = {part: _read(each, settings) for part, each in paths.items()}
    whole = all(table.whole for table in tables.values())
    classes = _classes(tables["train"].words, data)
    sources = {part: _source(table, settings, classes, whole, paths[part]) for part, table in tables.items()}
    known = {"targets": classes} if classes else {}
    overlap = None if settings.length is None else settings.length + settings.ahead - 1
    columns = {"samples": tables["train"].columns}
    parts = Parts(path.name, str(path), sources["train"], classes=known, overlap=overlap, columns=columns)
    parts = parts.having(sources)
    return with_classes(agreed(parts), data)


def _classes(words: tuple[str, ...], data: Data) -> Classes | None:
    """The classes of a target of words: those of the recipe, or the words of the training part, sorted."""
    if not words:
        return None
    stated = data.classes if isinstance(data.classes, tuple) else None
    names = stated or tuple(sorted(set(words)))
    return Classes(len(names), names)


def _read(path: Path, settings: TableData) -> _Table:
    """The columns of a file that the recipe names. A single target column can have words."""
    import numpy as np

    inputs, targets, lines, words = array("d"), array("d"), array("q"), list[str]()
    whole = True
    with rows(path, settings.separator, settings.header) as (names, found):
        samples = settings.inputs or [name for name in names if name not in settings.targets]
        if not samples:
            raise DataError(f"{path}: all its columns are targets")
        for name in (*samples, *settings.targets):
            if name not in names:
                raise DataError(
                    f"{path}: has no column {name}{did_you_mean(name, names)}",
                    f"its columns are {', '.join(names)}",
                )
        at = [names.index(name) for name in samples]
        to = [names.index(name) for name in settings.targets]
        for line, cells in found:
            inputs.extend(number(cells[i], path, line, names[i]) for i in at)
            lines.append(line)
            if (
                len(to) == 1
                and settings.length is None
                and (words or (not targets and not _is_number(cells[to[0]])))
            ):
                if not cells[to[0]]:
                    raise DataError(f"{path}: line {line}: the column {names[to[0]]} has nothing")
                words.append(cells[to[0]])
                continue
            targets.extend(number(cells[i], path, line, names[i]) for i in to)
            whole = whole and all(cells[i].lstrip("+-").isdecimal() for i in to)
    if not lines:
        raise DataError(f"{path}: has no row after its first line")
    _require_float32(inputs, path)
    _require_float32(targets, path)
    values = np.frombuffer(inputs, np.float64).reshape(len(lines), -1).astype(np.float32)
    goals = (
        np.frombuffer(targets, np.float64).reshape(len(lines), -1) if targets else np.empty((len(lines), 0))
    )
    return _Table(values, goals, tuple(words), np.frombuffer(lines, np.int64), whole, tuple(samples))


def _require_float32(values: array[float], path: Path) -> None:
    import numpy as np

    numbers = np.frombuffer(values, np.float64)
    if numbers.size and np.abs(numbers).max() > np.finfo(np.float32).max:
        raise DataError(f"{path}: has a number beyond float32, which ends at 3.4e38", "scale the columns")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _source(
    table: _Table, settings: TableData, classes: Classes | None, whole: bool, path: Path
) -> SampleSource:
    import numpy as np

    targets: Array = table.targets
    if classes is not None:
        known = {name: label for label, name in enumerate(classes.names)}
        for word, line in zip(table.words, table.lines, strict=True):
            if word not in known:
                raise DataError(
                    f"{path}: line {line}: the class {word!r} is none of {', '.join(classes.names)}",
                    "list all classes in the recipe: `classes: [...]`",
                )
        targets = np.array([known[word] for word in table.words], np.int64)
    elif table.words:
        raise DataError(f"{path}: has words as targets, and the training part has numbers")
    else:
        targets = targets.astype(np.int64 if whole and np.abs(targets).max() < 2**53 else np.float32)
        if targets.shape[1] == 1 and targets.dtype.kind == "i":
            targets = targets[:, 0]
    if settings.length is None:
        return Arrays(
            {"samples": table.inputs, "targets": targets},
            {"samples": Purpose.input, "targets": Purpose.target},
            partial(_line, path, table.lines),
        )
    needed = settings.length + settings.ahead
    if len(table.inputs) < needed:
        raise DataError(
            f"{path}: has {len(table.inputs):,} rows, and one sample needs {needed:,}: {settings.length} and a target "
            f"{settings.ahead} after",
            "give a smaller `length`",
        )
    starts = np.arange(len(table.inputs) - needed + 1)
    pieces = {
        "samples": WindowPiece(table.inputs, 0, settings.length, Purpose.input),
        "targets": WindowPiece(targets, needed - 1, None, Purpose.target),
    }
    return WindowSource(pieces, starts, partial(_line, path, table.lines))


def _line(path: Path, lines: Array, index: int) -> str:
    return f"{path}: line {int(lines[index])}"
