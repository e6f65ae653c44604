"""Advice to convert tables and pictures into an .npz file, as code that can be pasted into Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
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
_ENTRIES = 2000
_LABEL = re.compile(r"(class|label|target|y|category|species)(_?(id|name))?", re.IGNORECASE)
_WHOLE_NUMBERS = """\
rows[:, {}].astype(float)
if (labels % 1).any(): raise ValueError("labels must be whole numbers; this version has no regression")
labels = labels.astype(int)"""
_SPLIT = """\
test = numpy.random.default_rng(0).permutation(len(labels)) % 5 == 0  # a fifth, at random
numpy.savez({out!r}, train_images=samples[~test], train_labels=labels[~test],
            test_images=samples[test], test_labels=labels[test])"""


def of_table(path: Path) -> str:
    """Advice for a table of text: the column with the labels, as far as it can be guessed, and how to save it."""
    lines = files.read(path, _FIRST_LINES).decode("utf-8", "replace").splitlines()
    first, second = [*lines[:2], "", ""][:2]
    by = max(",;\t ", key=first.count)
    names = [name.strip().strip('"') for name in first.split(by)]
    values = [value.strip().strip('"') for value in second.split(by)] if second else names
    header = not any(map(_is_number, names)) and any(map(_is_number, values))
    column = _label_column(names, values if header else names, header)
    quoted = ", quotechar='\"'" if '"' in first + second else ""
    words = not _is_number((values if header else names)[column])
    which = f"column {column}, {names[column]!r}," if header else f"column {column}"
    if not words and (broken := _not_whole(lines[header:], by, column)):
        how = "name the column of the labels `label` in the first line"
        how = (
            how
            if header
            else "add a first line with the names of the columns, and name that of the labels `label`"
        )
        return (
            f"{which} has {broken}, but labels are whole numbers: this version trains classifiers and has no "
            f"regression; if another column has the labels (the first is 0), {how}"
        )
    labels = (
        f"numpy.unique(rows[:, {column}], return_inverse=True)[1]" if words else _WHOLE_NUMBERS.format(column)
    )
    code = f"""\
import numpy
rows = numpy.loadtxt({str(path)!r}, str, delimiter={by!r}, skiprows={int(header)}, comments=None{quoted})
labels = {labels}
samples = numpy.delete(rows, {column}, axis=1).astype("float32")
{_SPLIT.format(out=str(path.with_suffix(".npz")))}"""
    return f"convert it, if {which} has the labels and the others are numbers (the first column is 0):\n{_in(code)}"


def _not_whole(lines: Sequence[str], by: str, column: int) -> str | None:
    """The first number in a column that is not whole, as written."""
    for line in lines:
        value = "".join(line.split(by)[column : column + 1]).strip().strip('"')
        if _is_number(value) and not float(value).is_integer():
            return value
    return None


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


def of_pictures(folder: Path) -> str | None:
    """Advice for pictures in one folder per class, in two parts or in one; None if there are no pictures."""
    parts = [name for name in ("train", "test", "val", "valid", "validation") if _classes(folder / name)]
    if len(parts) >= 2 and parts[0] == "train":
        return _pictures(
            _PARTS.format(folder=str(folder), test=parts[1], out=f"{folder}.npz", kinds=PICTURES)
        )
    if _classes(folder):
        split = _SPLIT.format(out=f"{folder}.npz")
        return _pictures(_WHOLE.format(folder=str(folder), kinds=PICTURES, split=split))
    return None


def has_pictures(folder: Path) -> bool:
    """Whether this folder itself contains pictures."""
    return any(each.suffix.lower() in PICTURES for each in _inside(folder))


def _classes(folder: Path) -> bool:
    return any(has_pictures(each) for each in islice(_inside(folder), 50) if each.is_dir())


def _inside(folder: Path) -> list[Path]:
    """Some of the entries of a folder, enough to see what it contains."""
    try:
        return sorted(islice(folder.iterdir(), _ENTRIES))
    except OSError:
        return []


_OPEN = 'Image.open(file).convert("RGB").resize((64, 64))'
_PARTS = f"""\
import numpy
from pathlib import Path
from PIL import Image
kinds = {{kinds}}
root, arrays = Path({{folder!r}}), {{{{}}}}
classes = sorted(each.name for each in (root / "train").iterdir() if each.is_dir())
for part, name in {{{{"train": "train", "test": {{test!r}}}}}}.items():
    files = [file for file in sorted((root / name).glob("*/*")) if file.suffix.lower() in kinds]
    pictures = numpy.stack([{_OPEN} for file in files])
    arrays[f"{{{{part}}}}_images"] = numpy.moveaxis(pictures, -1, 1)
    arrays[f"{{{{part}}}}_labels"] = numpy.array([classes.index(file.parent.name) for file in files])
numpy.savez({{out!r}}, **arrays)"""
_WHOLE = f"""\
import numpy
from pathlib import Path
from PIL import Image
kinds = {{kinds}}
files = [file for file in sorted(Path({{folder!r}}).glob("*/*")) if file.suffix.lower() in kinds]
classes = sorted({{{{file.parent.name for file in files}}}})
pictures = numpy.stack([{_OPEN} for file in files])
samples = numpy.moveaxis(pictures, -1, 1)
labels = numpy.array([classes.index(file.parent.name) for file in files])
{{split}}"""


def _pictures(code: str) -> str:
    return f"convert it with Pillow; here every picture becomes 3@64×64, whatever its size:\n{_in(code)}"


def of_names(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    """Advice for an archive with the four arrays under other names; general advice if the names are not clear."""
    found = {key: [name for name in names if _stands_for(name, key)] for key in wanted}
    has = ", ".join(names) or "nothing"
    if any(len(each) != 1 for each in found.values()):
        return f"it has {has}; {SAVE}"
    renamed = ", ".join(f"{key}=file[{each[0]!r}]" for key, each in found.items())
    out = str(path.with_name(f"{path.stem}_netspec.npz"))
    code = f"import numpy\nfile = numpy.load({str(path)!r})\nnumpy.savez({out!r}, {renamed})"
    return f"it has {has}; save them under the names that netspec reads:\n{_in(code)}"


def _stands_for(name: str, key: str) -> bool:
    """Whether a name such as `x_train`, `trainX` or `train_data` can stand for `train_images`."""
    part, kind = key.split("_")
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]", name)
    known = {
        "images": ("x", "image", "images", "data", "samples"),
        "labels": ("y", "label", "labels", "targets"),
    }
    lower = [word.lower() for word in words]
    return part in lower and any(word in lower for word in known[kind])


def _in(code: str) -> str:
    return "\n".join(f"  {line}" for line in code.splitlines())
