"""Reads a small array of numbers from a .npy, .npz or .safetensors file, without NumPy."""

from __future__ import annotations

import ast
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from pathlib import Path
from typing import Any

from netspec import files
from netspec.dataclass import dataclass
from netspec.ops.nearest import did_you_mean

MOST = 10_000
"""The limit of numbers of an array: they become a part of the generated source."""

Nested = tuple[Any, ...] | float
"""A number, or tuples of tuples of numbers, all of one length at each depth."""


class UnreadableArray(Exception):
    """An array cannot be read. `str()` is the reason, as the end of a message; `help` says what to do."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class _Found:
    """An array in a file: its shape, the type of its numbers as a format of `struct`, and where its bytes are."""

    shape: tuple[int, ...]
    format: str
    by_column: bool
    content: bytes


_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_LARGEST_FILE = 64_000_000
_LONGEST_HEADER = 10_000
_NPY_FORMATS = {"f2": "e", "f4": "f", "f8": "d", **{f"i{1 << n}": "bhiq"[n] for n in range(4)},
                **{f"u{1 << n}": "BHIQ"[n] for n in range(4)}}  # fmt: skip
_TENSOR_FORMATS = {"F16": "e", "F32": "f", "F64": "d", "BF16": "bf16", "I8": "b", "I16": "h", "I32": "i", "I64": "q",
                   "U8": "B", "U16": "H", "U32": "I", "U64": "Q"}  # fmt: skip
_SAVE = 'save numbers: `numpy.save("name.npy", array.astype("float32"))`'
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, RuntimeError),
    *(TypeError, KeyError, IndexError, SyntaxError, MemoryError, UnicodeDecodeError),
)
"""What `zipfile`, `json` and Python's parser raise for broken files."""


