"""What an output of a network answers for one sample: classes with probabilities, a mask, a box, bits, numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from netspec.data.parts import Classes
from netspec.ops.base import Meaning
from netspec.recipe.model import Reading
from netspec.training.preparation import Asked
from netspec.types import Type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Kind = Literal["class", "mask", "steps", "next", "bits", "box", "values", "map"]
MOST_VALUES = 1_000
"""The largest answer in numbers that is given in full; of a larger one, the range is given."""
SHOWN = 6
"""The numbers that a line shows."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One answer: its facts for JSON, its words for a line, and what can be drawn or kept of it."""

    kind: Kind
    facts: Mapping[str, Any]
    words: str
    mask: Any = None
    box: tuple[float, ...] | None = None
    map: Any = None
    classes: Classes | None = None


@dataclass(frozen=True)
class AnswerOutput:
    """An output of a network, as its answers are read."""

    name: str
    type: Type
    meaning: Meaning
    asked: Asked = field(default_factory=Asked)
    is_text: bool = False
    """Whether its steps are the next symbols of a text."""

    @property
    def reading(self) -> Reading:
        """How it is read: as its loss says, else by its meaning."""
        if self.asked.reading is not None:
            return self.asked.reading
        return _BY_MEANING.get(self.meaning, "numbers")

    @property
    def classes(self) -> Classes:
        """Its classes; without names they are numbers."""
        return self.asked.classes or Classes(max(self.type.channels or 1, 2))

    @property
    def kind(self) -> Kind:
        """The kind of its answers."""
        axes = len(self.type.sizes)
        if self.asked.is_box:
            return "box"
        if self.reading == "numbers":
            return "map" if axes else "values"
        if self.is_text and axes == 1:
            return "next"
        if axes == 1:
            return "steps"
        if axes:
            return "mask"
        return "bits" if self.reading == "bits" and (self.type.channels or 1) > 1 else "class"


_BY_MEANING: Mapping[Meaning, Reading] = {
    Meaning.PROBABILITIES: "classes",
    Meaning.INDEPENDENT: "bits",
    Meaning.DISTANCES: "nearest",
}


def answer(head: AnswerOutput, array: Array, top: int) -> Answer:
    """The answer in one output of one sample, channels first."""
    return _ANSWERS[head.kind](head, array, top)


def probabilities(head: AnswerOutput, array: Array) -> Array:
    """The probabilities of the classes (channels first), or of ones for bits, in float64."""
    import numpy as np

    x = array.astype(np.float64)
    if head.meaning in (Meaning.PROBABILITIES, Meaning.INDEPENDENT):
        return x
    if head.reading == "bits":
        return np.exp(-np.logaddexp(0, -x))
    powers = np.exp(x - x.max(axis=0, keepdims=True))
    return np.asarray(powers / powers.sum(axis=0, keepdims=True))


def _indices(head: AnswerOutput, array: Array) -> Any:
    """The class of every position: the largest, the first of equals; the nearest; a bit that is likelier than not."""
    if head.reading == "nearest":
        return array.argmin(axis=0)
    if head.reading == "bits" and (head.type.channels or 1) == 1:
        limit = 0.5 if head.meaning is Meaning.INDEPENDENT else 0.0
        return (array[0] > limit).astype("int64")
    return array.argmax(axis=0)


def _ranked(head: AnswerOutput, array: Array, top: int) -> tuple[dict[str, Any], str]:
    """The first classes of a vector, and their words."""
    import numpy as np

    if head.reading == "nearest":
        values, order, what = array, np.argsort(array, kind="stable"), "distance"
    else:
        values, what = probabilities(head, array), "probability"
        if head.reading == "bits":  # one number is that of class 1
            values = np.array([1 - values[0], values[0]])
        order = np.argsort(-values, kind="stable")
    found: list[dict[str, Any]] = [
        {"index": int(at), "name": head.classes.name(int(at)), what: float(values[at])} for at in order[:top]
    ]
    shown = ", ".join(f"{_printable(each['name'])} {_share(each[what], what)}" for each in found)
    return {**found[0], "top": found}, shown


