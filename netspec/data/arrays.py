"""Arrays by name become parts: `train_images`, `train_labels`, `test_images` and so on, checked against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.data import conversion, labels
from netspec.data.bounds import DataError
from netspec.data.parts import PARTS, WORDS, Classes, Parts
from netspec.data.source import Arrays, Changed, Purpose, SampleSource, numbered
from netspec.ops.nearest import did_you_mean
from netspec.recipe.data import Data
from netspec.types import AXES, Type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of a set of images with labels."""
INPUTS = ("images", "samples", "inputs", "sequences")
TARGETS = ("labels", "targets", "masks", "boxes")
"""The keys whose role is clear without a recipe."""
MOST_AXES = 2 + max(AXES)
"""Axes of an array of samples: the samples, their channels, and the spatial axes."""

Named = Mapping[str, Mapping[str, str]]
"""For each part, for each key, the name of its array."""


def arranged(path: Path, names: Sequence[str], data: Data) -> Named:
    """Which array is which part of which key: `train_KEY`, or only `KEY` in a set without parts.

    Raises:
        DataError: a key is missing in a part, or no array has the role of an input.
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        part, _, key = name.partition("_")
        part = {"val": "validation"}.get(part, part)
        if part in PARTS and key and (other := found.setdefault(part, {}).setdefault(key, name)) != name:
            raise DataError(f"{path}: has both {other} and {name}", "remove one of them")
    if not found and _is_unparted(names, data):
        found = {"train": {name: name for name in names}}
    if "train" not in found:
        raise DataError(f"{path}: lacks {', '.join(KEYS)}", conversion.of_names(path, names, KEYS))
    used = [*data.inputs.values(), *data.targets.values()]
    for key in used:
        if key not in found["train"]:
            raise DataError(
                f"{path}: the recipe names the key {key}{did_you_mean(key, found['train'])}",
                _on_key(key, names, found),
            )
    clear = [key for key in found["train"] if role_of(key, data) is not Purpose.unused]
    absent = [f"{part}_{key}" for part, keys in found.items() for key in clear if key not in keys]
    if absent:
        wanted = [f"{part}_{key}" for part in found for key in clear]
        of_kind = conversion.of_names if {*wanted} <= {*KEYS} else conversion.of_parts
        raise DataError(f"{path}: lacks {', '.join(absent)}", of_kind(path, names, wanted))
    if not any(role_of(key, data) is Purpose.input for key in clear):
        has = ", ".join(names) or "nothing"
        raise DataError(
            f"{path}: has no array of samples: it has {has}",
            conversion.renamed(path, names, KEYS)
            or f"samples are called {' or '.join(f'train_{key}' for key in INPUTS)}; the recipe can name other "
            "keys: `data: {train: …, inputs: {INPUT: KEY}, targets: {HEAD: KEY}}`",
        )
    return {part: {key: keys[key] for key in clear} for part, keys in found.items()}


def _on_key(key: str, names: Sequence[str], found: Named) -> str:
    """Advice for a key of the recipe that the training part does not have."""
    has = f"its keys are {', '.join(found['train'])}"
    bare = key.partition("_")[2]
    if key in names and bare in found["train"]:
        return f"{key} is an array of one part: write the key, `{bare}`"
    if key in names:
        several = " and ".join(f"{part}_{key}" for part in PARTS if part in found)
        return f"each part has its own array, called PART_KEY: save {key} as {several}; {has}"
    return has


def _is_unparted(names: Sequence[str], data: Data) -> bool:
    used = {*data.inputs.values(), *data.targets.values()}
    return bool(used & {*names}) or any(name in INPUTS for name in names)


def role_of(key: str, data: Data) -> Purpose:
    """The role of a key by the recipe; of a role for which the recipe names no keys, by the usual names."""
    if key in (data.inputs.values() if data.inputs else INPUTS):
        return Purpose.input
    return Purpose.target if key in (data.targets.values() if data.targets else TARGETS) else Purpose.unused


def of_arrays(
    arrays: Mapping[str, Mapping[str, Array]],
    data: Data,
    *,
    name: str,
    where: str,
    guard: Callable[[], None] | None = None,
    place: Callable[[str, int], str] | None = None,
    classes: Mapping[str, Classes] | None = None,
    own: bool = True,
) -> Parts:
    """The parts of a set that is in memory, or mapped: for each part the arrays by key; `where` starts messages.

    Raises:
        DataError: types, sizes or values are inconsistent.
    """
    sources = {part: _part(part, keys, data, where, guard, place) for part, keys in arrays.items()}
    parts = Parts(name, where, sources["train"], classes=classes or {}, own=own).having(sources)
    return with_classes(laid_out(agreed(parts), data), data)


def _part(
    part: str,
    keys: Mapping[str, Array],
    data: Data,
    where: str,
    guard: Callable[[], None] | None,
    place: Callable[[str, int], str] | None,
) -> SampleSource:
    checked, roles = {}, {}
    for key, array in keys.items():
        roles[key] = role_of(key, data)
        check = _sample_array if roles[key] is Purpose.input else _target_array
        # The lengths of sequences are one number per sample; such an input is named.
        is_lengths = array.ndim == 1 and array.dtype.kind in "iu" and key in data.inputs.values()
        checked[key] = array if is_lengths else check(array, f"{part}_{key}", where, guard is not None)
    first = next(iter(checked))
    for key, array in checked.items():
        if len(array) != len(checked[first]):
            raise DataError(f"{where}: {len(checked[first]):,} {part} {first} and {len(array):,} {key}")
    return Arrays(
        checked, roles, partial(place, part) if place else numbered(f"{where}, {WORDS[part]}"), guard
    )


def agreed(parts: Parts) -> Parts:
    """The parts, if the samples of all have the same shapes and types.

    Raises:
        DataError: they differ.
    """
    for name, source in parts:
        for key, field in parts.train.fields.items():
            other = source.fields.get(key)
            if other is None:
                raise DataError(f"{parts.where}: the {WORDS[name]} part lacks {key}")
            if other.shape != field.shape:
                raise DataError(
                    f"{parts.where}: training {_called(key)} are {size(field.shape)}, {WORDS[name]} {_called(key)} "
                    f"{size(other.shape)}",
                    _on_targets(parts.train.column(key), source.column(key))
                    if field.role is Purpose.target
                    else "",
                )
            if (
                other.dtype != field.dtype
                and field.role is Purpose.input
                and "u" in (field.dtype + other.dtype)
            ):
                raise DataError(
                    f"{parts.where}: {key} are {field.dtype} for training and {other.dtype} for {WORDS[name]}, which "
                    "are scaled in different ways",
                    "save both with the same type",
                )
    return parts


def _on_targets(*columns: Array | None) -> str:
    """Advice for labels of different shapes: one of the parts may be one-hot."""
    several = next((column for column in columns if column is not None and column.ndim == 2), None)
    return "" if several is None else labels.as_one_number(several)


def _called(key: str) -> str:
    return "samples" if key in INPUTS else key


def size(shape: tuple[int, ...]) -> str:
    """The shape of a sample in a message: 3@5×6; a single number has none."""
    return str(Type(shape[0], shape[1:])) if shape else "single numbers"


def _sample_array(array: Array, key: str, where: str, mapped: bool) -> Array:
    """The samples, if they are numbers that training can use.

    Raises:
        DataError: they are not.
    """
    import numpy as np

    if not 2 <= array.ndim <= MOST_AXES:
        shape = "×".join(map(str, array.shape)) or "a single number"
        raise DataError(
            f"{where}: {key} is {shape}", "samples are N × channels, with up to three spatial axes after them"
        )
    if not array.size:
        raise DataError(f"{where}: {key} holds nothing")
    if array.dtype.kind not in "uifb":
        raise DataError(f"{where}: {key} holds {array.dtype}", "samples are bytes, whole numbers or floats")
    if array.dtype.kind != "f" or mapped:
        return array
    if not np.isfinite(array).all():
        raise DataError(f"{where}: {key} holds numbers that are not finite")
    if array.dtype.itemsize > 4:
        largest = max((float(array.max()), float(array.min())), key=abs)
        if abs(largest) > float(np.finfo(np.float32).max):
            raise DataError(
                f"{where}: {key} holds {largest:g}, but training uses float32, which ends at 3.4e38",
                "scale the samples before you save them",
            )
    return array


def _target_array(array: Array, key: str, where: str, mapped: bool) -> Array:
    """The targets, if they are numbers; a column of whole numbers counts as a vector.

    Raises:
        DataError: they are words, or not finite.
    """
    import numpy as np

    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "uib":
        array = array[:, 0]
    if not 1 <= array.ndim <= MOST_AXES:
        raise DataError(f"{where}: {key} has {array.ndim} axes")
    if not array.size:
        raise DataError(f"{where}: {key} holds nothing")
    if array.dtype.kind not in "uifb":
        raise DataError(f"{where}: {key} holds {array.dtype}", labels.as_whole_numbers(array))
    if array.dtype.kind == "f" and not mapped and not np.isfinite(array).all():
        raise DataError(f"{where}: {key} holds numbers that are not finite")
    return array


def laid_out(parts: Parts, data: Data) -> Parts:
    """The parts with channels first: `layout: last` moves the last axis of inputs, and of targets with as many axes."""
    if data.layout != "last":
        return parts
    axes = max(len(parts.shape(key)) for key in parts.inputs)
    if axes < 2:
        raise DataError(
            f"{parts.where}: `layout: last` is for samples with a channel axis and others, but these are vectors",
            "remove `layout`",
        )
    for key, field in parts.train.fields.items():
        if len(field.shape) >= 2 and (field.role is Purpose.input or len(field.shape) == axes):
            parts = parts.mapped(lambda _, source, key=key: Changed(source, key, _last_to_first))  # type: ignore[misc]
    return parts


def _last_to_first(array: Array) -> Array:
    import numpy as np

    return np.moveaxis(array, -1, 1)


def with_classes(parts: Parts, data: Data) -> Parts:
    """The parts with the classes that the recipe states, if all labels are among them.

    Raises:
        DataError: a label is not one of them, or no target has classes.
    """
    if data.classes is not None:
        whole = [key for key in parts.targets if parts.train.fields[key].dtype[0] in "uib"]
        if len(whole) != 1:
            what = f"{len(whole)} such targets: {', '.join(whole)}" if whole else "no such target"
            raise DataError(
                f"{parts.where}: `classes` are for one target of whole numbers, and there is {what}"
                if not whole
                else f"{parts.where}: `classes` are for one target of whole numbers, and there are {what}",
                "remove `classes` from the data of the recipe",
            )
        names = data.classes if isinstance(data.classes, tuple) else ()
        known = parts.classes.get(whole[0])
        if known is not None and isinstance(data.classes, int) and data.classes >= len(known.names):
            names = known.names
        stated = Classes(data.classes if isinstance(data.classes, int) else len(names), names, data.ignore)
        return labels.within(parts, whole[0], stated)
    if data.ignore is not None:
        raise DataError(
            f"{parts.where}: `ignore` needs `classes`", "say how many classes there are: `classes: 11`"
        )
    for key, classes in parts.classes.items():
        parts = labels.within(parts, key, classes)
    return parts