def read(path: Path, member: str | None = None) -> Nested:
    """The numbers of the only array of a file, or of the one with this name. Every number is exactly that of the file.

    Raises:
        OSError: the file cannot be opened.
        UnreadableArray: the file has no such array, or the array is not one of a few finite numbers.
    """
    content = files.read(path, _LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise UnreadableArray(f"it has more than {_LARGEST_FILE:,} bytes", _too_large(None))
    try:
        found = _of_file(content, member)
    except _BROKEN:
        raise UnreadableArray(
            "it is not a .npy, .npz or .safetensors file of plain numbers, or it is damaged", _SAVE
        ) from None
    return _nested(_numbers(found), found)


def _of_file(content: bytes, member: str | None) -> _Found:
    if content.startswith(_NPY):
        if member is not None:
            raise UnreadableArray(
                "it is a .npy file, which holds one array without a name", "remove `member`"
            )
        return _npy(io.BytesIO(content))
    if content.startswith(_ZIP):
        return _npz(content, member)
    return _tensor(content, member)


def _npy(stream: Any) -> _Found:
    major = stream.read(8)[6]
    length = int.from_bytes(stream.read(2 if major == 1 else 4), "little")
    if length > _LONGEST_HEADER:
        raise ValueError("no header of NumPy is so long")
    header = ast.literal_eval(stream.read(length).decode("latin-1").strip())
    descr, shape = header["descr"], tuple(header["shape"])
    if not isinstance(descr, str) or descr[1:] not in _NPY_FORMATS:
        kind = {"O": "Python objects, which are never loaded", "b": "booleans", "c": "complex numbers"}
        held = kind.get(descr[1] if isinstance(descr, str) else "", f"values of the type {str(descr)[:40]}")
        raise UnreadableArray(f"it holds {held}", _SAVE)
    order = {">": ">"}.get(descr[0], "<")
    form, count = f"{order}{_NPY_FORMATS[descr[1:]]}", _count(shape)
    return _Found(shape, form, bool(header["fortran_order"]), stream.read(count * struct.calcsize(form) + 1))


def _npz(content: bytes, member: str | None) -> _Found:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [each.filename.removesuffix(".npy") for each in archive.infolist()]
        info = archive.infolist()[names.index(_chosen(names, member))]
        with archive.open(info) as stream:
            if stream.read(len(_NPY)) != _NPY:
                raise ValueError("not an array")
        with archive.open(info) as stream:
            return _npy(stream)


def _tensor(content: bytes, member: str | None) -> _Found:
    length = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{" or length > len(content):
        raise ValueError("not a header of safetensors")
    header = json.loads(content[8 : 8 + length])
    tensors = {name: each for name, each in header.items() if name != "__metadata__"}
    tensor: Mapping[str, Any] = tensors[_chosen(list(tensors), member)]
    form, shape = _TENSOR_FORMATS.get(tensor["dtype"]), tuple(tensor["shape"])
    if form is None:
        raise UnreadableArray(f"it holds numbers of the type {str(tensor['dtype'])[:40]}", _SAVE)
    _count(shape)
    start, end = (8 + length + int(each) for each in tensor["data_offsets"])
    return _Found(shape, form if form == "bf16" else f"<{form}", by_column=False, content=content[start:end])


def _chosen(names: Sequence[str], member: str | None) -> str:
    """The name of the array to read."""
    listed = ", ".join(f"`{each[:40]}`" for each in names[:8])
    if not names:
        raise UnreadableArray("it holds no array", _SAVE)
    if member is None and len(names) > 1:
        raise UnreadableArray(f"it holds {len(names)} arrays ({listed})", f"name one: `member: {names[0]}`")
    if member is not None and member not in names:
        raise UnreadableArray(
            f"it holds no array `{member[:60]}`{did_you_mean(member, names)}", f"it holds {listed}"
        )
    if len(names) > len(set(names)):
        raise ValueError("two arrays of one name")
    return names[0] if member is None else member


def _count(shape: tuple[Any, ...]) -> int:
    """The number of elements, which must not be large."""
    if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape):
        raise ValueError("not a shape")
    if 0 in shape:
        raise UnreadableArray(f"its shape is {list(shape)}: it has no numbers", None)
    if len(shape) > 4:
        raise UnreadableArray(
            f"its shape is {list(shape)}: a tensor has channels and up to 3 spatial axes",
            "use at most 4 axes, channels first",
        )
    count: int = prod(shape)
    if count > MOST:
        raise UnreadableArray(f"it has {count:,} numbers; a constant has at most {MOST:,}", _too_large(shape))
    return count


def _too_large(shape: tuple[int, ...] | None) -> str:
    sizes = "…" if shape is None else list(shape)
    return (
        "the numbers of a constant stand in the generated source; for more of them, write "
        f"`parameter: {{shape: {sizes}}}` with `trainable: false` beside it, and give its values by `--weights`"
    )


def _numbers(found: _Found) -> list[float]:
    count = prod(found.shape)
    if found.format == "bf16":
        halves = struct.unpack(f"<{count}H", found.content)
        values: Sequence[float] = struct.unpack(
            f"<{count}f", struct.pack(f"<{count}I", *(h << 16 for h in halves))
        )
    else:
        try:
            values = struct.unpack(f"{found.format[0]}{count}{found.format[1:]}", found.content)
        except struct.error:
            raise UnreadableArray(
                f"its header says {count:,} numbers, and another number of bytes follows: it is damaged",
                _SAVE,
            ) from None
    numbers = [float(each) for each in values]
    if any(number != value for number, value in zip(numbers, values, strict=True) if isinstance(value, int)):
        raise UnreadableArray("it has whole numbers that float64 cannot represent", _SAVE)
    bad = next((at for at, each in enumerate(numbers) if not isfinite(each)), None)
    if bad is not None:
        raise UnreadableArray(
            f"its number {bad + 1} of {count:,}, in the order of the file, is {numbers[bad]}, which is not finite",
            "replace it before the array is saved",
        )
    return numbers


def _nested(numbers: list[float], found: _Found) -> Nested:
    """The numbers as tuples in tuples."""
    shape = found.shape
    steps = [prod(shape[:axis]) for axis in range(len(shape))]
    if not found.by_column:
        steps = [prod(shape[axis + 1 :]) for axis in range(len(shape))]

    def part(axis: int, start: int) -> Nested:
        if axis == len(shape):
            return numbers[start]
        return tuple(part(axis + 1, start + steps[axis] * place) for place in range(shape[axis]))

    return part(0, 0)
