"""Loads data: a name, a path or the mapping of a recipe becomes parts, each checked, none sharing a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

from netspec import files
from netspec.data import bits, cifar, conversion, families, npy, npz, pictures, sets, table, text
from netspec.data.arrays import agreed, arranged, of_arrays
from netspec.data.bounds import DataError
from netspec.data.obeyed import Kind, unread
from netspec.data.own import Samples, of_samples
from netspec.data.parts import PARTS, WORDS, Classes, Parts
from netspec.data.source import Changed
from netspec.ops.nearest import did_you_mean
from netspec.recipe.data import BitsData, Data, TextData
from netspec.recipe.names import KNOWN, MADE, SETS, SONNETS, STEMS, expanded, is_path

_UNUSED = "the {} part of {} is not used: the recipe names another"


def load(
    data: Data | str | Samples | Mapping[str, Samples],
    folder: Path | None = None,
    seed: int = 0,
    *,
    base: Path = Path(),
    workers: int = 2,
) -> Parts:
    """The parts of a data set: by its name, by its path, by the settings of a recipe, or samples from Python.

    Paths are relative to `base`. The files of a named set are searched first in the subfolder of `folder` with the name
    of the set, then in `folder` itself; its default is `default_folder()`. Parts by fraction or count are chosen with
    the `seed`. `workers` threads decode pictures; with 0 or 1, the caller does.

    Raises:
        DataError: the set is missing, incomplete or damaged, or is not the original.
    """
    if isinstance(data, str):
        data = Data(train=data)
    if not isinstance(data, Data):
        return of_samples(data, Data(train="own"))
    parts = _read(data.train, data, folder, base, workers, seed=seed)
    if data.validation is not None and parts.validation is not None:
        parts = replace(parts, validation=None).noting(_UNUSED.format("validation", parts.name))
    if data.test is not None and parts.test is not None:
        parts = replace(parts, test=None).noting(_UNUSED.format("test", parts.name))
    own: dict[str, float | int | None] = {}
    for name, part in (("validation", data.validation), ("test", data.test)):
        if isinstance(part, str):
            parts = _with_files(parts, name, part, data, folder, base, workers)
        else:
            own[name] = part
    return parts.of_training(own.get("validation"), own.get("test"), seed)


def _with_files(
    parts: Parts, name: str, path: str, data: Data, folder: Path | None, base: Path, workers: int
) -> Parts:
    """The set with a part from other files: their part of that name, or all of them if they have no parts.

    Raises:
        DataError: they have other parts only, or do not fit.
    """
    if path in MADE:
        raise DataError(
            f"{path}: is one set of samples, and cannot be a part beside others",
            f"take a part of it: `data: {{train: {path}, validation: 0.1, test: 0.1}}`",
        )
    files_ = _other(path, data, parts.classes if parts.own else {}, folder, base, workers)
    found = dict(files_)
    source = found.get(name) or (found["train"] if len(found) == 1 else None)
    if source is None:
        has = ", ".join(WORDS[each] for each in found)
        raise DataError(
            f"{files_.where}: has no {WORDS[name]} part: it has {has}", "name the files of that part"
        )
    return agreed(parts.having({name: source})).noting(f"{WORDS[name]}: {len(source):,} from {files_.where}")


def other(
    path: str,
    data: Data | str,
    classes: Mapping[str, Classes],
    folder: Path | None = None,
    *,
    base: Path = Path(),
    workers: int = 2,
) -> Parts:
    """Other data in all their parts, read by the settings of a recipe, with the classes of the data of the recipe.

    Raises:
        DataError: as of `load`.
    """
    settings = Data(train=path) if isinstance(data, str) else data
    settings = settings.model_copy(update={"train": path, "validation": None, "test": None})
    return _other(path, settings, classes, folder, base, workers)


def _other(
    path: str, data: Data, classes: Mapping[str, Classes], folder: Path | None, base: Path, workers: int
) -> Parts:
    """Data from other files with the classes, or the symbols of a text, that are known from the first ones."""
    settings = data
    names = [each.names for each in classes.values() if each.names]
    if names and data.text is None and is_path(path):
        settings = data.model_copy(update={"classes": names[0]})
    symbols = classes["symbols"].names if "symbols" in classes else None
    return _read(path, settings, folder, base, workers, symbols)


def _read(
    path: str,
    data: Data,
    folder: Path | None,
    base: Path,
    workers: int,
    symbols: Sequence[str] | None = None,
    seed: int = 0,
) -> Parts:
    if is_path(path):
        found = _of_path(base / expanded(path), data, base, workers, symbols)
    elif path in MADE:
        found = _made(path, data, seed)
    elif path in SETS:
        _require_obeyed(data, "named pictures" if SETS[path].form == "masks" else "named", path)
        found = sets.load(path, folder, data, workers)
    else:
        raise DataError(
            f"no data set is called {path}{did_you_mean(path, KNOWN)}",
            f"the data sets are {', '.join(KNOWN)}",
        )
    return _shaped(_naming(found, data), data)


def _made(name: str, data: Data, seed: int) -> Parts:
    """A set that needs no file."""
    if name == SONNETS:
        _require_obeyed(data, "text", name)
        return text.embedded(name, data.text or TextData())
    _require_obeyed(data, "bits", name)
    return bits.load(name, data, data.bits or BitsData(), seed)


def _shaped(parts: Parts, data: Data) -> Parts:
    """The parts with the input in the shape that the recipe says.

    Raises:
        DataError: the samples do not have so many numbers, or there are several inputs.
    """
    wanted = data.shape
    if wanted is None:
        return parts
    if len(parts.inputs) != 1:
        raise DataError(
            f"{parts.where}: has {len(parts.inputs)} inputs, and `shape` is for one", "remove `shape`"
        )
    (key,) = parts.inputs
    given = parts.shape(key)
    if prod(given) != prod(wanted):
        sizes = ("×".join(map(str, shape)) for shape in (given, wanted))
        raise DataError(
            "{}: a sample is {}, which is not {}".format(parts.where, *sizes),
            f"`shape` has {prod(wanted):,} numbers, and a sample {prod(given):,}",
        )
    return parts.mapped(lambda _, source: Changed(source, key, lambda array: array.reshape(-1, *wanted)))


def _naming(parts: Parts, data: Data) -> Parts:
    """The parts, if all keys that the recipe names are among theirs."""
    for key in (*data.inputs.values(), *data.targets.values()):
        if key not in parts.train.fields:
            raise DataError(
                f"{parts.where}: the recipe names the key {key}{did_you_mean(key, parts.train.fields)}",
                f"its keys are {', '.join(parts.train.fields)}",
            )
    return parts


def _require_obeyed(data: Data, kind: Kind, where: str | Path) -> None:
    """Refuse a setting that the reader of this kind would ignore."""
    for name, what in unread(data, kind):
        raise DataError(
            f"{where}: `{name}` is not for {what}", f"remove `{name}` from the data of the recipe"
        )


def _of_path(path: Path, data: Data, base: Path, workers: int, symbols: Sequence[str] | None) -> Parts:
    if not files.exists(path):
        fault = files.fault(path)
        missing = fault is None or files.is_missing(fault)
        why = (
            "there is no such file or folder"
            if missing
            else f"cannot be read: {files.reason(fault or OSError())}"
        )
        raise DataError(f"{files.shortened(path)}: {why}")
    if data.table is not None:
        _require_obeyed(data, "table", path)
        return table.load(path, data, data.table)
    if data.text is not None:
        _require_obeyed(data, "text", path)
        return text.load(path, data.text, base, symbols)
    return _of_folder(path, data, base, workers) if files.is_folder(path) else _of_file(path, data)


def _of_file(path: Path, data: Data) -> Parts:
    _require_arrays(path)
    _require_obeyed(data, "arrays", path)
    if fault := files.fault(path):
        raise DataError(f"{files.shortened(path)}: cannot be read: {files.reason(fault)}")
    named: dict[str, dict[str, str]] = {}
    everything: list[str] = []

    def choose(names: list[str]) -> list[str]:
        everything.extend(names)
        for part, keys in arranged(path, names, data).items():
            named[part] = dict(keys)
        return [name for keys in named.values() for name in keys.values()]

    arrays = npz.read_chosen(path, choose)
    found = {part: {key: arrays[name] for key, name in keys.items()} for part, keys in named.items()}
    parts = of_arrays(found, data, name=path.name, where=str(path))
    return parts.without([name for name in everything if name not in arrays])


def _require_arrays(path: Path) -> None:
    """Refuse files that need settings, or more files.

    Raises:
        DataError: it is one of these; the help says what to write.
    """
    kind = path.suffix.lower()
    if kind in conversion.TABLES:
        try:
            settings = conversion.of_table(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {files.reason(error)}") from error
        raise DataError(f"{path}: is a file of text; the recipe says what it holds", settings)
    if kind in conversion.PICTURES:
        advice = "put the pictures of each class into a folder with its name, and give the parent folder"
        raise DataError(f"{path}: is a single picture, and data are a folder of many", advice)
    if kind == ".npy":
        raise DataError(
            f"{path}: is a single array, and data are a folder of several",
            "put train_images.npy, train_labels.npy and so on into a folder, and give the folder",
        )
    if kind in (".mat", ".bin", ".gz") or path.name.endswith("-ubyte"):
        raise DataError(
            f"{path}: is one file of a set", f"give the folder with all of its files: {path.parent}"
        )
    if kind in (".pkl", ".pickle", ".pt", ".pth"):
        raise DataError(
            f"{path}: is a pickle; netspec never loads pickles, because a pickle can run any code",
            conversion.SAVE,
        )


def _of_folder(path: Path, data: Data, base: Path, workers: int) -> Parts:
    if fault := files.unlisted(path):
        raise DataError(f"{path}: cannot be read: {files.reason(fault)}")
    are_pictures = data.masks is not None or data.boxes is not None
    if not are_pictures and (arrays := _of_arrays(path, data)) is not None:
        return arrays
    if are_pictures or pictures.has_pictures(path):
        _require_obeyed(data, "pictures", path)
        return pictures.load(path, data, base, workers)
    if inside := next(iter(sorted(path.glob("*.npz"))), None):
        raise DataError(f"{path}: is a folder with {inside.name}", f"name the file {inside} itself")
    raise DataError(
        f"{path}: holds no data that netspec knows",
        "a folder holds pictures (a folder per class, in train/, validation/ and test/ or at once), idx files "
        f"({STEMS[0]} …), .npy files (train_images.npy …), or the binary files of CIFAR or SVHN; "
        "tables and texts need `table` or `text` in the data of the recipe",
    )


def _of_arrays(path: Path, data: Data) -> Parts | None:
    """The parts in a folder of files with arrays; None if there are none."""
    if prefixes := families.prefixes(path):
        if len(prefixes) > 1:
            raise DataError(
                f"{path}: holds several sets of idx files: {', '.join(each or 'MNIST' for each in prefixes)}",
                "put each into a folder of its own; for EMNIST, use the names emnist, emnist-letters or emnist-digits",
            )
        _require_obeyed(data, "arrays", path)
        return families.load(path, prefixes[0], data)
    if (form := cifar.form_of(path)) is not None:
        _require_obeyed(data, "arrays", path)
        return cifar.load(path, form, data, path.name)
    if files.exists(path / "train_32x32.mat"):
        _require_obeyed(data, "arrays", path)
        return sets.svhn(path, data, path.name)
    if any(path.glob("*.npy")):
        _require_obeyed(data, "arrays", path)
        return npy.load(path, data)
    return None


__all__ = ["PARTS", "load", "other"]
