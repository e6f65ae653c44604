"""Every command on streams that have no `×`, are full, or are closed: a sentence, and the exit code that is true."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import select
from xml.etree import ElementTree

import numpy as np
import pytest

from netspec.backend import Learns, backend
from netspec_cli.main import COMMANDS
from tests.having import LEARNER, TIMED, TRAINER, WRITERS, ready

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runner forks")

SPEC = """\
netspec: 1
name: small
description: a map of 5×5, 卷积
input: [1, 28, 28]
layers: [{conv: {filters: 2, kernel: 3, stride: 3}}, relu, flatten, {dense: 10}]
train: {data: fashion-mnist-small, batch: 10, epochs: 1}
"""
# A command, and its exit code where nothing is wrong with the streams.
CASES = {
    "--help": 0,
    "--version": 0,
    "check small.yaml": 0,
    "check wrong.yaml": 1,
    "check wrong.yaml --format json": 1,
    "check wrong.yaml --format sarif": 1,
    "check wrong.yaml --format junit": 1,
    "check wrong.yaml --format github": 1,
    "check kernel×.yaml": 2,
    "shapes small.yaml": 0,
    "shapes small.yaml --format json": 0,
    "shapes small.yaml --sett a=1": 2,
    **{f"compile small.yaml -b {name}": 0 for name in WRITERS},
    "convert small.yaml --pass still": 0,
    "draw small.yaml": 0,
    "data": 0,
    "data fashion-mnist-small": 0,
    "data ./nothing": 2,
    "ops": 0,
    "ops conv": 0,
    "ops --format json": 0,
    "schema": 0,
    "explain NS0301": 0,
    "explain all": 0,
    "arith conv -i 5x5 -k 3": 0,
    "arith conv -i 5x5 -k 3 --format json": 0,
    "arith conv -i 5×a -k 3": 2,
    "runs old": 0,
    "runs old --format json": 0,
    "weights show own.npz": 0,
    "weights diff own.npz own.npz --format json": 0,
    "weights show none.npz": 2,
    "evaluate old": 2,
    "predict small.yaml a.npy": 2,
    "predict missing.yaml missing.png": 2,
    "export old -o new": 2,
    "chek small.yaml": 2,
}
HEAVY = {
    "new --list": 0,
    "backends": 0,
    f"compare small.yaml --backends {LEARNER} --steps 0": 0,
    f"compare small.yaml --backends {LEARNER} --steps 0 --format json": 0,
    f"train small.yaml -b {TRAINER} --data ./own.npz --set train.batch=10 --epochs 1": 0,
    f"bench small.yaml --backends {TIMED} --steps 1": 0,
}
ENCODINGS = ("ascii", "cp1252", "latin-1", "utf-8")
LOST = ("full stdout",)
DEAF = (
    "closed pipe",
    "full stderr",
    "closed pipes",
    "closed stderr pipe",
    "no stdout",
    "no stderr",
    "nothing",
)

# Each command runs in a fork, so that what is imported is imported once. A fork ends as a process of its own does.
RUNNER = (
    f"ENCODINGS = {ENCODINGS}"
    """
import gc, importlib, io, json, os, pkgutil, sys
import netspec, netspec_cli.main, netspec.schema

def onto(number, path):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)

def stream(number, encoding):
    try:
        os.fstat(number)
    except OSError:
        return None
    errors = "strict" if number == 1 else "backslashreplace"
    return io.TextIOWrapper(io.BufferedWriter(io.FileIO(number, "w", closefd=False)), encoding, errors)

def spoil(kind):
    if kind.startswith("full"):
        onto(1 if kind == "full stdout" else 2, "/dev/full")
    for number in {"closed pipe": [1], "closed pipes": [1, 2], "closed stderr pipe": [2]}.get(kind, []):
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, number)
    for number in {"no stdout": [1], "no stderr": [2], "nothing": [1, 2]}.get(kind, []):
        os.close(number)
    encoding = kind if kind in ENCODINGS else "utf-8"
    sys.stdout, sys.stderr = stream(1, encoding), stream(2, encoding)

def code(number, command, folder, kind):
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        onto(1, f"{number}.out")
        onto(2, f"{number}.err")
        spoil(kind)
        sys.argv = ["netspec", *command.split()]
        netspec_cli.main.run()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for name in sys.argv[1:]:
    importlib.import_module(name)
for package in (netspec, netspec_cli):
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
netspec.schema.schema()
gc.collect()
gc.freeze()
for line in sys.stdin:
    folder, kind, commands = json.loads(line)
    print(json.dumps([code(*each, folder, kind) for each in enumerate(commands)]), flush=True)
"""
)


class Outcome:
    """How one command ended, and what it wrote."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.out, self.err = code, out, err


