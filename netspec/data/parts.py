"""A data set in its parts: training, validation and test, with the facts that training and reports need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from netspec.data.bounds import DataError
from netspec.data.choice import choose, wanted
from netspec.data.source import Changed, Purpose, SampleSource, chosen, first
from netspec.recipe.names import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PARTS = ("train", "validation", "test")
WORDS = {"train": "training", "validation": "validation", "test": "test"}
"""The part in a sentence."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a target: their number, their names if they have any, and the ignored index of a map."""

    count: int
    names: tuple[str, ...] = ()
    ignored: int | None = None

    def name(self, index: int) -> str:
        """The name of a class, or its number."""
        return self.names[index] if index < len(self.names) else str(index)


@dataclass(frozen=True, eq=False)
class Parts:
    """A loaded data set. Its parts have the same fields and share no sample.

    `classes` has an entry for each target whose classes are known from the set or the recipe; for other whole-number
    targets, the number of classes is the largest label plus 1. `notes` say how the parts were made. With `overlap`,
    samples follow each other in time, so parts are cut from the end and not chosen at random, and that many samples
    between two parts, which share rows with the next part, are left out. `columns` has the names of the columns of a
    table for the keys that are made of them. `unused` are the arrays of a file that are nothing of this.
    """

    name: str
    where: str
    train: SampleSource
    validation: SampleSource | None = None
    test: SampleSource | None = None
    classes: Mapping[str, Classes] = field(default_factory=dict)
    own: bool = True
    overlap: int | None = None
    notes: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The keys of the inputs."""
        return self._with(Purpose.input)

    @property
    def targets(self) -> tuple[str, ...]:
        """The keys of the targets."""
        return self._with(Purpose.target)

    def _with(self, role: Purpose) -> tuple[str, ...]:
        return tuple(key for key, field in self.train.fields.items() if field.role is role)

    def shape(self, key: str) -> Shape:
        """The shape of one sample of a key, channels first."""
        return self.train.fields[key].shape

    def __iter__(self) -> Iterator[tuple[str, SampleSource]]:
        """The parts that there are, with their names."""
        for name in PARTS:
            source: SampleSource | None = getattr(self, name)
            if source is not None:
                yield name, source

    def mapped(self, change: Callable[[str, SampleSource], SampleSource]) -> Parts:
        """The set with every part changed; `change` gets its name, too."""
        return self.having({name: change(name, source) for name, source in self})

    def having(self, sources: Mapping[str, SampleSource]) -> Parts:
        """The set with these parts in the place of its own; the others stay."""
        return replace(
            self,
            train=sources.get("train", self.train),
            validation=sources.get("validation", self.validation),
            test=sources.get("test", self.test),
        )

    def noting(self, note: str) -> Parts:
        """The set with one more note."""
        return replace(self, notes=(*self.notes, note))

    def without(self, unused: Sequence[str]) -> Parts:
        """The set, noting which arrays of its files are not used."""
        if not unused:
            return self
        return replace(self, unused=tuple(unused)).noting(f"not used: {', '.join(unused)}")

    def limited(
        self, train: int | None = None, validation: int | None = None, test: int | None = None
    ) -> Parts:
        """The set with only the first samples of each part; None keeps all."""
        limits = {"train": train, "validation": validation, "test": test}
        return self.mapped(lambda name, source: first(source, limits[name]))

    def seen_as(self, key: str, wanted: Shape) -> Parts:
        """The set for an input of a network with this shape: samples without a channel axis get one.

        Samples with two axes have channels and time if the network takes sequences; else they are one-channel images.
        """
        axes = len(self.shape(key))
        if len(wanted) == axes + 1 or (axes == 2 and len(wanted) != 2):
            return self.with_channel(key)
        return self

    def with_channel(self, key: str) -> Parts:
        """The set with a channel axis of size 1 before the other axes of a key."""
        return self.mapped(lambda _, source: Changed(source, key, lambda array: array[:, None]))

    def of_training(self, validation: float | int | None, test: float | int | None, seed: int) -> Parts:
        """The set with parts taken from its training part, by fractions or counts of it; None keeps a part as it is.

        The test part is chosen first, so it does not depend on the validation part.

        Raises:
            DataError: a part would be empty.
        """
        import numpy as np

        total = len(self.train)
        counts = {
            name: wanted(part, total, WORDS[name], self.where)
            for name, part in (("test", test), ("validation", validation))
            if part is not None
        }
        if sum(counts.values()) >= total:
            raise DataError(
                f"{self.where}: {' and '.join(f'{n:,} for {WORDS[name]}' for name, n in counts.items())} leave "
                f"nothing to train on: there are {total:,} samples",
                "give smaller parts",
            )
        rest, found, notes = np.arange(total), {}, []
        labels = None if self.overlap is not None else self._labels()
        for stream, (name, count) in enumerate(counts.items()):
            if self.overlap is not None:
                found[name], rest = rest[len(rest) - count :], rest[: len(rest) - count - self.overlap]
                how = "the last of the training samples"
                if self.overlap:
                    how += f"; {self.overlap:,} before them share rows with them, and are left out"
            else:
                found[name], rest = choose(rest, count, seed, stream, labels)
                by = "" if labels is None else ", the same share of every class"
                how = f"of the {total:,} training samples, chosen by the seed {seed}{by}"
            notes.append(f"{WORDS[name]}: {count:,} {how}")
        if not len(rest):
            raise DataError(f"{self.where}: no sample is left to train on", "give smaller parts")
        if not counts:
            return self
        parts = {name: chosen(self.train, indices) for name, indices in {"train": rest, **found}.items()}
        return replace(self.having(parts), notes=(*self.notes, *notes))

    def _labels(self) -> Array | None:
        """The labels by which parts are stratified: the only target with one whole number per sample."""
        columns = [self.train.column(key) for key in self.targets if not self.shape(key)]
        whole = [column for column in columns if column is not None and column.dtype.kind in "iub"]
        return whole[0] if len(whole) == 1 == len(columns) else None
