"""Weights in files of PyTorch: a dictionary of tensors, perhaps within others, read without running code in it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.graph import Graph
from netspec.ops.recurrent import Recurrent
from netspec.weights.containers import unreadable
from netspec.weights.held import Held, Place, by_place, same
from netspec.weights.layout import in_words
from netspec_torch.attributes import Attributes, rooted

if TYPE_CHECKING:
    from netspec.backend import Array

_WRAPPERS = {"module.": "DistributedDataParallel", "_orig_mod.": "torch.compile"}
"""What wrappers of models put before the names of all tensors."""

_SMALL, _DENSE = 1 << 28, 100
"""Above 256 MiB, tensors that are a hundred times larger than their file are not real weights."""

_DEEPEST = 4
_CELL = re.compile(r"(weight|bias)_(ih|hh|hr)")


def held(path: Path, key: str | None) -> Held:
    """The tensors of a file."""
    found, notes = _collection(path, _content(path), key)
    named, more = _unwrapped(found)
    notes += more
    storages: dict[tuple[Any, ...], str] = {}
    arrays, kinds, twins = {}, {}, dict[str, str]()
    status = files.status_of(path)
    size = 0 if status is None else status.st_size
    held_bytes = 0
    for name, tensor in named.items():
        if (other := storages.setdefault(_storage(tensor), name)) != name:
            twins[name] = other
        held_bytes += tensor.numel() * tensor.element_size()
        if held_bytes > max(_SMALL, _DENSE * size):
            raise unreadable(
                path, f"{name} ({in_words(tuple(tensor.shape))}) says that it is larger than the file"
            )
        arrays[name] = _array(path, name, tensor)
        kinds[name] = str(tensor.dtype).removeprefix("torch.")
    return Held(arrays, kinds, by_place(arrays), tuple(notes), twins=twins)


def split(name: str) -> tuple[str, str]:
    """The module in a key, and the tensor in it; those of a cell are called like those of a layer."""
    layer, _, leaf = name.rpartition(".")
    return layer, f"{leaf}_l0" if _CELL.fullmatch(leaf) else leaf


def places(graph: Graph) -> Iterator[Place]:
    """The place of each weight in the state dict of a model."""
    attributes = Attributes(rooted(graph))
    for node in graph.nodes:
        if node.shares is not None:
            continue
        local = {node.local(weight) for weight in node.weights}
        for weight in node.weights:
            layer, _, leaf = attributes.key(node, weight).rpartition(".")
            own = weight.name.rpartition(".")[0]
            added = leaf.replace("bias_ih", "bias_hh") if leaf.startswith("bias_ih") else None
            # The second bias of a GRU stands inside a product: it cannot be added to the first one.
            is_added = isinstance(node.op, Recurrent) and node.op.keyword != "gru" and added not in local
            yield Place(
                weight.name,
                layer,
                leaf,
                weight.shape,
                same,
                same,
                others=(own,),
                added=added if is_added else None,
            )


# Reading.


def _content(path: Path) -> Any:
    """What the file holds, read by PyTorch without running code of the file."""
    import torch

    _check_archive(path)
    try:
        with files.open_plain(path) as stream:
            return torch.load(stream, map_location="cpu", weights_only=True)
    except OSError as error:
        raise unreadable(path, files.reason(error)) from None
    except MemoryError:
        raise unreadable(path, "not enough memory") from None
    except Exception as error:  # PyTorch and its pickle reader raise anything for a broken file
        raise unreadable(path, f"PyTorch refuses it: {_told(error)}") from None


def _told(error: Exception) -> str:
    """The message of PyTorch, without the advice to load the file with the code in it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    shown = [
        line for line in lines if not line.startswith(("(1)", "(2)", "Re-running", "Check the documentation"))
    ]
    text = " ".join(shown) or type(error).__name__
    return text if len(text) <= 400 else f"{text[:400]}…"


def _check_archive(path: Path) -> None:
    """Refuse an archive whose members unpack to more than they have; PyTorch writes without compression."""
    try:
        with files.open_plain(path) as stream:
            if not stream.read(1):
                raise unreadable(path, "it is empty")
            stream.seek(0)
            if stream.read(4) != b"PK\x03\x04":
                return
            with zipfile.ZipFile(stream) as archive:
                packed = [each for each in archive.infolist() if each.file_size > each.compress_size]
    except OSError as error:
        raise unreadable(path, files.reason(error)) from None
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError):
        raise unreadable(path, "it is a damaged archive: perhaps the file is cut off") from None
    if packed:
        raise unreadable(path, f"its part {packed[0].filename} is compressed, which PyTorch never does")


