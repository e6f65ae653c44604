"""Looks at every sample of a set, a few at a time: ranges, counts of classes, and what looks wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from netspec.data.arrays import size
from netspec.data.bounds import DataError
from netspec.data.conversion import FROM_0
from netspec.data.parts import PARTS, WORDS, Classes, Parts
from netspec.data.source import Field, Purpose, SampleSource
from netspec.dataclass import dataclass
from netspec.types import channels_last

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_SHOWN = 5
"""The examples that a finding names."""
_BYTES = 1 << 24
"""About as many bytes of samples are looked at together."""
_MOST_CLASSES = 100_000
_LARGEST_SCALED = 20.0


@dataclass(frozen=True, slots=True)
class Column:
    """What a key of a part holds: the smallest and the largest value, and for whole-number targets the counts."""

    low: float
    high: float
    counts: Mapping[int, int] | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that looks wrong. An error is a sample that cannot be read; everything else may be meant."""

    message: str
    help: str = ""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a set holds: for each part, for each key, its column; and what looks wrong."""

    parts: Parts
    columns: Mapping[str, Mapping[str, Column]]
    findings: tuple[Finding, ...]

    def classes(self, key: str) -> Classes | None:
        """The classes of a target: those that are known, or as many as its largest label says."""
        if key in self.parts.classes:
            return self.parts.classes[key]
        counts = [part[key].counts for part in self.columns.values() if key in part]
        known = [max(each) for each in counts if each]
        return Classes(max(known) + 1) if known else None


def inspect(parts: Parts) -> Inspection:
    """Look at every sample once. Samples that cannot be read are findings, not exceptions."""
    looks = {name: _Look(name, source) for name, source in parts}
    for look in looks.values():
        look.run()
    columns = {name: look.columns() for name, look in looks.items()}
    report = Inspection(parts, columns, ())
    findings = [
        *(finding for look in looks.values() for finding in look.errors()),
        *_on_shapes(parts),
        *_on_ranges(parts, columns),
        *_on_labels(report),
        *_on_duplicates(looks),
    ]
    return Inspection(parts, columns, tuple(findings))


class _Look:
    """One pass through a part."""

    def __init__(self, name: str, source: SampleSource) -> None:
        self.name, self.source = name, source
        self._lows: dict[str, float] = {}
        self._highs: dict[str, float] = {}
        self._counts: dict[str, Counter[int]] = {}
        self.broken: list[DataError] = []
        self.digests: dict[bytes, int] = {}
        """For each different sample, the first index that has it."""
        self.twice: list[tuple[int, int]] = []
        self._labels: dict[str, list[Array]] = {}

    def run(self) -> None:
        import numpy as np

        each = sum(field.nbytes for field in self.source.fields.values())
        step = max(1, min(4096, _BYTES // max(each, 1)))
        for at in range(0, len(self.source), step):
            indices = np.arange(at, min(at + step, len(self.source)))
            try:
                self._see(self.source.take(indices), indices)
            except DataError:
                for index in indices:
                    self._see_one(int(index))

    def _see_one(self, index: int) -> None:
        import numpy as np

        one = np.array([index])
        try:
            self._see(self.source.take(one), one)
        except DataError as error:
            self.broken.append(error)

    def _see(self, batch: Mapping[str, Array], indices: Array) -> None:
        import numpy as np

        for key, array in batch.items():
            self._lows[key] = min(self._lows.get(key, np.inf), float(array.min()))
            self._highs[key] = max(self._highs.get(key, -np.inf), float(array.max()))
            field = self.source.fields[key]
            if field.role is not Purpose.input and array.dtype.kind in "uib":
                counts = self._counts.setdefault(key, Counter())
                if len(counts) <= _MOST_CLASSES:
                    values, numbers = np.unique(array, return_counts=True)
                    counts.update(dict(zip(map(int, values), map(int, numbers), strict=True)))
        inputs = [key for key, field in self.source.fields.items() if field.role is Purpose.input]
        for row, index in enumerate(indices):
            digest = hashlib.blake2b(digest_size=16)
            for key in inputs:
                digest.update(np.ascontiguousarray(batch[key][row]).data)
            first = self.digests.setdefault(digest.digest(), int(index))
            if first != index:
                self.twice.append((first, int(index)))

    def columns(self) -> dict[str, Column]:
        """What the keys hold."""
        return {
            key: Column(self._lows[key], self._highs[key], self._counted(key))
            for key in self.source.fields
            if key in self._lows
        }

    def _counted(self, key: str) -> dict[int, int] | None:
        counts = self._counts.get(key)
        return None if counts is None or len(counts) > _MOST_CLASSES else dict(sorted(counts.items()))

    def errors(self) -> Iterator[Finding]:
        """The samples that cannot be read."""
        for error in self.broken[:MOST_SHOWN]:
            yield Finding(str(error), error.help, is_error=True)
        if len(self.broken) > MOST_SHOWN:
            more = len(self.broken) - MOST_SHOWN
            yield Finding(f"{more:,} more {WORDS[self.name]} samples cannot be read", is_error=True)


# What looks wrong.


def _on_shapes(parts: Parts) -> Iterator[Finding]:
    for key in parts.inputs:
        if channels_last(parts.shape(key)):
            yield Finding(
                f"{key} are {size(parts.shape(key))}: their channels seem to be last",
                f"write `layout: last` in the data of the recipe, or save `numpy.moveaxis({key}, -1, 1)`",
            )


def _on_ranges(parts: Parts, columns: Mapping[str, Mapping[str, Column]]) -> Iterator[Finding]:
    """Floats and whole numbers that are not scaled; bytes are divided by 255."""
    for key in parts.inputs:
        field = parts.train.fields[key]
        known = [part[key] for part in columns.values() if key in part]
        if not known or field.dtype in ("uint8", "uint16", "bool") or not _is_scaled_by_recipe(field, parts):
            continue
        low, high = min(each.low for each in known), max(each.high for each in known)
        if max(abs(low), abs(high)) <= _LARGEST_SCALED:
            continue
        what = "floats" if field.dtype.startswith("f") else f"whole numbers ({field.dtype})"
        how = "scale each value, or use `normalise: measured` in the recipe"
        if low >= 0 and high <= 255 and prod(field.shape) > 1 and len(field.shape) > 1:
            how = f"pixels are bytes: save `{key}.astype('uint8')`; or `normalise: {{mean: 0, std: 255}}` in the recipe"
        yield Finding(f"{key} are {what} from {low:g} to {high:g}, which are not scaled", how)


def _is_scaled_by_recipe(field: Field, parts: Parts) -> bool:
    """Whether a recipe could scale these: indices of symbols are not scaled."""
    return not any(key in parts.classes for key in parts.inputs if parts.train.fields[key] is field)


def _on_labels(report: Inspection) -> Iterator[Finding]:
    parts = report.parts
    for key in parts.targets:
        train = report.columns["train"][key].counts if key in report.columns["train"] else None
        classes = report.classes(key)
        if not train or classes is None:
            continue
        ignored = {classes.ignored}
        found = {
            name: set(part[key].counts or {}) - ignored
            for name, part in report.columns.items()
            if key in part
        }
        everything = set().union(*found.values())
        if min(everything) == 1 and max(everything) == len(everything) and key not in parts.classes:
            yield Finding(f"{key} start at 1: they are 1 to {max(everything)}", FROM_0)
            continue
        negative = sorted(label for label in everything if label < 0)
        if negative:
            yield Finding(f"{key} hold {negative[0]}", "labels are the indices of the classes, from 0")
            continue
        if classes.count > _MOST_CLASSES and key in parts.classes:
            continue
        if len(everything) <= classes.count // 2 and key not in parts.classes:
            if len(everything) > 1:
                yield Finding(
                    f"{key} have {len(everything):,} different values, up to {max(everything):,}",
                    "labels are the indices of the classes, from 0",
                )
            continue
        empty = [
            label
            for label in range(classes.count)
            if label not in found["train"] and label != classes.ignored
        ]
        if empty:
            yield Finding(
                f"{_listed(classes, empty)} no training sample{_elsewhere(found, empty)}",
                "a network does not learn a class without samples: add some, or remove the class",
            )


def _listed(classes: Classes, empty: list[int]) -> str:
    names = ", ".join(classes.name(label) for label in empty[:MOST_SHOWN])
    more = f" and {len(empty) - MOST_SHOWN:,} more" if len(empty) > MOST_SHOWN else ""
    return f"the class {names} has" if len(empty) == 1 else f"the classes {names}{more} have"


def _elsewhere(found: Mapping[str, set[int]], empty: list[int]) -> str:
    for name in PARTS[1:]:
        if count := len(found.get(name, set()) & {*empty}):
            return f", but {count} of them have {WORDS[name]} samples" if len(empty) > 1 else (
                f", but it has {WORDS[name]} samples"
            )  # fmt: skip
    return ""


def _on_duplicates(looks: Mapping[str, _Look]) -> Iterator[Finding]:
    """Samples in two parts make the test figures too good; samples that appear twice in a part are reported, too."""
    names = list(looks)
    for at, name in enumerate(names):
        for other in names[at + 1 :]:
            a, b = looks[name], looks[other]
            if both := [(a.digests[each], b.digests[each]) for each in a.digests.keys() & b.digests.keys()]:
                first, second = min(both)
                yield Finding(
                    f"{len(both):,} {'sample is' if len(both) == 1 else 'samples are'} in the {WORDS[name]} and the "
                    f"{WORDS[other]} part, as {a.source.place(first)} and {b.source.place(second)}",
                    "remove them from one part: a network is not tested with what it has seen",
                )
    for name, look in looks.items():
        if look.twice:
            first, second = look.twice[0]
            yield Finding(
                f"{len(look.twice):,} of {len(look.source):,} {WORDS[name]} samples appear before in the same part, as "
                f"{look.source.place(second)}, which is {look.source.place(first)}"
            )
