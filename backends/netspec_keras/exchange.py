"""Weights in files of Keras, read from HDF5 without Keras: `.weights.h5`, `.keras` and the `.h5` of a whole model."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.bounds import DataError, check_packed
from netspec.dataclass import replace
from netspec.graph import Graph, Node
from netspec.weights.containers import native, unreadable
from netspec.weights.held import Held, Place, Rank, by_place
from netspec.weights.layout import in_words
from netspec_keras.layer import Holder, title
from netspec_keras.sharing import forms, layers_of

if TYPE_CHECKING:
    from netspec.backend import Array

_LONGEST_CONFIG = 64_000_000
_DEEPEST = 64

CELL = ("kernel", "recurrent_kernel", "bias")
_NORM = ("gamma", "beta")
_VARIABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(depthwise_)?conv\dd(_transpose)?", ("kernel", "bias")),
    (r"separable_conv\dd", ("depthwise_kernel", "pointwise_kernel", "bias")),
    (r"dense|einsum_dense", ("kernel", "bias")),
    (r"(unbiased_)?batch_normalization", (*_NORM, "moving_mean", "moving_variance")),
    (r"(layer|group)_normalization", _NORM),
    (r"cell", CELL),
    (r"(padded_|reversible_)?embedding", ("embeddings",)),
    (r"p_re_lu", ("alpha",)),
)
"""The variables of layers by their class, in the order in which a `.weights.h5` numbers them."""

_OPTIONAL = {"gamma": "scale", "beta": "center"}
"""The setting of a normalisation without which it lacks a variable that is not the last one."""

_FURTHER = {"optimizer": "optimizer", "seed_generator": "generators of random numbers"}
"""What a file has beside weights, by the names of its groups."""

_CELLS = re.compile(r"(.*_)?cell(_\d+)?|layer_l\d+")
_DIRECTION = re.compile(r"(forward|backward)(_.*)?")


def split(name: str) -> tuple[str, str]:
    """The layer in a name such as `bi/forward_lstm/lstm_cell/kernel:0`, and the tensor in it: `forward.kernel`."""
    *parts, leaf = re.sub(r":\d+$", "", name).split("/")
    direction = ""
    if len(parts) > 1 and _CELLS.fullmatch(parts[-1]):
        parts.pop()
        if len(parts) > 1 and (found := _DIRECTION.fullmatch(parts[-1])):
            parts.pop()
            direction = f"{found[1]}."
    # Old files have the name of the layer twice.
    if len(parts) > 1 and parts[-1] == parts[-2]:
        parts.pop()
    return "/".join(parts), direction + leaf


def places(graph: Graph) -> Iterator[Place]:
    """The variable of each weight, and how its layout becomes the canonical one."""
    shared = forms(graph)
    for node in graph.nodes:
        if node.weights and node.shares is None:
            yield from _places(node, layers_of(graph, node, shared).holders)


def _places(node: Node, holders: Mapping[str, Holder]) -> Iterator[Place]:
    shapes = {node.local(weight): weight.shape for weight in node.weights}
    taken = [each.variable for each in holders.values()]
    for weight in node.weights:
        local = node.local(weight)
        holder = holders[local]
        level, leaf = _within(local, holder, [*shapes])
        parts = taken.count(holder.variable)
        own = replace(holder, part=None)
        layer = f"{title(node.name)} layer {level}" if level else title(node.name)
        base = holder.shape or weight.shape
        shape = tuple(base[holder.axes.index(letter)] for letter in holder.wanted)
        yield Place(
            weight.name,
            layer,
            leaf,
            shape if holder.part is None else (parts, *shape),
            partial(own.outward, shape=weight.shape),
            own.inward,
            how=_how(holder, parts),
            others=(f"{node.name} layer {level}" if level else node.name,),
            part=holder.part,
            parts=parts if holder.part is not None else 1,
        )


def _within(local: str, holder: Holder, names: Sequence[str]) -> tuple[int, str]:
    """The number of the layer in a recurrent layer of several, and the name of the variable with its direction."""
    found = re.fullmatch(r".*_l(\d+)(_reverse)?", local)
    if found is None:
        return 0, holder.variable
    both = any(name.endswith("_reverse") for name in names) and any(
        not name.endswith("_reverse") for name in names
    )
    direction = ("backward." if found[2] else "forward.") if both else ""
    return int(found[1]), direction + holder.name


def _how(holder: Holder, parts: int) -> str:
    """What is done to a variable, in words."""
    words = []
    if holder.part is not None:
        words.append(f"row {holder.part} of {parts}")
    if holder.axes != holder.wanted:
        words.append(f"{holder.wanted} → {holder.axes}")
    if holder.blocks:
        words.append("gates reordered")
    return ", ".join(words)


# Reading.


def held(path: Path) -> Held:
    """The tensors of a file, by `layer/variable`."""
    name = path.name.lower()
    if name.endswith(".keras"):
        return _whole(path)
    try:
        with files.open_plain(path) as stream:
            return _of_hdf5(path, stream, None)
    except OSError as error:
        raise unreadable(path, files.reason(error)) from None


def _whole(path: Path) -> Held:
    """The tensors in a `.keras` file, which is an archive."""
    import io
    import zipfile
    import zlib

    try:
        with files.open_plain(path) as stream, zipfile.ZipFile(stream) as archive:
            members = {each.filename: each for each in archive.infolist()}
            if len(members) < len(archive.infolist()):
                raise unreadable(path, "it has two parts of one name")
            if "model.weights.h5" not in members:
                raise unreadable(path, "it has no `model.weights.h5`: it is not a model of Keras")
            for each in members.values():
                check_packed(each.file_size, each.compress_size, each.filename)
            config = None
            if (told := members.get("config.json")) is not None and told.file_size <= _LONGEST_CONFIG:
                config = json.loads(archive.read(told))
            weights = archive.read(members["model.weights.h5"])
    except OSError as error:
        raise unreadable(path, files.reason(error)) from None
    except DataError as error:
        raise unreadable(path, str(error)) from None
    except (zipfile.BadZipFile, ValueError, EOFError, zlib.error) as error:
        raise unreadable(path, f"it is not a model of Keras, or it is damaged ({error})") from None
    except (RuntimeError, MemoryError) as error:  # a password, an unknown version, deep JSON
        raise unreadable(path, str(error) or "not enough memory") from None
    return _of_hdf5(path, io.BytesIO(weights), config)


def _of_hdf5(path: Path, stream: Any, config: Any) -> Held:
    from netspec.backend import Unavailable
    from netspec.installation import install

    try:
        import h5py
    except ImportError:
        raise Unavailable("h5py is not installed: it reads the files of Keras", install("h5")) from None
    try:
        with h5py.File(stream, "r") as file:
            reading = _Reading(path, h5py)
            if _listed(file, "layer_names") is not None or "model_weights" in file:
                return reading.old(file)
            return reading.new(file, config)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unreadable(path, f"it is not an HDF5 file of Keras, or it is damaged: {why}") from None


class _Reading:
    """Reads an open HDF5 file; nothing that it refers to outside is opened."""

    def __init__(self, path: Path, library: Any) -> None:
        self._path, self._library = path, library
        self._left = max(1 << 28, 100 * (getattr(files.status_of(path), "st_size", 0)))

    # Whole models of Keras 2, and of Keras 3 as `.h5`: layers and variables are named, in their order.

    def old(self, file: Any) -> Held:
        group = self._member(file, "model_weights", "") if "model_weights" in file else file
        config = self._json(file.attrs.get("model_config"))
        arrays = {}
        left = Counter[str]()
        for layer in _listed(group, "layer_names") or ():
            within = self._member(group, layer, "")
            for name in _listed(within, "weight_names") or ():
                if "seed_generator" in name:
                    left["seed_generator"] += 1
                    continue
                full = name if name.startswith(f"{layer}/") else f"{layer}/{name}"
                arrays[full.removesuffix(":0")] = self._array(self._member(within, name, layer), full)
        return self._held(arrays, by_place(arrays), config, left)

    def _json(self, text: Any) -> Any:
        try:
            return None if text is None else json.loads(text)
        except (ValueError, RecursionError, TypeError):
            return None

    # The files of Keras 3: layers by their class and a number, variables by numbers.

    def new(self, file: Any, config: Any) -> Held:
        arrays: dict[str, Array] = {}
        ranks: dict[str, Rank] = {}
        settings = {name: (number, each) for number, (name, each) in enumerate(_layers(config))}
        left = Counter[str]()
        for parts, group in self._groups(file, (), 0):
            if further := next(
                (word for each in parts for word in _FURTHER if _count(each)[0] == word), None
            ):
                left[further] += len(group)
                continue
            names, classes = self._names(file, parts)
            paths = ["/".join(names[:count]) for count in range(len(names), 0, -1)]
            number, own = next((settings[path] for path in paths if path in settings), (None, {}))
            layer = paths[0] if paths else "model"
            counted = [_count(each) for each in parts]
            series = "/".join(each for each, _ in counted) if number is None else ""
            place = (() if number is None else (number,)) + tuple(each for _, each in counted)
            keys = sorted(group, key=_count)
            variables = self._variables(classes[-1] if classes else "", len(keys), own)
            for key, variable in zip(keys, variables, strict=True):
                full = f"{layer}/{variable or key}"
                if full in arrays:
                    raise unreadable(self._path, f"it has two tensors called {full}")
                arrays[full] = self._array(self._member(group, key, layer), full)
                ranks[full] = (series, place)
        ordered = sorted(arrays, key=lambda name: ranks[name]) if config is not None else list(arrays)
        return self._held({name: arrays[name] for name in ordered}, ranks, config, left)

    def _groups(
        self, group: Any, parts: tuple[str, ...], depth: int
    ) -> Iterator[tuple[tuple[str, ...], Any]]:
        """The groups of variables, with the path of their layers."""
        if depth > _DEEPEST:
            raise unreadable(self._path, "its groups are nested too deeply")
        if any(isinstance(name, bytes) for name in group):
            raise unreadable(self._path, f"a name in {'/'.join(parts) or 'it'} is not UTF-8")
        for name in sorted(group, key=_count):
            inner = self._member(group, name, "/".join(parts))
            if not isinstance(inner, self._library.Group):
                continue
            if name == "vars":
                yield parts, inner
            else:
                yield from self._groups(inner, (*parts, name), depth + 1)

    def _names(self, file: Any, parts: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """The names of nested layers: those of the author as far as the file has them; and their classes."""
        names, classes, at = [], [], file
        is_listed = False
        for part in parts:
            at = self._member(at, part, "")
            if part == "layers" and not is_listed:
                is_listed = True
                continue
            own = part
            if is_listed and "vars" in at:
                own = _text(self._member(at, "vars", "").attrs.get("name", part))
            is_listed = False
            names.append(own.replace("/", "-"))
            classes.append(_count(part)[0])
        return names, classes

    def _variables(self, cls: str, count: int, settings: Mapping[str, Any]) -> list[str | None]:
        """The names of the numbered variables of a layer; None where the file does not say which one it is."""
        known = next((names for pattern, names in _VARIABLES if re.fullmatch(pattern, cls)), ())
        names = tuple(each for each in known if settings.get(_OPTIONAL.get(each, ""), True))
        says = len(names) == count or not any(each in _OPTIONAL for each in known)
        return [names[number] if says and number < len(names) else None for number in range(count)]

    def _member(self, group: Any, name: str, where: str) -> Any:
        """A member of a group, of this file only."""
        at = group
        for part in name.split("/"):
            link = at.get(part, getlink=True)
            if link is None:
                raise unreadable(self._path, f"it lacks {name}{f' of {where}' if where else ''}")
            if not isinstance(link, self._library.HardLink):
                raise unreadable(
                    self._path, f"{name} is a link to another place, which netspec does not follow"
                )
            at = at[part]
        return at

    def _array(self, dataset: Any, name: str) -> Array:
        """The values of a dataset, whose size is checked before they are read."""
        if not isinstance(dataset, self._library.Dataset):
            raise unreadable(self._path, f"{name} is not a tensor")
        if dataset.shape is None or dataset.dtype.hasobject or dataset.dtype.kind not in "fiub":
            raise unreadable(self._path, f"{name} holds values of the type {dataset.dtype}, not numbers")
        if dataset.external or dataset.is_virtual:
            raise unreadable(
                self._path, f"the values of {name} are in another file, which netspec does not open"
            )
        size = int(dataset.size) * dataset.dtype.itemsize
        self._left -= size
        packed = int(dataset.id.get_storage_size())
        if size > packed and (dataset.chunks is None or self._left < 0):
            raise unreadable(
                self._path,
                f"{name} ({in_words(dataset.shape)}) says that it has {size:,} bytes, but the file has {packed:,}",
            )
        return native(self._path, name, dataset[()] if dataset.shape else dataset[...])

    def _held(
        self, arrays: Mapping[str, Array], ranks: Mapping[str, Rank], config: Any, left: Mapping[str, int]
    ) -> Held:
        kinds = {name: str(array.dtype) for name, array in arrays.items()}
        notes = tuple(
            f"{count} tensor{'s' * (count > 1)} of the {_FURTHER[word]} left out: not weights"
            for word, count in left.items()
            if count
        )
        return Held(arrays, kinds, ranks, notes, _flatten(config))


def _listed(group: Any, name: str) -> list[str] | None:
    """The texts in an attribute, which Keras divides into several if they are long; None without it."""
    if name in group.attrs:
        return [_text(each) for each in group.attrs[name]]
    parts = list(takewhile(lambda part: part in group.attrs, (f"{name}{at}" for at in count())))
    return [_text(each) for part in parts for each in group.attrs[part]] if parts else None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _count(name: str) -> tuple[str, int]:
    """The name without the number at its end, and this number: `conv2d_12` is `conv2d` and 12."""
    found = re.fullmatch(r"(?:(.+)_)?(\d+)", name)
    return (name, 0) if found is None else (found[1] or "", int(found[2]))


def _layers(config: Any, above: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The paths and settings of the layers in the configuration of a model, in its order."""
    inner = config.get("config") if isinstance(config, Mapping) else None
    listed = inner.get("layers") if isinstance(inner, Mapping) else None
    for each in listed if isinstance(listed, list) and depth < _DEEPEST else ():
        own = each.get("config") if isinstance(each, Mapping) else None
        if isinstance(own, Mapping) and isinstance(own.get("name"), str):
            path = f"{above}{own['name']}"
            yield path, own
            yield from _layers(each, f"{path}/", depth + 1)


def _flatten(config: Any) -> str | None:
    """The place of the channels where a model flattens a map; None if its configuration does not say."""
    kinds = list(_classes(config, 0))
    if not kinds or "Permute" in kinds:
        return None
    return "last" if "Flatten" in kinds or "Reshape" in kinds else None


def _classes(config: Any, depth: int) -> Iterator[str]:
    """The classes of all layers in a configuration; a `Flatten` of channels first counts as a `Permute`."""
    if depth > _DEEPEST:
        return
    if isinstance(config, list):
        for each in config:
            yield from _classes(each, depth + 1)
    elif isinstance(config, Mapping):
        if isinstance(config.get("class_name"), str) and isinstance(config.get("config"), Mapping):
            is_first = config["config"].get("data_format") == "channels_first"
            yield "Permute" if is_first else config["class_name"]
        for each in config.values():
            if isinstance(each, list | Mapping):
                yield from _classes(each, depth + 1)
