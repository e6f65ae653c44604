"""Files that hold any tensors by name: safetensors and NumPy's .npz, read as they are, and written."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from netspec import files, tensors
from netspec.weights.held import Held, by_number, by_place
from netspec.weights.layout import in_words
from netspec.weights.reading import WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

_KINDS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool", "I8": "int8",
    "U8": "uint8", "I16": "int16", "U16": "uint16", "I32": "int32", "U32": "uint32", "I64": "int64", "U64": "uint64",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip
"""What NumPy and the frameworks call the types of safetensors."""


def unreadable(path: str | Path, why: str) -> WeightsError:
    """The error for a file that cannot be read."""
    return WeightsError(f"{files.shortened(path)} cannot be read: {why}")


def read_safetensors(path: Path) -> Held:
    """The tensors of a safetensors file. It does not keep the order of a model.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        found = tensors.stored(path)
    except tensors.UnreadableTensors as error:
        raise unreadable(path, str(error)) from None
    kinds = {name: _KINDS[dtype] for name, (_, dtype) in found.items()}
    return Held({name: array for name, (array, _) in found.items()}, kinds, by_number(found))


def read_npz(path: Path) -> Held:
    """The arrays of an .npz file, in native byte order.

    Raises:
        WeightsError: the file cannot be read, or holds something else than plain numbers.
    """
    from netspec.data.bounds import DataError
    from netspec.data.npz import read_chosen

    try:
        found = read_chosen(path, lambda names: names)
    except DataError as error:
        raise WeightsError(str(error)) from None
    arrays = {name: native(path, name, array) for name, array in found.items()}
    return Held(arrays, {name: str(array.dtype) for name, array in arrays.items()}, by_place(arrays))


def native(path: str | Path, name: str, array: NDArray[Any]) -> Array:
    """The array in native byte order.

    Raises:
        WeightsError: its values are not numbers that a weight can have.
    """
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise unreadable(path, f"{name} ({in_words(array.shape)}) holds values of the type {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_npz(arrays: Mapping[str, Array]) -> bytes:
    """The content of an .npz file, without compression.

    Raises:
        WeightsError: a name cannot be the name of a member of an archive.
    """
    import zipfile

    import numpy as np

    stream = io.BytesIO()
    # `numpy.savez` takes names as keywords, of which it has some of its own: `file`.
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            try:
                # The date is fixed, so that the same weights are the same bytes.
                info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                if "\0" in name or info.filename != f"{name}.npy":
                    raise ValueError
                with archive.open(info, "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            except ValueError:
                raise WeightsError(f"{name!r} cannot be the name of an array in an .npz file") from None
    return stream.getvalue()


def as_safetensors(arrays: Mapping[str, Array]) -> bytes:
    """The content of a safetensors file that `netspec weights` may overwrite.

    Raises:
        WeightsError: a name cannot be the name of a tensor in such a file.
    """
    from netspec.marks import metadata

    for name in arrays:
        if name == "__metadata__" or (
            not name.isascii() and name != name.encode("utf-8", "replace").decode()
        ):
            raise WeightsError(f"{name!r} cannot be the name of a tensor in a safetensors file")
    return tensors.as_bytes(arrays, metadata("convert"))


READ: Mapping[str, Callable[[Path], Held]] = {".safetensors": read_safetensors, ".npz": read_npz}
"""The readers of containers by the end of the name of a file."""

WRITTEN: Mapping[str, Callable[[Mapping[str, Array]], bytes]] = {
    ".safetensors": as_safetensors,
    ".npz": as_npz,
}
"""The writers of containers."""


def floats(held: Held, path: str | Path, tell: Callable[[str], None]) -> dict[str, Array]:
    """The tensors as float32 or float64, with the values of the file; `tell` gets a sentence for each conversion.

    Raises:
        WeightsError: a tensor has numbers that float64 cannot represent.
    """
    found, converted = {}, dict[tuple[str, str], int]()
    for name, array in held.tensors.items():
        try:
            found[name] = tensors.exact(name, array, held.kinds[name])
        except tensors.UnreadableTensors as error:
            raise unreadable(path, str(error)) from None
        wide = str(found[name].dtype)
        if held.kinds[name] != wide:
            key = (held.kinds[name], wide)
            converted[key] = converted.get(key, 0) + 1
    for (kind, wide), count in sorted(converted.items()):
        tell(
            f"{count} tensor{'s are' if count > 1 else ' is'} {kind}, read as {wide}, without a change of values"
        )
    return found
