"""The idx reader: what is whole is read, each way to be broken is told in its own words."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from netspec.training.idx import DataError, read


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
    "three bytes": (b"\0\0\x08", "is no idx file: it starts with 00 00 08, not with 00 00"),
    "a picture": (b"\x89PNG\r\n", "is no idx file: it starts with 89 50 4e 47, not with 00 00"),
    "floats": (idx(1, 1, 1, kind=0x0D), "holds floats; images and labels are unsigned bytes"),
    "unknown kind": (
        idx(1, 1, 1, kind=0x42),
        "holds something unknown, 0x42; images and labels are unsigned bytes",
    ),
    "labels": (idx(4), "has 1 axes, and images have three"),
    "header": (idx(2, 3, 4)[:10], "ends within its header, after 10 of 16 bytes"),
    "nothing": (idx(0, 28, 28), "holds nothing: its sizes are 0×28×28"),
    "short": (idx(2, 3, 4)[:-1], "says that it holds 2×3×4 = 24 bytes, and 23 follow: it is cut short"),
    "long": (idx(2, 3, 4) + b"\0", "says that it holds 2×3×4 = 24 bytes, and more follow"),
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
    with pytest.raises(DataError, match="cannot be read: is a directory"):
        read(tmp_path, 3)