def _class(head: AnswerOutput, array: Array, top: int) -> Answer:
    facts, words = _ranked(head, array.reshape(-1), top)
    return Answer("class", facts, words)


def _next(head: AnswerOutput, array: Array, top: int) -> Answer:
    facts, words = _ranked(head, array[:, -1], top)
    return Answer("next", facts, words)


def _steps(head: AnswerOutput, array: Array, top: int) -> Answer:
    if head.reading == "bits" and (head.type.channels or 1) > 1:
        return _bits(head, array, top)
    indices = _indices(head, array)
    names = [head.classes.name(int(each)) for each in indices]
    shown = " ".join(_printable(each) for each in names[: 4 * SHOWN])
    facts = {"indices": indices.tolist(), "names": names}
    return Answer("steps", facts, shown + " …" * (len(names) > 4 * SHOWN))


def _mask(head: AnswerOutput, array: Array, top: int) -> Answer:
    import numpy as np

    if head.reading == "bits" and (head.type.channels or 1) > 1:
        return _map(head, probabilities(head, array), top)
    indices = _indices(head, array)
    counts = np.bincount(indices.ravel(), minlength=head.classes.count)
    order = [int(at) for at in np.argsort(-counts, kind="stable") if counts[at]]
    shares: list[dict[str, Any]] = [
        {"index": at, "name": head.classes.name(at), "share": float(counts[at] / indices.size)}
        for at in order
    ]
    words = ", ".join(f"{_printable(each['name'])} {_share(each['share'])}" for each in shares[:SHOWN])
    more = f", {len(shares) - SHOWN} more" if len(shares) > SHOWN else ""
    return Answer("mask", {"shares": shares}, words + more, mask=indices, classes=head.classes)


def _bits(head: AnswerOutput, array: Array, top: int) -> Answer:
    found = probabilities(head, array)
    bits = (found > 0.5).astype(int)
    words = (
        " ".join(f"{bit} ({_share(share)})" for bit, share in zip(bits.flat, found.flat, strict=True))
        if (found.size <= SHOWN)
        else "".join(map(str, bits.ravel()[: 8 * SHOWN])) + " …" * (found.size > 8 * SHOWN)
    )
    return Answer("bits", {"bits": bits.tolist(), "probabilities": found.tolist()}, words)


def _box(head: AnswerOutput, array: Array, top: int) -> Answer:
    names = ("left", "top", "right", "bottom")
    box = tuple(float(each) for each in array.reshape(-1))
    words = ", ".join(f"{name} {value:.1f}" for name, value in zip(names, box, strict=True))
    return Answer("box", dict(zip(names, box, strict=True)), words, box=box)


def _values(head: AnswerOutput, array: Array, top: int) -> Answer:
    flat = array.reshape(-1)
    if flat.size > MOST_VALUES:
        return _map(head, array, top)
    words = ", ".join(f"{value:.6g}" for value in flat[:SHOWN].tolist())
    return Answer("values", {"values": flat.tolist()}, words + ", …" * (flat.size > SHOWN))


def _map(head: AnswerOutput, array: Array, top: int) -> Answer:
    low, high, mean = float(array.min()), float(array.max()), float(array.mean(dtype="float64"))
    facts = {"shape": list(array.shape), "smallest": low, "largest": high, "mean": mean}
    size = "×".join(map(str, array.shape))
    return Answer("map", facts, f"{size} numbers, {low:.6g} to {high:.6g}", map=array)


def _share(value: float, what: str = "probability") -> str:
    return f"{value:.6g}" if what == "distance" else f"{100 * value:.2f} %"


def _printable(name: str) -> str:
    """A name on one line: a space or a line end is escaped, as in Python."""
    plain = name.isprintable() and name.strip() == name and name
    return name if plain else repr(name)


_ANSWERS: Mapping[Kind, Callable[[AnswerOutput, Any, int], Answer]] = {
    "class": _class,
    "mask": _mask,
    "steps": _steps,
    "next": _next,
    "bits": _bits,
    "box": _box,
    "values": _values,
    "map": _map,
}
