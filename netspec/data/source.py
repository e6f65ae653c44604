"""Samples by index: what every reader gives and every training takes. A batch is a mapping of keys to arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

from netspec.data.bounds import DataError
from netspec.dataclass import dataclass
from netspec.recipe.names import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Batch = dict[str, Array]


UNITS: Mapping[str, float] = {"uint8": 255.0, "uint16": 65535.0}
"""What the values of images of a type are divided by."""


class Purpose(StrEnum):
    """What an array of samples is for."""

    input = "input"
    target = "target"
    unused = "unused"


@dataclass(frozen=True, slots=True)
class Field:
    """One array of a sample: its shape (channels first), its type as NumPy names it (`uint8`), and its role."""

    shape: Shape
    dtype: str
    role: Purpose

    @property
    def unit(self) -> float:
        """What the values are divided by when they are prepared: bytes and 16-bit numbers become 0 to 1."""
        return UNITS.get(self.dtype, 1.0)

    @property
    def nbytes(self) -> int:
        """The bytes of one sample."""
        import numpy as np

        return prod(self.shape) * np.dtype(self.dtype).itemsize


class SampleSource(Protocol):
    """A sequence of samples, each an array per key. It does not change while it is used."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """The arrays of a sample, by key."""
        ...

    def __len__(self) -> int: ...

    def take(self, indices: Array) -> Batch:
        """The samples with these indices, stacked: (len(indices), *shape) by key, in their stored types.

        Raises:
            DataError: a sample cannot be read any more, or is not what its source says.
        """
        ...

    def column(self, key: str) -> Array | None:
        """All samples of a key without a copy, or None where they would have to be decoded first."""
        ...

    def place(self, index: int) -> str:
        """The sample in a message: its file, or its index."""
        ...


def nbytes(source: SampleSource) -> int:
    """The bytes of all samples, decoded."""
    return len(source) * sum(field.nbytes for field in source.fields.values())


def in_memory(source: SampleSource) -> SampleSource:
    """The same samples, all decoded, in memory."""
    import numpy as np

    if all(source.column(key) is not None for key in source.fields):
        return source
    whole = source.take(np.arange(len(source)))
    return Arrays(whole, {key: field.role for key, field in source.fields.items()}, source.place)


def numbered(where: str) -> Callable[[int], str]:
    """Names samples by their index, counted from 0."""
    return lambda index: f"{where}: sample {index}"


class Arrays:
    """Samples in arrays (N, *shape): in memory, or mapped from files.

    Mapped ones are checked as they are taken; `guard` refuses files that have become shorter: reading those would end
    the process.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        roles: Mapping[str, Purpose],
        place: Callable[[int], str],
        guard: Callable[[], None] | None = None,
    ) -> None:
        self._arrays, self.place, self._guard = dict(arrays), place, guard
        self.fields: Mapping[str, Field] = {
            key: Field(tuple(array.shape[1:]), str(array.dtype), roles[key]) for key, array in arrays.items()
        }

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def take(self, indices: Array) -> Batch:
        """The samples with these indices."""
        import numpy as np

        if self._guard is not None:
            self._guard()
        batch = {key: np.ascontiguousarray(array[indices]) for key, array in self._arrays.items()}
        if self._guard is not None:
            for key, array in batch.items():
                self._check_finite(key, array, indices)
        return batch

    def column(self, key: str) -> Array | None:
        """The whole array."""
        return self._arrays[key]

    def _check_finite(self, key: str, array: Array, indices: Array) -> None:
        import numpy as np

        if array.dtype.kind != "f" or np.isfinite(array).all():
            return
        broken = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        raise DataError(f"{self.place(int(indices[~broken][0]))}: {key} holds numbers that are not finite")


