"""Reads and writes safetensors files: reads tensors of any dtype, and writes files completely or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from math import prod
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from netspec import files
from netspec._version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]


_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip archive (of pickles or arrays, perhaps)"),
    (b"\x80", "a pickle"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "an array of NumPy"),
)
"""What weights are often saved as, by the first bytes."""


_LARGEST_HEADER = 100_000_000
"""The longest header that safetensors reads, in bytes."""


class UnreadableTensors(Exception):
    """A file of tensors cannot be read. `str()` is the reason, as the end of a message."""


def read(path: str | Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of a safetensors file as float32 or float64, and the original dtype of converted tensors.

    Every value is exactly that of the file. float16, bfloat16, 8-bit floats, booleans and whole numbers of up to 16
    bits become float32; larger whole numbers up to 2⁵³ become float64.

    Raises:
        UnreadableTensors: the file cannot be read, or has numbers that float64 cannot represent.
    """
    arrays, others = {}, {}
    for name, (array, dtype) in stored(path).items():
        arrays[name] = exact(name, array, dtype)
        if dtype not in ("F32", "F64"):
            others[name] = dtype
    return arrays, others


def stored(path: str | Path) -> dict[str, tuple[Array, str]]:
    """The tensors of a safetensors file by name, each with its dtype there.

    Those of a dtype that NumPy does not have, such as bfloat16, are float32; all others keep their dtype.

    Raises:
        UnreadableTensors: the file cannot be read.
    """
    from safetensors import SafetensorError, deserialize

    content = b""
    try:
        content = _content(path)
        held = deserialize(content)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise UnreadableTensors(files.reason(error)) from None
    except (SafetensorError, ValueError, TypeError) as error:
        kind = next((kind for head, kind in _OTHER_FORMATS if content.startswith(head)), None)
        if kind is not None:
            raise UnreadableTensors(f"it is {kind}; save its tensors with the library safetensors") from None
        raise UnreadableTensors(str(error) or type(error).__name__) from None
    except MemoryError:
        raise UnreadableTensors("not enough memory") from None
    found = {}
    for name, tensor in sorted(held, key=itemgetter(0)):  # the library returns them in a random order
        dtype, shape = str(tensor["dtype"]), tuple(tensor["shape"])
        reader = _READERS.get(dtype)
        if reader is None:
            known = ", ".join(_READERS)
            raise UnreadableTensors(f"the numbers of {name} are {dtype}; netspec reads {known}")
        array = reader(tensor["data"])
        if array.size != prod(shape):
            raise UnreadableTensors(f"{name} has {array.size} numbers, but its shape says {prod(shape)}")
        found[name] = (array.reshape(shape), dtype)
    return found


def exact(name: str, array: Array, dtype: str) -> Array:
    """The array as float32, or as float64 if it has numbers that float32 cannot represent.

    Raises:
        UnreadableTensors: it has whole numbers that float64 cannot represent.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "iu" and size == 8:
        largest = 1 << 53
        whole: NDArray[np.int64 | np.uint64] = array  # type: ignore[assignment]
        if (whole > largest).any() or (whole < -largest).any():
            raise UnreadableTensors(
                f"{name} is {dtype} and has whole numbers that float64 cannot represent exactly"
            )
    is_wide = size > 4 or (kind in "iu" and size > 2)
    return array.astype("float64" if is_wide else "float32", copy=False)


def _content(path: str | Path) -> bytes:
    """The content of a file; of one that cannot be a safetensors file, only enough to say what it is."""
    with files.open_plain(path) as stream:
        start = stream.read(9)
        is_likely = start[8:] == b"{" and int.from_bytes(start[:8], "little") <= _LARGEST_HEADER
        stream.seek(0)
        return stream.read(-1 if is_likely else 1 << 20)


def metadata_of(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file.

    Raises:
        UnreadableTensors: the file cannot be read.
    """
    try:
        with files.open_plain(path) as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(size, _LARGEST_HEADER)))
    except OSError as error:
        raise UnreadableTensors(files.reason(error)) from None
    except (ValueError, RecursionError):
        raise UnreadableTensors("it is not a safetensors file") from None
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def conversions(where: str | Path, others: Mapping[str, str]) -> list[str]:
    """A sentence for each converted dtype."""
    counted = Counter(others.values())
    return [
        f"{where}: {count} tensor{'s are' if count > 1 else ' is'} {dtype}, read as {wide}, without a change of values"
        for dtype, count in sorted(counted.items())
        for wide in ["float64" if dtype in _WIDE else "float32"]
    ]


