"""The arrays of the sets that netspec knows, by their shapes and types, before any file is read. Imports no NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from netspec.data.arrays import role_of
from netspec.data.parts import Classes, Parts
from netspec.data.source import Field, Purpose
from netspec.recipe.data import BitsData, Data, TextData
from netspec.recipe.names import BITS, MADE, SETS, SONNETS, Shape

if TYPE_CHECKING:
    from netspec.data.source import Array, Batch

CHARACTERS = 65
"""The characters of the vocabulary of the sonnets; the last one, `z`, is in them."""


class Outline:
    """A source whose samples are not known: it has their fields, and the `largest` of class indices."""

    def __init__(
        self, name: str, fields: Mapping[str, Field], count: int, largest: Mapping[str, int]
    ) -> None:
        self.name, self.fields, self._count, self.largest = name, fields, count, largest

    def __len__(self) -> int:
        return self._count

    def take(self, indices: Array) -> Batch:
        """Samples, of which there are none."""
        raise NotImplementedError("an outline has no samples")

    def column(self, key: str) -> None:
        """The samples of a key, which are not known."""

    def place(self, index: int) -> str:
        """The set in a message, for no sample is known."""
        return self.name

    def seen(self, key: str, shape: Shape) -> Outline:
        """The same source with samples of another shape."""
        fields = {**self.fields, key: replace(self.fields[key], shape=shape)}
        return Outline(self.name, fields, self._count, self.largest)


@dataclass(frozen=True, eq=False)
class Outlined(Parts):
    """A set of which only the fields are known."""

    def with_channel(self, key: str) -> Outlined:
        """The set with a channel axis of size 1 before the other axes of a key."""
        return replace(self, train=outline(self).seen(key, (1, *self.shape(key))))


def outline(parts: Outlined) -> Outline:
    """The training part."""
    assert isinstance(parts.train, Outline)
    return parts.train


def outlined(data: Data | str) -> Outlined | None:
    """The set of a recipe; None if its arrays are known only from files."""
    settings = Data(train=data) if isinstance(data, str) else data
    name = settings.train
    if name in MADE:
        found = _bits(settings.bits or BitsData()) if name == BITS else _sonnets(settings.text or TextData())
    elif name in SETS:
        found = _named(name, settings)
    else:
        return None
    key = found.inputs[0]
    # Another number of values is an error of the reader.
    if settings.shape is not None and prod(settings.shape) == prod(found.shape(key)):
        found = replace(found, train=outline(found).seen(key, settings.shape))
    return found


def _bits(settings: BitsData) -> Outlined:
    samples, targets = (1, settings.length), (1, settings.length - settings.delay)
    return _of(
        BITS,
        {
            "samples": Field(samples, "float32", Purpose.input),
            "targets": Field(targets, "float32", Purpose.target),
        },
        settings.samples,
    )


def _sonnets(settings: TextData) -> Outlined:
    symbols = {
        key: Field((settings.length,), "int32", role)
        for key, role in (("symbols", Purpose.input), ("targets", Purpose.target))
    }
    is_known = settings.unit == "characters" and settings.vocabulary is None
    return _of(SONNETS, symbols, 1, dict.fromkeys(symbols, CHARACTERS - 1) if is_known else {})


def _named(name: str, settings: Data) -> Outlined:
    known = SETS[name]
    shape = known.shape if settings.size is None else (known.shape[0], *(settings.size * 2)[:2])
    target = shape[1:] if known.target == "masks" else ()
    fields = {"images": Field(shape, "uint8", Purpose.input)}
    fields |= {key: Field(target, "uint8", role_of(key, settings)) for key in known.targets}
    classes = {key: Classes(count) for key, count in known.targets.items()}
    classes[known.target] = Classes(known.classes, known.names, known.ignored)
    largest = {key: count - 1 for key, count in known.targets.items()}
    return replace(_of(name, fields, known.train, largest), classes=classes)


def _of(
    name: str, fields: Mapping[str, Field], count: int, largest: Mapping[str, int] | None = None
) -> Outlined:
    return Outlined(name, name, Outline(name, fields, count, largest or {}), own=False)
