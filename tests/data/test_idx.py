"""The idx reader: what is whole is read, each way to be broken is told in its own words."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netspec.data.idx import DataError, header, read


def idx(*shape: int, kind: int = 8, content: bytes | None = None) -> bytes:
    """An idx file; by default it holds 0, 1, 2, …"""
    size = int(np.prod(shape, dtype=np.int64))
    body = bytes(each % 256 for each in range(size)) if content is None else content
    header = b"\0\0" + bytes([kind, len(shape)]) + b"".join(each.to_bytes(4, "big") for each in shape)
    return header + body


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
def test_reads(shape: tuple[int, ...], pack: type[bytes], tmp_path: Path) -> None:
    path = tmp_path / "a-name-that-says-nothing"
    path.write_bytes(pack(idx(*shape)))
    array, digest = read(path, len(shape))
    assert array.dtype == np.uint8
    assert np.array_equal(array, np.arange(np.prod(shape)).reshape(shape))
    assert digest == hashlib.sha256(idx(*shape)).hexdigest()


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "a web page": (b"<!DOCTYPE html>", "is a web page, not an idx file"),
    "three bytes": (b"\0\0\x08", "is not an idx file: it starts with 00 00 08, not with 00 00"),
    "a picture": (b"\x89PNG\r\n", "is not an idx file: it starts with 89 50 4e 47, not with 00 00"),
    "floats": (idx(1, 1, 1, kind=0x0D), "holds floats; images and labels are unsigned bytes"),
    "unknown kind": (
        idx(1, 1, 1, kind=0x42),
        "holds an unknown type, 0x42; images and labels are unsigned bytes",
    ),
    "labels": (idx(4), "has 1 axes, but images have three"),
    "header": (idx(2, 3, 4)[:10], "ends in its header, after 10 of 16 bytes"),
    "nothing": (idx(0, 28, 28), "contains no data: its sizes are 0×28×28"),
    "short": (idx(2, 3, 4)[:-1], "says that it holds 2×3×4 = 24 bytes, but 23 follow: it is truncated"),
    "long": (idx(2, 3, 4) + b"\0", "says that it holds 2×3×4 = 24 bytes, but more follow"),
    "a lie": (
        idx(2**31, 2**31, 2**31, content=b""),
        "says that it holds 2147483648×2147483648×2147483648 = 9,903,520,314,283,042,199,192,993,792 bytes,"
        " more than any set: its header is damaged",
    ),
    "cut gzip": (
        gzip.compress(idx(2, 3, 4))[:-12],
        "the gzip data are damaged: compressed file ended before the end-of-stream marker was reached",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_says_how_it_is_broken(case: str, tmp_path: Path) -> None:
    content, message = BROKEN[case]
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, 3)
    assert str(caught.value).lower() == f"{path}: {message}".lower()


def test_damaged_gzip_is_told_whatever_byte_is_hit(tmp_path: Path) -> None:
    whole = gzip.compress(idx(2, 30, 40), mtime=0)
    path = tmp_path / "images"
    for at in range(2, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            array, _ = read(path, 3)
        except DataError:
            continue
        assert np.array_equal(
            array.ravel(), np.arange(2400) % 256
        )  # a byte of the header that changes nothing


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: it is a folder"):
        read(tmp_path, 3)


# What a file promises is held against what it can hold, before anything is read.


def peak(attempt: Callable[[], object]) -> int:
    """The most bytes that the attempt holds at once; it must be refused."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            attempt()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bomb(path: Path, *shape: int) -> Path:
    """An idx file of zeros, packed; written without ever holding what it unpacks to."""
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(idx(*shape, content=b""))
        left, chunk = int(np.prod(shape, dtype=np.int64)), bytes(1 << 22)
        while left > 0:
            stream.write(chunk[:left])
            left -= len(chunk)
    return path


def test_a_header_that_promises_more_than_the_file_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "images"
    for content in (idx(60_000, 400, 400, content=b"x"), gzip.compress(idx(60_000, 400, 400, content=b"x"))):
        path.write_bytes(content)
        assert peak(lambda: read(path, 3)) < 1_000_000
        with pytest.raises(DataError, match=r"it is damaged|it is truncated"):
            header(path, 3)


def test_an_honest_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Its header says what follows, 300 MB of zeros in a file of one."""
    path = bomb(tmp_path / "images", 30_000, 100, 100)
    assert path.stat().st_size < 3_000_000
    assert peak(lambda: read(path, 3)) < 1_000_000
    with pytest.raises(
        DataError, match=r"unpacks to 300,000,000 bytes, .* real data do not compress this well"
    ) as caught:
        read(path, 3)
    assert caught.value.help == "if the data are real, save them without compression"


def test_a_lying_bomb_is_read_no_further_than_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(idx(2, 3, 4, content=bytes(100_000_000)), 1))
    assert peak(lambda: read(path, 3)) < 1_000_000


def test_bytes_are_held_once(tmp_path: Path) -> None:
    path = tmp_path / "images"
    for pack in (bytes, gzip.compress):
        path.write_bytes(pack(idx(2000, 50, 100)))
        tracemalloc.start()
        array, _ = read(path, 3)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert array.size == 10_000_000
        assert held < 10_000_000 + 6_000_000  # and a chunk or two
