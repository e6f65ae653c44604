"""Labels: whole numbers from 0, the indices of the classes. Each wrong form has its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netspec.data.bounds import DataError
from netspec.data.conversion import RENUMBER
from netspec.data.parts import WORDS, Classes, Parts
from netspec.data.source import SampleSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

LARGEST_LABEL = 2**31 - 2


def class_indices(labels: Array, key: str, where: str, axes: int = 1) -> NDArray[np.int64]:
    """The labels as int64: (N,), or (N, *spatial) with more `axes`; one column of labels counts as a vector.

    Raises:
        DataError: the labels are not whole numbers from 0, one per sample.
    """
    import numpy as np

    if labels.ndim == 2 and labels.shape[1] == 1 and axes == 1:
        labels = labels[:, 0]
    if labels.ndim != axes:
        raise DataError(f"{where}: {key} has {labels.ndim} axes", as_one_number(labels))
    if not labels.size:
        raise DataError(f"{where}: {key} holds nothing")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{where}: {key} holds {labels.dtype}", as_whole_numbers(labels))
    for extreme in (int(labels.min()), int(labels.max())):
        if not 0 <= extreme <= LARGEST_LABEL:
            advice = f"labels are the indices of the classes, from 0: {RENUMBER}"
            raise DataError(f"{where}: {key} holds {extreme}", advice)
    return labels.astype(np.int64)


def require_in_range(
    labels: Array, classes: Classes, key: str, part: str, place: Callable[[int], str], stated: str = ""
) -> None:
    """Refuse a label that is not one of the classes; the message names the first sample that has it.

    `stated` is the advice, if the data cannot give it.

    Raises:
        DataError: there is such a label.
    """
    import numpy as np

    if labels.dtype.kind not in "iub" or not labels.size:
        return
    wrong = (labels < 0) | (labels >= classes.count)
    if classes.ignored is not None:
        wrong &= labels != classes.ignored
    if not wrong.any():
        return
    label = int(labels[wrong].max()) if (labels[wrong] >= 0).any() else int(labels[wrong].min())
    at = int(np.argwhere(labels == label)[0][0])
    noun = "label" if labels.ndim == 1 else f"value in {key}"
    if labels.ndim == 1 and label == classes.count and int(labels.min()) > 0:
        how = "labels count from 0: save `labels - 1`"
    elif labels.ndim == 1:
        how = f"let `classes` in the recipe be {label + 1} or more, or correct the label"
    else:
        how = f"if {label} marks what does not count, write `ignore: {label}` in the data of the recipe"
    raise DataError(
        f"{place(at)}: has the {noun} {label} ({WORDS[part]} part), and there are {classes.count} classes, "
        f"0 to {classes.count - 1}",
        stated or how,
    )


class CheckedLabels:
    """A source whose labels are checked as they are taken, because they have to be decoded first."""

    def __init__(self, source: SampleSource, key: str, classes: Classes, part: str, advice: str = "") -> None:
        self._source, self._key, self._classes, self._part, self._advice = source, key, classes, part, advice
        self.fields, self.column, self.place = source.fields, source.column, source.place

    def __len__(self) -> int:
        return len(self._source)

    def take(self, indices: Array) -> dict[str, Array]:
        """The samples with these indices."""
        batch = self._source.take(indices)

        def place(at: int) -> str:
            return self._source.place(int(indices[at]))

        require_in_range(batch[self._key], self._classes, self._key, self._part, place, self._advice)
        return batch


def within(parts: Parts, key: str, classes: Classes, advice: str = "") -> Parts:
    """The parts, if the labels of a target are these classes: checked now, or as they are decoded.

    `advice` is shown for a wrong label, if the data cannot give it.

    Raises:
        DataError: a label is none of them.
    """

    import numpy as np

    def check(part: str, source: SampleSource) -> SampleSource:
        column = source.column(key)
        if column is None or (isinstance(column, np.memmap) and column.ndim > 1):
            return CheckedLabels(source, key, classes, part, advice)
        require_in_range(column, classes, key, part, source.place, advice)
        return source

    return replace(parts.mapped(check), classes={**parts.classes, key: classes})


def as_one_number(labels: Array) -> str:
    """Advice for labels with several numbers per sample."""
    numeric = labels.ndim == 2 and labels.size and labels.dtype.kind in "iufb"
    if numeric and ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all():
        return "labels are one whole number per sample; these are one-hot: save `labels.argmax(axis=1)`"
    return "labels are one whole number per sample"


def as_whole_numbers(labels: Array) -> str:
    """Advice for labels of another type."""
    import numpy as np

    if labels.dtype.kind == "b" or (labels.dtype.kind == "f" and (np.floor(labels) == labels).all()):
        return "labels are whole numbers from 0: save `labels.astype('int64')`"
    if labels.dtype.kind in "US":
        return f"labels are whole numbers from 0: {RENUMBER}"
    return "labels are whole numbers from 0"
