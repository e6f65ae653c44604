"""Advice for data in another form: settings of the recipe for tables, Python that saves arrays under other names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from netspec import files

TABLES = (".csv", ".tsv", ".txt", ".data")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
SAVE = 'save the arrays with `numpy.savez("own.npz", train_images=…, train_labels=…, test_images=…, test_labels=…)`'
"""Advice for users who already have arrays."""
RENUMBER = "save `numpy.searchsorted(numpy.union1d(train_labels, test_labels), labels)`"
"""Advice that numbers labels of any kind from 0.

In advice, `labels`, `images` and `samples` stand for those of each part.
"""
FROM_0 = "labels count from 0: save `labels - 1`"

_FIRST_LINES = 1 << 20
_LABEL = re.compile(r"(class|label|target|y|category|species)(_?(id|name))?", re.IGNORECASE)


def of_table(path: Path) -> str:
    """Advice for a table of text: settings of the recipe, with the target column as far as they can be guessed."""
    lines = files.read(path, _FIRST_LINES).decode("utf-8", "replace").splitlines()
    first, second = [*lines[:2], "", ""][:2]
    if path.suffix.lower() == ".txt" and not any(map(_is_number, re.split(r"[,;\s]+", f"{first} {second}"))):
        return f"for a text, write in the recipe:\n  data: {{train: {_quoted(str(path))}, text: {{length: 100}}}}"
    by = max(",;\t ", key=first.count)
    names = [name.strip().strip('"') for name in first.split(by)]
    values = [value.strip().strip('"') for value in second.split(by)] if second else names
    header = not any(map(_is_number, names)) and any(map(_is_number, values))
    column = _label_column(names, values if header else names, header)
    settings = [f"targets: {_quoted(names[column] if header else str(column))}"]
    settings += [] if header else ["header: false"]
    settings += [] if by == "," else ['separator: "\\t"' if by == "\t" else f'separator: "{by}"']
    which = f"the column {names[column]!r}" if header else f"column {column} (the first is 0)"
    return (
        f"if {which} has the targets and the others are the samples, write in the recipe:\n"
        f"  data: {{train: {_quoted(str(path))}, test: 0.2, table: {{{', '.join(settings)}}}}}"
    )


def _quoted(text: str) -> str:
    """A text in YAML, also within a mapping on one line."""
    plain = re.fullmatch(r"[A-Za-z_/][\w/. -]*[\w/.-]|[A-Za-z_]", text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label_column(names: Sequence[str], values: Sequence[str], header: bool) -> int:
    """The column with a name for labels; else the only column of words; else the last column."""
    named = [at for at, name in enumerate(names) if header and _LABEL.fullmatch(name)]
    words = [at for at, value in enumerate(values) if not _is_number(value)]
    found = named or (words if len(words) == 1 else [])
    return found[0] if found and found[0] < len(values) else len(names) - 1


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def of_names(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    """Advice for an archive with the four arrays under other names; general advice if the names are not clear."""
    has = ", ".join(names) or "nothing"
    return renamed(path, names, wanted) or f"it has {has}; {SAVE}"


def of_parts(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    """Advice for an archive in which a part lacks arrays that another one has."""
    absent = [key for key in wanted if key not in names]
    return renamed(path, names, wanted) or (
        f"it has {', '.join(names)}; every part has the same arrays: save {' and '.join(absent)}, too"
    )


def renamed(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Advice that saves the arrays of an archive under our names, if theirs are clear."""
    found = {
        key: [key] if key in names else [name for name in names if _stands_for(name, key)] for key in wanted
    }
    if any(len(each) != 1 for each in found.values()):
        return None
    pairs = ", ".join(f"{key}=file[{each[0]!r}]" for key, each in found.items())
    out = str(path.with_name(f"{path.stem}_netspec.npz"))
    code = f"import numpy\nfile = numpy.load({str(path)!r})\nnumpy.savez({out!r}, {pairs})"
    return f"it has {', '.join(names)}; save them under the names that netspec reads:\n{_in(code)}"


def _stands_for(name: str, key: str) -> bool:
    """Whether a name such as `x_train`, `trainX` or `train_data` can stand for `train_images`."""
    part, _, kind = key.partition("_")
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]", name)
    known = {
        "images": ("x", "image", "images", "data", "samples"),
        "labels": ("y", "label", "labels", "targets"),
    }
    lower = [word.lower() for word in words]
    return part in lower and any(word in lower for word in known.get(kind, ()))


def _in(code: str) -> str:
    return "\n".join(f"  {line}" for line in code.splitlines())
