"""The .npz reader: an array is what its header says, or the file is refused; no damage is a traceback."""

from __future__ import annotations

import io
import os
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.data import npz
from netspec.data.bounds import DataError
from netspec.data.npz import read

KEYS = ("train_images", "train_labels")


def npy(header: str, content: bytes = b"", version: int = 1) -> bytes:
    """An array with this header, whatever it says."""
    text = header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + content


def archive(path: Path, members: dict[str, bytes], packed: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def plain(shape: str, dtype: str = "|u1") -> str:
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n"


GOOD = npy(plain("(3,)"), b"abc")


def test_reads_what_numpy_wrote(tmp_path: Path) -> None:
    arrays = {
        "train_images": np.arange(12.0).reshape(3, 4),
        "train_labels": np.array(5, np.int16),
        "c": np.zeros(3),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
        for found, wanted in zip(read(tmp_path / "x.npz", KEYS), arrays.values(), strict=False):
            np.testing.assert_array_equal(found, wanted)
            assert found.dtype == wanted.dtype


HOSTILE: dict[str, bytes] = {
    "nested lists": npy("[" * 3000),
    "nested brackets": npy("(" * 9000 + ")" * 9000),
    "nested signs": npy("-" * 9990),
    "nested, closed": npy("[" * 90 + "]" * 90),
    "a long header": npy("{" + "'a': 1, " * 8000 + "}"),
    "no mapping": npy("3\n"),
    "no keys": npy("{}\n"),
    "code": npy("__import__('os').system('true')\n"),
    "a shape of words": npy(plain("('a',)")),
    "a negative shape": npy(plain("(-3,)"), b"abc"),
    "a dtype that is none": npy(plain("(3,)", "xyz"), b"abc"),
    "a nested dtype": npy(
        "{'descr': " + "[('a', " * 80 + "'u1'" + ")]" * 80 + ", 'fortran_order': False, 'shape': ()}\n"
    ),
    "objects": npy(plain("(1,)", "|O"), b"\x80\x04N."),
    "another version": npy(plain("(3,)"), b"abc", version=9),
    "an empty one": b"",
    "cut": GOOD[:9],
    "too short": npy(plain("(4,)"), b"abc"),
    "too long": npy(plain("(2,)"), b"abc"),
    "terabytes": npy(plain("(1000000, 1000000)"), b"abc"),
    "beyond what Python writes": npy(plain("(" + f"{'9' * 4000}, " * 2 + ")"), b"abc"),
    "beyond numbers": npy(plain("(99999999999999999999, 99999999999999999999)"), b"abc"),
    "no numbers at all, many times": npy(plain("(1000000000000,)", "|S0")),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_refused(case: str, packed: bool, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.npz", {"train_images": GOOD, "train_labels": HOSTILE[case]}, packed)
    tracemalloc.start()
    try:
        if case == "no numbers at all, many times":
            read(path, KEYS)
        else:
            with pytest.raises(DataError, match=r"x\.npz: "):
                read(path, KEYS)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_header_that_unpacks_to_too_much(tmp_path: Path) -> None:
    """A second version of the header states its length in 32 bits."""
    path, size = tmp_path / "x.npz", 60_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("train_images.npy", GOOD)
        with file.open("train_labels.npy", "w") as member:
            member.write(b"\x93NUMPY\x02\0" + struct.pack("<I", size))
            for _ in range(0, size, 1_000_000):
                member.write(b" " * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"x\.npz: is not an \.npz file of plain numbers"):
            read(path, KEYS)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    size = 300_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("train_images.npy", GOOD)
        with file.open("train_labels.npy", "w") as member:
            member.write(npy(plain(f"({size},)")))
            for _ in range(0, size, 1_000_000):
                member.write(bytes(1_000_000))
    with pytest.raises(DataError, match=r"x\.npz: train_labels unpacks to 300,000,000 bytes"):
        read(path, KEYS)


def test_a_name_that_stands_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        for name in KEYS:
            file.writestr(f"{name}.npy", GOOD)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("train_images.npy", GOOD)
    with pytest.raises(DataError, match="holds train_images twice"):
        read(tmp_path / "x.npz", KEYS)


def test_whatever_byte_is_damaged_is_told_or_changes_nothing(tmp_path: Path) -> None:
    seed = 5
    chance = random.Random(seed)
    buffer = io.BytesIO()
    arrays: list[NDArray[Any]] = [np.arange(50), np.zeros((4, 5), np.uint8)]
    np.savez_compressed(buffer, train_images=arrays[0], train_labels=arrays[1])
    whole = buffer.getvalue()
    for attempt in range(600):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        (tmp_path / "x.npz").write_bytes(content)
        found = told_or_read(tmp_path / "x.npz", which := f"seed {seed}, attempt {attempt}: {content.hex()}")
        for array, wanted in zip(found or arrays, arrays, strict=True):
            np.testing.assert_array_equal(array, wanted, err_msg=which)
            assert array.dtype == wanted.dtype, which


def test_whatever_a_header_says_is_told_or_read(tmp_path: Path) -> None:
    """The checksum of the archive is right: it is NumPy's own reader that must not fail otherwise."""
    seed = 6
    chance = random.Random(seed)
    signs = "()[]{},:'\"\\#-~1 9L\n\0eéu<|>OVS"
    for attempt in range(600):
        header = list(plain("(3,)"))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(header))
            header[at : at + chance.randint(0, 4)] = chance.choices(signs, k=chance.randint(0, 4))
        text = "".join(header)
        path = archive(
            tmp_path / "x.npz",
            {"train_images": GOOD, "train_labels": npy(text, b"abc", chance.choice([1, 2]))},
            False,
        )
        told_or_read(path, f"seed {seed}, attempt {attempt}: {text!r}")


def told_or_read(path: Path, which: str) -> list[NDArray[Any]] | None:
    """The arrays; None if the file is refused."""
    try:
        return read(path, KEYS)
    except DataError:
        return None
    except Exception as error:
        raise AssertionError(which) from error


@pytest.mark.parametrize("error", [KeyError, AttributeError, TypeError, RuntimeError, ValueError])
def test_an_error_of_our_own_is_no_damage_of_the_file(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise error("ours")

    path = archive(tmp_path / "x.npz", {"train_images": GOOD, "train_labels": GOOD})
    monkeypatch.setattr(npz, "check_packed", fails)
    with pytest.raises(error, match="ours"):
        read(path, KEYS)


def test_a_machine_without_memory_is_no_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object, **more: object) -> None:
        raise MemoryError

    path = archive(tmp_path / "x.npz", {"train_images": GOOD, "train_labels": GOOD})
    monkeypatch.setattr(np.lib.format, "read_array", fails)
    with pytest.raises(MemoryError):
        read(path, KEYS)


def test_another_way_of_packing_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in KEYS:
            file.writestr(f"{name}.npy", GOOD)
        for info in file.infolist():
            info.compress_type = zipfile.ZIP_LZMA
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path / "x.npz", KEYS)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(DataError, match="cannot be read: it is a named pipe, not a regular file"):
        read(tmp_path / "x.npz", KEYS)
