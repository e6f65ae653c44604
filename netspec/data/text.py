"""Text as samples: windows of symbols, and as their targets the next symbols."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.bounds import DataError
from netspec.data.parts import Classes, Parts
from netspec.data.pictures import FOLDERS
from netspec.data.source import Purpose, SampleSource, WindowPiece, WindowSource
from netspec.recipe.data import TextData

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN = "<unk>"
"""A symbol of a vocabulary that stands for all that are not in it."""
_EMBEDDED = Path(__file__).with_name("embedded")
_LARGEST = 1 << 30
"""The largest text, 1 GiB."""
_PIECE = 1 << 20
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\s": " ", r"\\": "\\"}


def load(path: Path, settings: TextData, base: Path, symbols: Sequence[str] | None = None) -> Parts:
    """The parts of a text: of a file, or of a folder with `train.txt` and others; with the `symbols` of another set.

    Raises:
        DataError: a file is not UTF-8, or too short, or has a symbol that the vocabulary lacks.
    """
    paths = {"train": path}
    if files.is_folder(path):
        paths = {
            part: path / f"{name}.txt" for name, part in FOLDERS.items() if files.exists(path / f"{name}.txt")
        }
        if "train" not in paths:
            raise DataError(
                f"{path}: lacks train.txt", "a folder of texts has train.txt, validation.txt, test.txt"
            )
    texts = {part: _symbols(_read(each), settings) for part, each in paths.items()}
    if settings.vocabulary is not None:
        vocabulary = read_vocabulary(base / settings.vocabulary, settings)
    else:
        vocabulary = tuple(sorted(set(texts["train"])) if symbols is None else symbols)
    sources = {part: _source(text, vocabulary, settings, paths[part]) for part, text in texts.items()}
    classes = {key: Classes(len(vocabulary), vocabulary) for key in ("symbols", "targets")}
    return Parts(path.name, str(path), sources["train"], classes=classes, overlap=0).having(sources)


def embedded(name: str, settings: TextData) -> Parts:
    """The parts of a text that is part of the package; its characters are those of tiny Shakespeare (Karpathy 2015)."""
    if settings.vocabulary is None and settings.unit == "characters":
        settings = settings.model_copy(update={"vocabulary": str(_EMBEDDED / "characters.txt")})
    found = load(_EMBEDDED / f"{name}.txt", settings, Path())
    return replace(found, name=name, where=name, own=False)


def _read(path: Path) -> str:
    try:
        content = files.read(path, _LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
    if len(content) > _LARGEST:
        raise DataError(f"{path}: is larger than 1 GiB", "split it into several texts")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start:,})", "save it as UTF-8") from error


def symbols_of(path: Path, settings: TextData) -> Sequence[str]:
    """The symbols of a file.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    return _symbols(_read(path), settings)


def _symbols(text: str, settings: TextData) -> Sequence[str]:
    return text if settings.unit == "characters" else text.split()


def read_vocabulary(path: Path, settings: TextData) -> tuple[str, ...]:
    r"""The symbols of a vocabulary file, one a line; `\n`, `\t`, `\r`, `\s` and `\\` stand for themselves escaped.

    Raises:
        DataError: a line is empty, holds more than one symbol, or appears twice.
    """
    lines = _read(path).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        symbol = re.sub(r"\\[ntrs\\]", lambda match: _ESCAPES[match[0]], line.removesuffix("\r"))
        one = (
            len(symbol) == 1
            if settings.unit == "characters"
            else bool(symbol) and not re.search(r"\s", symbol)
        )
        if not one and symbol != UNKNOWN:
            what = "a character" if settings.unit == "characters" else "a word without spaces"
            raise DataError(
                f"{path}: line {number} is {line[:40]!r}, and a symbol is {what}",
                r"a line holds one symbol; write a space as \s and a line end as \n",
            )
        if symbol in found:
            raise DataError(f"{path}: line {number} is {line!r}, as line {found[symbol]} is")
        found[symbol] = number
    if not found:
        raise DataError(f"{path}: is empty")
    return tuple(found)


def indices(symbols: Sequence[str], vocabulary: Sequence[str], path: Path) -> NDArray[Any]:
    """The indices of symbols in a vocabulary.

    Raises:
        DataError: a symbol is not in it, and it does not have the symbol for unknown ones.
    """
    import numpy as np

    known = {symbol: index for index, symbol in enumerate(vocabulary)}
    unknown = known.get(UNKNOWN, -1)
    if isinstance(symbols, str):
        found = _of_characters(symbols, known, unknown)
    else:
        found = np.fromiter((known.get(symbol, unknown) for symbol in symbols), np.int32, len(symbols))
    if found.size and found.min() < 0:
        at = int(np.flatnonzero(found < 0)[0])
        raise DataError(
            f"{path}: symbol {at:,} (from 0), {symbols[at]!r}, is not in the vocabulary of {len(vocabulary):,} symbols",
            f"name a file with all symbols as `vocabulary`; a line {UNKNOWN} in it stands for all others",
        )
    return found


def _of_characters(text: str, known: Mapping[str, int], unknown: int) -> NDArray[Any]:
    """The indices of characters, by a table of all code points, a piece at a time: a loop would take minutes."""
    import numpy as np

    table = np.full(0x110000, unknown, np.int32)
    for symbol, index in known.items():
        if len(symbol) == 1:
            table[ord(symbol)] = index
    found = np.empty(len(text), np.int32)
    for at in range(0, len(text), _PIECE):
        codes = np.frombuffer(text[at : at + _PIECE].encode("utf-32-le"), "<u4")
        found[at : at + len(codes)] = table[codes]
    return found


def _source(
    symbols: Sequence[str], vocabulary: Sequence[str], settings: TextData, path: Path
) -> SampleSource:
    import numpy as np

    whole = indices(symbols, vocabulary, path)
    count = (len(whole) - 1) // settings.length
    if count < 1:
        raise DataError(
            f"{path}: has {len(whole):,} symbols, and one sample needs {settings.length + 1:,}",
            "give a smaller `length`",
        )
    pieces = {
        "symbols": WindowPiece(whole, 0, settings.length, Purpose.input),
        "targets": WindowPiece(whole, 1, settings.length, Purpose.target),
    }
    return WindowSource(pieces, np.arange(count) * settings.length, partial(_place, path, settings.length))


def _place(path: Path, length: int, index: int) -> str:
    return f"{path}: symbols {index * length:,} to {(index + 1) * length - 1:,}"