def _collection(path: Path, content: Any, key: str | None) -> tuple[dict[str, Any], list[str]]:
    """The dictionary of tensors in the content of a file, and how it was found."""
    import torch

    if isinstance(content, torch.Tensor):
        raise unreadable(path, "it holds one tensor without a name; save the state dict of the model")
    listed = list(_dictionaries(content, "", _DEEPEST))
    found = dict(listed)
    if len(found) < len(listed):
        raise unreadable(path, "two of its dictionaries of tensors have the same keys, joined by dots")
    if key is not None and key not in found:
        there = ", ".join(f"`{name}`" for name in found if name) or "none"
        raise unreadable(path, f"it has no dictionary of tensors `{key}` (it has: {there})")
    if not found:
        raise unreadable(path, f"it holds no dictionary of tensors, but {_kind(content)}")
    if key is None and len(found) > 1:
        counts = ", ".join(
            f"`{name}` ({len(_tensors(each))})" if name else f"its own ({len(_tensors(each))})"
            for name, each in found.items()
        )
        first = next(name for name in found if name)
        raise unreadable(
            path, f"it holds several dictionaries of tensors: {counts}; choose one, such as --key {first}"
        )
    chosen = next(iter(found)) if key is None else key
    return _tensors(found[chosen]), [
        *([f"the tensors are those of `{chosen}`"] if chosen else []),
        *_beside(found[chosen]),
    ]


def _dictionaries(content: Any, path: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The dictionaries that have tensors by names, with the keys that lead to them."""
    if not isinstance(content, Mapping) or not depth:
        return
    if _tensors(content) and all(isinstance(name, str) for name in content):
        yield path, content
    for name, each in content.items():
        if isinstance(name, str):
            yield from _dictionaries(each, f"{path}.{name}" if path else name, depth - 1)


def _tensors(content: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    return {name: each for name, each in content.items() if isinstance(each, torch.Tensor)}


def _beside(content: Mapping[str, Any]) -> Iterator[str]:
    """What is said of values that stand among tensors."""
    import torch

    others = [name for name, each in content.items() if not isinstance(each, torch.Tensor | Mapping)]
    if others:
        some = ", ".join(f"`{name[:40]}`" for name in others[:4]) + (", …" if len(others) > 4 else "")
        what = (
            f"{len(others)} values that are not tensors"
            if len(others) > 1
            else "a value that is not a tensor"
        )
        yield f"left out: {what} ({some})"


def _kind(content: Any) -> str:
    if isinstance(content, Mapping):
        keys = ", ".join(f"`{str(key)[:40]}`" for key in list(content)[:5])
        return f"a dictionary with {keys or 'nothing'}"
    return f"a value of the type {type(content).__name__}"


def _unwrapped(found: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The tensors without what wrappers put before their names."""
    notes = []
    while found:
        prefix = next((each for each in _WRAPPERS if all(name.startswith(each) for name in found)), None)
        if prefix is None:
            break
        found = {name.removeprefix(prefix): each for name, each in found.items()}
        notes.append(f"`{prefix}` of {_WRAPPERS[prefix]} is left out of all names")
    return found, notes


def _storage(tensor: Any) -> tuple[Any, ...]:
    """Equal for tensors that are one and the same in memory."""
    import torch

    if tensor.layout != torch.strided or not tensor.numel():
        return (id(tensor),)
    return (
        tensor.untyped_storage().data_ptr(),
        tensor.storage_offset(),
        tensor.dtype,
        tensor.shape,
        tensor.stride(),
    )


def _array(path: Path, name: str, tensor: Any) -> Array:
    """The tensor as an array; of a type that NumPy does not have as float32."""
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        kind = "quantized" if tensor.is_quantized else "complex" if tensor.is_complex() else "sparse"
        raise unreadable(path, f"{name} is {kind}; netspec reads plain real numbers")
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.to(torch.float32)
    found: Array = tensor.contiguous().numpy()
    assert found.size == prod(tensor.shape)
    return found


# Writing.


def packed(tensors: Mapping[str, Any]) -> bytes:
    """The content of a file with these tensors."""
    import io

    import numpy as np
    import torch

    stream = io.BytesIO()
    state = {
        name: each if isinstance(each, torch.Tensor) else torch.from_numpy(np.array(each, order="C"))
        for name, each in tensors.items()
    }
    torch.save(state, stream)
    return stream.getvalue()