def as_bytes(arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file with these tensors and netspec's metadata."""
    import numpy as np
    from safetensors.numpy import save as packed

    # safetensors writes memory as it is: silently wrong numbers for a view such as a transpose.
    # (`ascontiguousarray` would make a list of a single number.)
    solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return _ordered(packed(solid, {"netspec": __version__, **(metadata or {})}))


def _ordered(content: bytes) -> bytes:
    """The same file with its metadata sorted by name, because the library writes them in a random order."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def save(path: str | Path, arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> None:
    """Write weights as safetensors, with their canonical names and layouts, and metadata.

    Raises:
        OSError: the file cannot be written; an old file is unchanged.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write(target, as_bytes(arrays, metadata))


# Read the bytes of a tensor.

_Reader: TypeAlias = "Callable[[bytearray], Array]"

_WIDE = ("I32", "U32", "I64", "U64")


def _plain(dtype: str) -> _Reader:
    def values(data: bytearray) -> Array:
        import numpy as np

        found: Array = np.frombuffer(data, dtype)
        return found

    return values


def _bfloat16(data: bytearray) -> Array:
    import numpy as np

    return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")


def _float8(exponent: int, mantissa: int, bias: int, special: str) -> _Reader:
    def read(data: bytearray) -> Array:
        import numpy as np

        table = np.array(_float8_values(exponent, mantissa, bias, special), "float32")
        values: Array = table[np.frombuffer(data, "u1")]
        return values

    return read


@cache
def _float8_values(exponent: int, mantissa: int, bias: int, special: str) -> tuple[float, ...]:
    """The value of each of the 256 bytes.

    `special`: "ieee" has infinities and NaNs at the largest exponent, "fn" only a NaN at all ones, "fnuz" only a NaN
    in place of −0; "scale" is a power of two without a sign, with a NaN at all ones.
    """
    found = []
    for byte in range(256):
        sign = -1.0 if byte >> 7 and special != "scale" else 1.0
        power = (byte >> mantissa) & ((1 << exponent) - 1)
        part = byte & ((1 << mantissa) - 1)
        ones = power == (1 << exponent) - 1
        value = (1 + part / (1 << mantissa)) * 2.0 ** (power - bias)
        if special != "scale" and not power:
            value = part / (1 << mantissa) * 2.0 ** (1 - bias)
        if special == "ieee" and ones:
            value = float("nan") if part else float("inf")
        if (special in ("fn", "scale") and ones and part == (1 << mantissa) - 1) or (
            special == "fnuz" and byte == 0x80
        ):
            value = float("nan")
        found.append(sign * value)
    return tuple(found)


_READERS: dict[str, _Reader] = {
    "F64": _plain("<f8"),
    "F32": _plain("<f4"),
    "F16": _plain("<f2"),
    "BF16": _bfloat16,
    "F8_E4M3": _float8(4, 3, 7, "fn"),
    "F8_E5M2": _float8(5, 2, 15, "ieee"),
    "F8_E8M0": _float8(8, 0, 127, "scale"),
    "F8_E4M3FNUZ": _float8(4, 3, 8, "fnuz"),
    "F8_E5M2FNUZ": _float8(5, 2, 16, "fnuz"),
    "BOOL": _plain("?"),
    "I8": _plain("i1"),
    "U8": _plain("u1"),
    "I16": _plain("<i2"),
    "U16": _plain("<u2"),
    "I32": _plain("<i4"),
    "U32": _plain("<u4"),
    "I64": _plain("<i8"),
    "U64": _plain("<u8"),
}
