"""Arrays in files, read without NumPy: every format, against NumPy and safetensors, and what is refused."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import netspec
from netspec import arrays
from netspec.arrays import UnreadableArray, read
from netspec.check import check_file
from netspec.diagnostics.render import as_text
from tests.having import WRITERS

TYPES = ("<f2", "<f4", "<f8", ">f4", ">i2", "|i1", "|u1", "<i4", "<u2", "<i8", "<u8")


def whole(value: arrays.Nested) -> Any:
    return np.array(value, "float64")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_numpy_is_read_as_numpy_reads_it(dtype: str, order: Any, tmp_path: Path) -> None:
    array = np.asarray(np.arange(24).reshape(2, 3, 4) * 1.3, dtype, order=order)
    np.save(tmp_path / "one.npy", array)
    np.testing.assert_array_equal(whole(read(tmp_path / "one.npy")), array.astype("float64"))
    np.savez_compressed(tmp_path / "two.npz", a=np.zeros(3), b=array)
    np.testing.assert_array_equal(whole(read(tmp_path / "two.npz", "b")), array.astype("float64"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint16", "int32", "int64"])
def test_a_tensor_is_read_as_the_library_reads_it(dtype: str, tmp_path: Path) -> None:
    array = (np.arange(12).reshape(3, 4) * 1.7).astype(dtype)
    save_file({"x": array, "y": array + 1}, tmp_path / "some.safetensors", {"a": "b"})
    np.testing.assert_array_equal(
        whole(read(tmp_path / "some.safetensors", "y")), (array + 1).astype("float64")
    )


def test_short_floats_are_read() -> None:
    found = arrays._numbers(arrays._Found((3,), "bf16", False, struct.pack("<3H", 0x3F80, 0xC040, 0x3E80)))
    assert found == [1.0, -3.0, 0.25]


def saved(folder: Path, name: str) -> Path:
    """A file that is refused."""
    path = folder / name
    made: dict[str, Any] = {
        "objects.npy": lambda: np.save(path, np.array([{}, []], object), allow_pickle=True),
        "booleans.npy": lambda: np.save(path, np.array([True])),
        "complex.npy": lambda: np.save(path, np.array([1j])),
        "words.npy": lambda: np.save(path, np.array(["a"])),
        "rows.npy": lambda: np.save(path, np.zeros(2, [("a", "f4")])),
        "empty.npy": lambda: np.save(path, np.zeros((2, 0))),
        "deep.npy": lambda: np.save(path, np.zeros((1,) * 5)),
        "many.npy": lambda: np.save(path, np.zeros(10_001)),
        "nan.npy": lambda: np.save(path, np.array([[1.0, 2.0], [np.nan, 4.0]])),
        "inf.npz": lambda: np.savez(path, x=np.array([np.inf])),
        "exact.npy": lambda: np.save(path, np.array([2**53 + 1])),
        "several.npz": lambda: np.savez(path, mean=np.zeros(2), std=np.zeros(2)),
        "none.npz": lambda: np.savez(path),
        "text.npy": lambda: path.write_text("1, 2, 3"),
        "nothing.npy": lambda: path.write_bytes(b""),
        "magic.npy": lambda: path.write_bytes(b"\x93NUMPY\x01\x00"),
        "zip.npz": lambda: path.write_bytes(b"PK\x03\x04 broken"),
        "half.npy": lambda: path.write_bytes(_nine(folder)[:-4]),
        "longer.npy": lambda: path.write_bytes(_nine(folder) + b"1"),
        "offsets.safetensors": lambda: path.write_bytes(_tensors({"x": _tensor([3], [0, 8])}, b"12345678")),
        "kinds.safetensors": lambda: path.write_bytes(
            _tensors({"x": {**_tensor([1], [0, 1]), "dtype": "BOOL"}}, b"1")
        ),
        "json.safetensors": lambda: path.write_bytes((8).to_bytes(8, "little") + b"{not it}"),
    }
    made[name]()
    return path


def _nine(folder: Path) -> bytes:
    np.save(folder / "nine.npy", np.zeros(9))
    return (folder / "nine.npy").read_bytes()


def _tensor(shape: list[int], offsets: list[int]) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": offsets}


def _tensors(header: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


REFUSED = {
    "objects.npy": "Python objects, which are never loaded",
    "booleans.npy": "booleans",
    "complex.npy": "complex numbers",
    "words.npy": "values of the type <U1",
    "rows.npy": "values of the type",
    "empty.npy": r"\[2, 0\]: it has no numbers",
    "deep.npy": "channels and up to 3 spatial axes",
    "many.npy": "10,001 numbers; a constant has at most 10,000",
    "nan.npy": "number 3 of 4, in the order of the file, is nan",
    "inf.npz": "number 1 of 1, in the order of the file, is inf",
    "exact.npy": "float64 cannot represent",
    "several.npz": "2 arrays \\(`mean`, `std`\\)",
    "none.npz": "damaged|no array",
    "text.npy": "it is not a .npy, .npz or .safetensors file",
    "nothing.npy": "it is not a .npy, .npz or .safetensors file",
    "magic.npy": "damaged",
    "zip.npz": "damaged",
    "half.npy": "another number of bytes",
    "longer.npy": "another number of bytes",
    "offsets.safetensors": "another number of bytes",
    "kinds.safetensors": "numbers of the type BOOL",
    "json.safetensors": "damaged",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_small_array_of_finite_numbers_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableArray, match=REFUSED[name]):
        read(saved(tmp_path, name))


def test_no_damage_raises_anything_else(tmp_path: Path) -> None:
    chance = np.random.default_rng(9)
    for name in ("one.npy", "two.npz", "three.safetensors"):
        path = tmp_path / name
        if name == "one.npy":
            np.save(path, np.arange(6.0))
        elif name == "two.npz":
            np.savez_compressed(path, x=np.arange(6.0))
        else:
            save_file({"x": np.arange(6.0)}, path)
        content = path.read_bytes()
        for number in range(300):
            broken = bytearray(content)
            for _ in range(chance.integers(1, 4)):
                broken[chance.integers(len(broken))] = chance.integers(256)
            path.write_bytes(broken[: chance.integers(len(broken) + 1)] if chance.random() < 0.3 else broken)
            try:
                read(path)
            except UnreadableArray:
                pass
            except Exception as error:
                pytest.fail(f"{name} {number}: {error!r}")


def spec(folder: Path, fields: str) -> Path:
    """A spec that adds a constant from a file to its input."""
    path = folder / "spec.yaml"
    path.write_text(
        f"netspec: 1\nname: net\ninput: [2, 3]\nlayers:\n  - add: [[], [{{constant: {{{fields}}}}}]]\n",
        encoding="utf-8",
    )
    return path


def test_a_constant_takes_the_numbers_of_a_file_into_the_graph(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    array = np.array([[1, 2, 3], [4, 5, 6.5]], "float32")
    np.savez(tmp_path / "tables" / "all.npz", mean=array, std=array)
    graph = netspec.load(spec(tmp_path, "file: tables/all.npz, member: mean"))
    assert graph.by_name["constant1"].op.settings() == {"values": ((1.0, 2.0, 3.0), (4.0, 5.0, 6.5))}
    for name in WRITERS:
        text = netspec.compile(graph, name)
        # In the order of the axes of its framework.
        assert {"1.0", "2.0", "3.0", "4.0", "5.0", "6.5"} <= set(re.findall(r"\d\.\d", text))
        assert "all.npz" not in text


PLACED = {
    "file: «none.npy»": ("NS0113", "there is no file `none.npy`"),
    "file: «../../outside.npy»": ("NS0112", "is outside the folder"),
    "file: «all.npz»": ("NS0131", "name one: `member: mean`"),
    "file: all.npz, member: «maen»": ("NS0131", "did you mean `mean`?"),
    "file: all.npz, member: mean, shape: «[3, 2]»": (
        "NS0314",
        "the numbers have the shape [2, 3], and `shape` is [3, 2]",
    ),
    "values: 1, «file»: all.npz": ("NS0104", "which both state its numbers"),
    "values: [1, 2], member: «mean»": ("NS0314", "`member` is only for `file`"),
    "values: [1, 2], base: «50»": ("NS0314", "`base` is only for `values: sinusoid`"),
    "values: «sinusoid»": ("NS0314", "needs a `shape` of channels and a length"),
    "values: sinusoid, shape: «[4]»": (
        "NS0314",
        "write `constant: {values: sinusoid, shape: [CHANNELS, LENGTH]}`",
    ),
    "values: «sinusoidal»": ("NS0104", "or `sinusoid`"),
    "file: «3»": ("NS0104", "text"),
}


@pytest.mark.parametrize("fields", PLACED)
def test_what_does_not_give_a_constant_is_an_error_with_its_place(fields: str, tmp_path: Path) -> None:
    code, words = PLACED[fields]
    (tmp_path / "netspec.toml").write_text("")
    np.savez(tmp_path / "all.npz", mean=np.zeros((2, 3)), std=np.zeros(3))
    plain = fields.replace("«", "").replace("»", "")
    graph, found = check_file(spec(tmp_path, plain))
    assert graph is None
    assert [each.code.id for each in found] == [code], as_text(found)
    assert words in as_text(found)
    line = spec(tmp_path, plain).read_text(encoding="utf-8").splitlines()[4]
    marked = fields[fields.index("«") + 1 : fields.index("»")]
    assert found[0].span.column - 1 == line.index(plain) + fields.index("«")
    assert line[found[0].span.column - 1 :].startswith(marked)


def test_checking_a_constant_from_a_file_needs_no_numpy(tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", np.zeros((2, 3), "float32"))
    code = (
        "import sys\nfrom pathlib import Path\nfrom netspec.check import check_file\n"
        "assert check_file(Path(sys.argv[1]))[1] == []\nassert not {'numpy', 'safetensors'} & {*sys.modules}"
    )
    path = spec(tmp_path, "file: mean.npy")
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