class Decoded:
    """Samples that are decoded when they are taken, by `workers` threads; `ready` are arrays in memory beside them.

    `decode` gives the other keys of one sample, with the shapes and types of `fields`.
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
        ready: Mapping[str, Array],
        decode: Callable[[int], Mapping[str, Array]],
        count: int,
        place: Callable[[int], str],
        workers: int = 2,
    ) -> None:
        self.fields: Mapping[str, Field] = fields
        self.place = place
        self._ready, self._decode, self._count, self._workers = dict(ready), decode, count, workers
        self._pool: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, indices: Array) -> Batch:
        """The samples with these indices, decoded now."""
        import numpy as np

        decoded = [key for key in self.fields if key not in self._ready]
        batch = {
            key: np.empty((len(indices), *self.fields[key].shape), self.fields[key].dtype) for key in decoded
        }

        def one(at: int) -> None:
            for key, array in self._decode(int(indices[at])).items():
                batch[key][at] = array

        if self._workers > 1 and len(indices) > 1:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers, "netspec-decode")
            list(self._pool.map(one, range(len(indices))))
        else:
            for at in range(len(indices)):
                one(at)
        return {
            key: batch[key] if key in batch else np.ascontiguousarray(self._ready[key][indices])
            for key in self.fields
        }

    def column(self, key: str) -> Array | None:
        """The array of a key that needs no decoding."""
        return self._ready.get(key)


@dataclass(frozen=True, slots=True)
class WindowPiece:
    """A part of each window: `length` rows from `offset` on; without a length, one row."""

    array: Any
    offset: int
    length: int | None
    role: Purpose

    @property
    def field(self) -> Field:
        """Rows of several columns are channels first: (columns, length)."""
        rows = () if self.length is None else (self.length,)
        return Field((*self.array.shape[1:], *rows), str(self.array.dtype), self.role)


class WindowSource:
    """Samples that are windows of one long array, which is kept once."""

    def __init__(self, pieces: Mapping[str, WindowPiece], starts: Array, place: Callable[[int], str]) -> None:
        self._pieces, self._starts, self.place = dict(pieces), starts, place
        self.fields: Mapping[str, Field] = {key: piece.field for key, piece in pieces.items()}

    def __len__(self) -> int:
        return len(self._starts)

    def take(self, indices: Array) -> Batch:
        """The windows with these indices."""
        import numpy as np

        batch = {}
        for key, piece in self._pieces.items():
            rows = self._starts[indices] + piece.offset
            if piece.length is not None:
                rows = rows[:, None] + np.arange(piece.length)
            taken = piece.array[rows]
            if piece.length is not None and taken.ndim == 3:
                taken = np.moveaxis(taken, 2, 1)
            batch[key] = np.ascontiguousarray(taken)
        return batch

    def column(self, key: str) -> Array | None:
        """The values of a key with one row a window; longer ones overlap, and are not copied."""
        piece = self._pieces[key]
        return piece.array[self._starts + piece.offset] if piece.length is None else None


class Subset:
    """Some samples of a source, in this order."""

    def __init__(self, source: SampleSource, indices: Array) -> None:
        self._source, self._indices = source, indices
        self.fields: Mapping[str, Field] = source.fields

    def __len__(self) -> int:
        return len(self._indices)

    def take(self, indices: Array) -> Batch:
        """The samples with these indices, counted in the choice."""
        return self._source.take(self._indices[indices])

    def column(self, key: str) -> Array | None:
        """The chosen values."""
        whole = self._source.column(key)
        return None if whole is None else whole[self._indices]

    def place(self, index: int) -> str:
        """The sample as its own source names it."""
        return self._source.place(int(self._indices[index]))


class Changed:
    """A source with one key changed batch by batch, as by a new axis: `change` maps (N, …) to (N, …)."""

    def __init__(self, source: SampleSource, key: str, change: Callable[[Array], Array]) -> None:
        import numpy as np

        self._source, self._key, self._change = source, key, change
        field = source.fields[key]
        seen = change(np.empty((1, *field.shape), field.dtype))
        self.fields: Mapping[str, Field] = {
            **source.fields,
            key: replace(field, shape=tuple(seen.shape[1:]), dtype=str(seen.dtype)),
        }
        self.place = source.place

    def __len__(self) -> int:
        return len(self._source)

    def take(self, indices: Array) -> Batch:
        """The samples with these indices, changed."""
        import numpy as np

        batch = self._source.take(indices)
        return {**batch, self._key: np.ascontiguousarray(self._change(batch[self._key]))}

    def column(self, key: str) -> Array | None:
        """The values of the source, changed for the one key."""
        whole = self._source.column(key)
        return self._change(whole) if whole is not None and key == self._key else whole


def chosen(source: SampleSource, indices: Sequence[int] | Array) -> SampleSource:
    """Some samples of a source, in this order."""
    import numpy as np

    return Subset(source, np.asarray(indices, np.int64))


def first(source: SampleSource, count: int | None) -> SampleSource:
    """The first samples of a source; None keeps all."""
    import numpy as np

    return source if count is None or count >= len(source) else Subset(source, np.arange(count))
