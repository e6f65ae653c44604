"""Files that a user gives to a trained network, as samples in the form in which it was trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data import decoding, npy, npz, text
from netspec.data.bounds import DataError
from netspec.data.conversion import PICTURES
from netspec.data.source import Field, Purpose
from netspec.data.tables import number, rows
from netspec.ops.nearest import did_you_mean
from netspec.recipe.data import Data, TableData
from netspec.training.preparation import Fed, Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ARRAYS = (".npy", ".npz")
TABLES = (".csv", ".tsv", ".txt", ".data")


@dataclass(frozen=True, eq=False)
class ReadSample:
    """One sample of a file: its arrays by the names of inputs. `place` says which, if the file has several."""

    file: Path
    inputs: Mapping[str, Any]
    place: str = ""


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that cannot be read, or does not fit; the others go on."""

    file: Path
    message: str
    help: str = ""


@dataclass(frozen=True)
class Reader:
    """Reads files for a network that takes these inputs (a vocabulary for those that are indices)."""

    preparation: Preparation
    vocabularies: Mapping[str, int | None]
    data: Data | str
    resize: bool = False
    tell: Callable[[str], None] = lambda line: None

    def __call__(self, paths: Sequence[Path]) -> Iterator[ReadSample | BrokenFile]:
        """The samples of these files, one after the other."""
        for path in paths:
            try:
                yield from self._samples(path)
            except DataError as error:
                yield BrokenFile(path, str(error), error.help)

    @property
    def settings(self) -> Data:
        """The data of the recipe."""
        return Data(train=self.data) if isinstance(self.data, str) else self.data

    def _samples(self, path: Path) -> Iterator[ReadSample]:
        fault = files.fault(path)
        if fault is not None:
            missing = files.is_missing(fault)
            raise DataError(
                f"{path}: "
                + ("there is no such file" if missing else f"cannot be read: {files.reason(fault)}")
            )
        kind = path.suffix.lower()
        if kind == ".npz":
            yield from self._of_archive(path)
            return
        name, fed = self._only(path)
        if kind == ".npy":
            yield from self._of_arrays(path, {name: npy.one_array(path)})
        elif kind in PICTURES:
            yield ReadSample(path, {name: self._picture(path, fed)})
        elif self.settings.table is not None and kind in TABLES:
            yield from self._rows(path, name, fed, self.settings.table)
        elif self.settings.text is not None:
            yield ReadSample(path, {name: self._text(path, fed)})
        else:
            takes = _takes(fed, self.settings, self.vocabularies[name])
            raise DataError(f"{path}: is not a {takes}", f"the network takes {takes}")

    def _only(self, path: Path) -> tuple[str, Fed]:
        inputs = self.preparation.inputs
        if len(inputs) > 1:
            raise DataError(
                f"{path}: has one array, and the network takes {len(inputs)}: {', '.join(inputs)}",
                f"give .npz files with {', '.join(each.key for each in inputs.values())}",
            )
        return next(iter(inputs.items()))

    # Pictures.

    def _picture(self, path: Path, fed: Fed) -> Array:
        if (
            fed.columns
            or len(fed.shape) != 3
            or fed.shape[0] not in (1, 3)
            or fed.dtype
            not in (
                None,
                "uint8",
                "uint16",
            )
        ):
            of = "×".join(map(str, fed.shape))
            what = f"{of} numbers" if fed.dtype is None else f"{of} numbers of the type {fed.dtype}"
            raise DataError(f"{path}: is a picture, and the network takes {what}", "give .npy or .npz files")
        settings = self.settings
        field = Field(fed.shape, fed.dtype or "uint8", Purpose.input)
        array, changed = decoding.one_picture(
            path, field, self.resize or settings.size is not None, settings.channels is not None
        )
        if changed:
            self.tell(f"{path} {changed}")
        return _scaled(fed, array)

    # Arrays.

    def _of_archive(self, path: Path) -> Iterator[ReadSample]:
        inputs = self.preparation.inputs
        names: dict[str, str] = {}

        def choose(members: list[str]) -> list[str]:
            for name, fed in inputs.items():
                known = [each for each in (fed.key, name, f"test_{fed.key}") if each in members]
                if not known and len(members) == len(inputs) == 1:
                    known = members
                if not known:
                    raise DataError(
                        f"{path}: has no array {fed.key}{did_you_mean(fed.key, members)}",
                        f"it has {', '.join(members) or 'nothing'}",
                    )
                names[name] = known[0]
            return list(dict.fromkeys(names.values()))

        arrays = npz.read_chosen(path, choose)
        yield from self._of_arrays(path, {name: arrays[key] for name, key in names.items()})

    def _of_arrays(self, path: Path, given: Mapping[str, Array]) -> Iterator[ReadSample]:
        arrays = {name: self._array(path, name, array) for name, array in given.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if len({*counts.values()}) > 1:
            raise DataError(
                f"{path}: has {' and '.join(f'{count:,} samples of {name}' for name, count in counts.items())}"
            )
        count = next(iter(counts.values()))
        for at in range(count):
            place = f"[{at}]" if count > 1 else ""
            yield ReadSample(path, {name: array[at] for name, array in arrays.items()}, place)

    def _array(self, path: Path, name: str, array: Array) -> Array:
        """Samples (N, *shape) of an input, of an array with them or with one of them."""
        import numpy as np

        fed = self.preparation.inputs[name]
        whole = self._shaped(path, fed, array)
        if not len(whole):
            raise DataError(f"{path}: holds no sample")
        vocabulary = self.vocabularies[name]
        if whole.dtype.kind not in "uifb" or (vocabulary is not None and whole.dtype.kind not in "ui"):
            wanted = "numbers" if vocabulary is None else "whole numbers, the indices of symbols"
            raise DataError(f"{path}: holds {whole.dtype}, and {name} takes {wanted}")
        if vocabulary is not None:
            if whole.size and not 0 <= int(whole.min()) <= int(whole.max()) < vocabulary:
                raise DataError(
                    f"{path}: has indices from {whole.min()} to {whole.max()}, and {name} takes 0 to {vocabulary - 1}"
                )
            return whole
        unit = Field((), str(whole.dtype), Purpose.input).unit
        if fed.unit is not None and unit != fed.unit:
            raise DataError(
                f"{path}: holds {whole.dtype}, which is divided by {unit:g}; the training data were divided by "
                f"{fed.unit:g}",
                "save it in the type of the training data",
            )
        if whole.dtype.kind == "f" and not np.isfinite(whole).all():
            raise DataError(f"{path}: holds numbers that are not finite")
        return _scaled(fed, whole)

    def _shaped(self, path: Path, fed: Fed, array: Array) -> Array:
        import numpy as np

        last = self.settings.layout == "last" and len(fed.shape) > 1
        wanted = (*fed.shape[1:], fed.shape[0]) if last else fed.shape
        bare = fed.shape[1:] if fed.shape[:1] == (1,) else None
        for shape, moves in ((wanted, last), (bare, False)):
            if shape is None:
                continue
            many = array if array.shape[1:] == shape else array[None] if array.shape == shape else None
            if many is not None and len(fed.shape) > len(shape):
                many = many[:, None]
            if many is not None:
                return np.moveaxis(many, -1, 1) if moves else many
        sizes = "×".join(map(str, wanted))
        raise DataError(
            f"{path}: is {'×'.join(map(str, array.shape)) or 'a single number'}, and the network was trained on "
            f"{sizes}",
            f"give one sample ({sizes}), or several (N×{sizes})",
        )

    # Tables.

    def _rows(self, path: Path, name: str, fed: Fed, settings: TableData) -> Iterator[ReadSample]:
        import numpy as np

        lines, found = [], []
        with rows(path, settings.separator, settings.header) as (names, cells):
            wanted = (
                fed.columns
                or settings.inputs
                or tuple(each for each in names if each not in settings.targets)
            )
            for each in wanted:
                if each not in names:
                    raise DataError(
                        f"{path}: has no column {each}{did_you_mean(each, names)}",
                        f"the network was trained on the columns {', '.join(wanted)}",
                    )
            at = [names.index(each) for each in wanted]
            for line, row in cells:
                lines.append(line)
                found.append([number(row[i], path, line, names[i]) for i in at])
        if not found:
            raise DataError(f"{path}: has no row after its first line")
        values = np.array(found, np.float64).astype(np.float32)
        if not np.isfinite(values).all():
            raise DataError(f"{path}: has a number beyond float32, which ends at 3.4e38")
        length = settings.length
        if length is None:
            for line, row_ in zip(lines, self._array(path, name, values), strict=True):
                yield ReadSample(path, {name: row_}, f":{line}")
            return
        if len(values) < length:
            raise DataError(f"{path}: has {len(values):,} rows, and a sample needs {length:,}")
        for end in range(length, len(values) + 1):
            window = np.ascontiguousarray(values[end - length : end].T)
            yield ReadSample(path, {name: self._array(path, name, window[None])[0]}, f":{lines[end - 1]}")

    # Texts.

    def _text(self, path: Path, fed: Fed) -> Array:
        """The last symbols of a text, as many as the network takes."""
        import numpy as np

        settings = self.settings.text
        assert settings is not None
        symbols = text.symbols_of(path, settings)
        length = fed.shape[0]
        found = text.indices(symbols, fed.symbols, path)
        if len(found) < length:
            raise DataError(
                f"{path}: has {len(found):,} symbols, and the network takes {length:,}", "give a longer text"
            )
        return np.asarray(found[len(found) - length :])


def _scaled(fed: Fed, array: Array) -> Array:
    """Numbers whose type the training does not say, in the way in which a training would scale them."""
    unit = Field((), str(array.dtype), Purpose.input).unit
    if fed.dtype is not None or unit == 1:
        return array
    scaled: Array = array.astype("float32") / array.dtype.type(unit).astype("float32")
    return scaled


def _takes(fed: Fed, settings: Data, vocabulary: int | None) -> str:
    if settings.table is not None:
        return "table (.csv), or array (.npy, .npz)"
    if settings.text is not None:
        return "text, or array (.npy, .npz)"
    if vocabulary is None and len(fed.shape) == 3 and fed.shape[0] in (1, 3):
        return "picture, or array (.npy, .npz)"
    return "array (.npy, .npz)"


def files_of(words: Sequence[str]) -> list[Path]:
    """The files that words on a command line mean: files, all files in folders, the matches of patterns.

    Raises:
        DataError: a folder or a pattern has no file.
    """
    found: list[Path] = []
    for word in words:
        path = Path(word)
        if files.is_folder(path):
            if fault := files.unlisted(path):
                raise DataError(f"{path}: cannot be read: {files.reason(fault)}")
            known = (*PICTURES, *ARRAYS, *TABLES)
            inside = sorted(
                each
                for each in path.rglob("*")
                if each.suffix.lower() in known and not each.name.startswith(".") and each.is_file()
            )
            if not inside:
                raise DataError(f"{path}: has no picture, array, table or text")
            found += inside
        elif re.search(r"[*?\[]", word) and not files.exists(path):
            matches = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
            if not matches:
                raise DataError(f"{word}: no file matches this pattern")
            found += [each for each in matches if not files.is_folder(each)]
        else:
            found.append(path)
    return list(dict.fromkeys(found))