class Runner:
    """A process that has imported netspec and these modules, and runs commands in forks of itself."""

    def __init__(self, *modules: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUTF8": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"},
            text=True,
        )

    def outcomes(self, folder: Path, kind: str, commands: dict[str, int]) -> dict[str, Outcome]:
        """Run the commands in a folder, on streams of this kind."""
        (folder / "small.yaml").write_text(SPEC, encoding="utf-8")
        images, labels = np.zeros((20, 1, 28, 28), "uint8"), np.arange(20, dtype="int64") % 10
        parts = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}
        np.savez(folder / "own.npz", **parts)  # type: ignore[arg-type]
        (folder / "wrong.yaml").write_text(SPEC.replace("kernel: 3", "kernel: 29"), encoding="utf-8")
        (folder / "old").mkdir(exist_ok=True)
        (folder / "old" / "run.json").write_text('{"state": "finished", "spec": "卷积"}', encoding="utf-8")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(folder), kind, list(commands)]), file=self._process.stdin, flush=True)
        codes: list[int] = json.loads(self._process.stdout.readline())
        return {
            command: Outcome(code, (folder / f"{at}.out").read_bytes(), (folder / f"{at}.err").read_bytes())
            for at, (command, code) in enumerate(zip(commands, codes, strict=True))
        }

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


UNREAD = ("closed pipe", "closed pipes")
"""Where the reader of the report is gone: the answer, 0 or 1, is not wanted, and the exit code is 0."""


def wanted(code: int, kind: str) -> int:
    """The exit code of a command on such streams, where `code` is that on streams with which nothing is wrong."""
    if kind in LOST:
        return 2
    return 0 if kind in UNREAD and code == 1 else code


def hold(found: dict[str, Outcome], commands: dict[str, int], kind: str = "utf-8") -> None:
    """Every command has its exit code, and nothing reads like a fault of netspec or of the interpreter."""
    for command, each in found.items():
        said = each.err.decode("utf-8", "replace")
        for word in ("a bug in", "Traceback", "Exception ignored", "OSError"):
            assert word not in said, f"{command}: {said}"
        assert each.code == wanted(commands[command], kind), f"{command}: {each.code}\n{said}"


@pytest.fixture(scope="module")
def quick() -> Iterator[Runner]:
    """For the commands of `CASES`, which import no framework: a fork with one in it takes four times as long."""
    runner = Runner()
    yield runner
    runner.end()


@pytest.fixture(scope="module")
def heavy() -> Iterator[Runner]:
    """For the commands of `HEAVY`."""
    ready(Learns)
    runner = Runner(*backend(LEARNER).frameworks)
    yield runner
    runner.end()


@pytest.fixture(scope="module")
def plain(quick: Runner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What every command writes where nothing is in its way."""
    return quick.outcomes(tmp_path_factory.mktemp("plain"), "utf-8", CASES)


def test_the_table_has_every_command() -> None:
    assert {each.split()[0] for each in (*CASES, *HEAVY)} >= set(COMMANDS)


def test_the_exit_codes(plain: dict[str, Outcome]) -> None:
    hold(plain, CASES)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS[:2])
def test_what_a_stream_cannot_encode_is_escaped(
    encoding: str, quick: Runner, plain: dict[str, Outcome], tmp_path: Path
) -> None:
    found = quick.outcomes(tmp_path, encoding, CASES)
    hold(found, CASES)
    for command, each in found.items():
        name = command.split()[0]
        if name in ("compile", "convert", "draw", "schema") or command.endswith(("junit", "github")):
            assert each.out == plain[command].out, "a document is the same bytes everywhere"
        elif "json" in command or "sarif" in command:
            assert json.loads(each.out.decode("ascii")) == json.loads(plain[command].out.decode("utf-8"))
        else:
            each.out.decode(encoding)
    times = "\\xd7" if encoding == "ascii" else "×"
    assert f"1@28{times}28" in found["shapes small.yaml"].out.decode(encoding)
    assert ElementTree.fromstring(found["draw small.yaml"].out.decode("utf-8")) is not None


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library prints with C would be written into the file."""
    program = (
        "import os; [os.close(each) for each in range(3)]; import sys; sys.stdout = sys.stderr = None\n"
        "from netspec_cli import streams; streams.prepare()\n"
        "out = open('out', 'w'); os.write(1, b'noise'); os.write(2, b'noise'); out.write(str(out.fileno() > 2))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_text() == "True"


def test_a_pipe_that_does_not_wait_gets_the_whole_report() -> None:
    """The pipe is smaller than the report, and nobody reads until it is full."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    command = [sys.executable, "-c", "from netspec_cli.entry import run; run()", "schema"]
    whole = subprocess.run(command, capture_output=True, check=True).stdout
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        assert process.stderr is not None
        select([reading], [], [], 60)
        time.sleep(0.3)
        with os.fdopen(reading, "rb") as stream:
            found = stream.read()
        assert (process.stderr.read(), process.wait(60)) == (b"", 0)
    assert len(whole) > 1 << 16
    assert found == whole


@pytest.mark.parametrize("kind", LOST)
def test_a_report_that_is_lost_is_an_error(kind: str, quick: Runner, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    found = quick.outcomes(tmp_path, kind, CASES)
    hold(found, CASES, kind)
    assert found["ops"].err == b"netspec: cannot write to standard output: No space left on device\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*ENCODINGS, *LOST, *DEAF])
def test_every_command_on_every_kind_of_stream(
    kind: str, quick: Runner, heavy: Runner, plain: dict[str, Outcome], tmp_path: Path
) -> None:
    if kind.startswith("full") and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    found = quick.outcomes(tmp_path, kind, CASES)
    hold(found, CASES, kind)
    hold(heavy.outcomes(tmp_path, kind, HEAVY), HEAVY, kind)
    if "stderr" in kind:
        assert [each.out for each in found.values()] == [each.out for each in plain.values()]
