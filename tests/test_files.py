"""Reading looks before it opens; writing leaves the old file or the new one, whatever happens in between."""

from __future__ import annotations

import ast
import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from netspec import files

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
AS_NOBODY = "import os\nif os.geteuid() == 0: os.setuid(65534)\n"
"""What a program runs, once all is imported, to lose the rights of root."""


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """A test that waits for a pipe fails instead of waiting for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write to."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def refusal(attempt: Callable[[], object]) -> str:
    """Why the attempt fails."""
    try:
        attempt()
    except OSError as error:
        return files.reason(error)
    raise AssertionError("it does not fail")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path)


def nothing(path: Path) -> None:
    """Leave it out."""


ODD: dict[Callable[[Path], None], str] = {
    pipe: "it is a named pipe, not a regular file",
    a_socket: "it is a socket, not a regular file",
    folder: "it is a folder, not a regular file",
    device: "it is a device, not a regular file",
    circle: "its links form a loop",
    nothing: "it does not exist",
}


@PIPES
@pytest.mark.parametrize(("make", "why"), ODD.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_only_plain_files_are_opened(make: Callable[[Path], None], why: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    make(path)
    fault = files.fault(path)
    assert fault is not None
    assert refusal(lambda: files.read(path)) == files.reason(fault) == why


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("x" * 5000, "its path is too long"),
        ("/".join(["x"] * 3000), "its path is too long"),
        ("a\0b", "its path contains a null character"),
        ("a\ud800b", "its path contains a character that no file name can contain"),
    ],
)
def test_a_path_that_no_file_has(path: str, why: str) -> None:
    assert refusal(lambda: files.read(path)) == why
    assert refusal(lambda: files.write(path, "x")) == why
    assert not files.exists(path)
    assert len(files.shortened(path)) <= files.LONGEST + 1


def test_bytes_that_are_no_text_make_a_path_all_the_same(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")
    files.write(path, "x")
    assert files.read(path) == b"x"


def test_a_folder_without_permission(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir()
    (closed / "x").write_text("x")
    closed.chmod(0)
    program = (
        f"import sys; sys.path[:0] = sys.argv[1:]\nfrom netspec import files\n{AS_NOBODY}"
        "for attempt in (files.read, lambda path: files.write(path, 'y')):\n"
        "    try: attempt('closed/x')\n"
        "    except OSError as error: print(files.reason(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *sys.path],
        cwd=open_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    closed.chmod(0o700)
    assert done.stdout.splitlines() == ["permission denied"] * 2, done.stderr


def test_a_link_is_followed_and_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    files.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    (tmp_path / "other").touch()
    files.write(tmp_path / "fresh", "new")
    assert (tmp_path / "fresh").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    count = iter(range(9))

    def fsync(handle: int) -> None:
        if next(count):  # the second file no longer fits: the first must not be replaced either
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_all({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert (files.reason(caught.value), caught.value.filename) == ("the disk is full", str(tmp_path / "b"))
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["old", "old"]


def test_a_file_that_may_not_grow_leaves_what_was_there(tmp_path: Path) -> None:
    """The kernel stops the write in the middle, as it does when a disk is full."""
    (tmp_path / "x").write_text("old")
    program = (
        "import resource, signal, sys; sys.path[:0] = sys.argv[1:]\nfrom netspec import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: files.write('x', b'n' * 1_000_000)\n"
        "except OSError as error: print(files.reason(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *sys.path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "the file would be larger than the system allows\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "old"


def test_a_kill_leaves_a_whole_file(tmp_path: Path) -> None:
    """Killed at moments that the seed chooses; the file is always one of the two that were being written."""
    seed = 7
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\nfrom netspec import files\n"
        "whole = [b'a' * 400_000, b'b' * 400_000]\nfiles.write('x', whole[0])\nprint('go', flush=True)\n"
        "while True:\n    for each in whole: files.write('x', each)"
    )
    moments = random.Random(seed)
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", program, *sys.path], cwd=tmp_path, stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.02))
        writer.kill()
        writer.communicate()
        content = (tmp_path / "x").read_bytes()
        assert (len(content), len(set(content))) == (400_000, 1), f"seed {seed}"


def test_an_error_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with files.writing(tmp_path / "x") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


# Everywhere else, files are read and written by these functions.

ELSEWHERE = {
    "cli/netspec_cli/ranks.py": "the null device, and a mark in torchrun's folder that an error is reported",
    "cli/netspec_cli/apart.py": "a line in a temporary folder that says how far a process came, which may die at once",
    "cli/netspec_cli/streams.py": "the null device, in place of a stream that is closed",
    "backends/netspec_keras/export.py": "what Keras wrote into a temporary folder",
    "backends/netspec_keras/saving.py": "what Keras wrote into a temporary folder",
    "netspec/arrays.py": "a member of an archive in memory",
    "netspec/benchmark.py": "questions and answers in a folder of its own, and /proc",
    "netspec/installation.py": "what Python keeps about a package",
    "netspec/backend/registered.py": "what Python keeps about its packages",
    "netspec/training/claim.py": "metrics.jsonl, to which lines are added under a lock",
    "netspec/data/cifar.py": "the numbers of a file that is open",
    "netspec/data/fetch.py": "a download that is continued where it ended, and archives that are open",
    "netspec/data/decoding.py": "pictures in a file that is open",
    "netspec/data/idx.py": "gzip around a file that is open",
    "netspec/data/npz.py": "a member of an archive that is open",
    "netspec/weights/containers.py": "a member of an archive in memory",
}
CALLS = {"open", "fdopen", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "mkstemp"}
CALLS |= {"load_file", "save_file", "safe_open", "NamedTemporaryFile", "savefig", "fromfile", "tofile"}


def test_no_other_file_opens_files() -> None:
    root = Path(__file__).parents[1]
    found = set()
    for package in ("netspec", "backends", "cli"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in CALLS:
                        found.add(path.relative_to(root).as_posix())
    assert found - {"netspec/files.py"} == ELSEWHERE.keys()
