"""A run that is stopped, killed or out of disk says so; one folder is one process's; a failed start blocks nothing."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from netspec import files
from netspec.data.bounds import DataError
from netspec.data.parts import Parts
from netspec.data.source import Decoded, Field, Purpose, numbered
from netspec.training.claim import CannotKeep, Claim, FolderTaken
from netspec.training.run import resume, train
from tests.having import TRAINERS
from tests.training.fakes import FakeBackend, dataset, network, validated
from tests.training.test_run import FIGURES, RECIPE

__all__ = ["validated"]
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="it sends signals to a process")

SPEC = """\
netspec: 1
name: tiny
input: [1, 2, 2]
layers: [flatten, {dense: 3}, softmax]
train: {data: ./own.npz, batch: 2, epochs: 9999}
"""

# A backend that trains for minutes, a step every few milliseconds.
PROGRAM = """
import sys, time
sys.path[:0] = sys.argv[1].split(":")
import netspec.backend
from tests.training.fakes import FakeBackend

class Slow(FakeBackend):
    def trainer(self, task):
        print("fitting", flush=True)
        time.sleep(0.1)
        return super().trainer(task)

class Losses:
    def __iter__(self):
        while True:
            time.sleep(0.005)
            yield 1.0

figures = [{"train_loss": 1.0, "train_accuracy": 0.5}] * 9999
netspec.backend.usable = lambda wanted, capability: [Slow(Losses(), figures)]
sys.argv = ["netspec", "train", "tiny.yaml", "-b", "fake", *sys.argv[2:]]
from netspec_cli.main import run
run()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec and its data."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(SPEC)
    images, labels = np.arange(20, dtype=np.uint8).reshape(5, 2, 2), np.arange(5) % 3
    np.savez("own.npz", train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    return tmp_path


def facts(folder: str | Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(folder, "run.json").read_text())
    return told


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begun() -> Iterator[Start]:
    """Starts a training in a process of its own, and returns when it has called the backend."""
    processes = []
    path = ":".join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, path, *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == "fitting\n", process.communicate()
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def until(holds: Callable[[], bool], seconds: int = 20) -> None:
    """Wait for a process to come so far."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.01)


def has_lines(folder: str, count: int) -> Callable[[], bool]:
    return lambda: Path(folder, "metrics.jsonl").read_text().count("\n") >= count


@POSIX
@pytest.mark.parametrize(
    ("number", "code", "says"),
    [(signal.SIGINT, 130, "note: the run"), (signal.SIGTERM, 143, "the training was asked to stop\nthe run")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_stopped_run_says_where_it_lies_and_how_it_ended(
    number: signal.Signals, code: int, says: str, begun: Start
) -> None:
    process = begun("-o", "run")
    until(has_lines("run", 4))
    assert facts("run")["state"] == "running"
    process.send_signal(number)
    process.send_signal(number)  # somebody impatient
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert f"{says} is kept in run: " in err
    assert "Traceback" not in err
    told = facts("run")
    assert told["state"] == "stopped"
    assert told["ended"] >= told["started"]
    lines = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert told["epochs"] == sum("seconds" in line for line in lines)
    assert told["steps"] == sum("step" in line for line in lines)


@POSIX
def test_stopped_before_its_first_step_it_leaves_nothing(begun: Start) -> None:
    process = begun("-o", "run")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, Path("run").exists()) == (130, False), err
    assert "Traceback" not in err


@POSIX
def test_a_kill_leaves_whole_files_and_a_killed_start_blocks_nothing(begun: Start) -> None:
    process = begun("-o", "run")
    process.kill()
    process.communicate()
    assert facts("run")["state"] == "running"
    Path("run/.netspec-0123456789ab.part").touch()  # as a kill in the middle of a file leaves it
    again = begun("-o", "run")  # the start that was killed before its first step does not block this one
    seed = 11
    time.sleep(random.Random(seed).uniform(0.3, 0.6))
    until(has_lines("run", 4))
    again.kill()
    again.communicate()
    assert all(
        "loss" in line or "seconds" in line for line in Path("run/metrics.jsonl").read_text().splitlines()
    ), seed
    for name in ("weights", "checkpoint"):
        assert load_file(f"run/{name}.safetensors")
    with pytest.raises(
        FolderTaken, match="run contains a run; name a new folder, or overwrite it with --force"
    ):
        Claim.take(Path("run"))


@POSIX
def test_a_folder_in_which_a_training_runs_is_taken_even_by_force(begun: Start) -> None:
    process = begun("-o", "run")
    for force in (False, True):
        with pytest.raises(FolderTaken, match="a training writes to run"):
            Claim.take(Path("run"), force=force)
    process.kill()
    process.communicate()
    Claim.take(Path("run")).give_back()


@POSIX
@pytest.mark.parametrize("kept", [(), ("runs",), ("runs", "runs/other")], ids=str)
def test_what_a_claim_creates_it_removes(kept: tuple[str, ...]) -> None:
    """Also the folders around its own; not those that were there before, or contain something else."""
    for each in kept:
        Path(each).mkdir()
    before = sorted(Path().rglob("*"))
    Claim.numbered(Path("runs/deep"), "x").give_back()
    assert sorted(Path().rglob("*")) == before
    Claim.take(Path("runs/deep/er")).give_back()
    assert sorted(Path().rglob("*")) == before
    first, second = Claim.numbered(Path("runs"), "x"), Claim.numbered(Path("runs"), "x")
    first.give_back()
    assert second.path.is_dir()
    second.give_back()


def _race(path: str, where: str, barrier: Any, wins: Any) -> None:
    barrier.wait(30)
    try:
        claim = Claim.numbered(Path(path), "x") if where == "numbered" else Claim.take(Path(path))
        wins.put(str(claim.path))
    except FolderTaken:
        pass
    barrier.wait(30)  # whoever has the folder holds it until the other has tried


@POSIX
@pytest.mark.slow
def test_two_processes_never_have_one_folder() -> None:
    context = get_context("fork")
    for attempt in range(21):
        where = ["new", "empty", "numbered"][attempt % 3]
        folder = f"run{attempt}"
        if where == "empty":
            Path(folder).mkdir()
        barrier, wins = context.Barrier(2), context.Queue()
        both = [context.Process(target=_race, args=(folder, where, barrier, wins)) for _ in range(2)]
        for each in both:
            each.start()
        found = [wins.get(timeout=30)]
        for each in both:
            each.join()
        while not wins.empty():
            found.append(wins.get())
        assert len(set(found)) == len(found) == (2 if where == "numbered" else 1), where


def no_space(handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_the_run_and_leaves_no_half_file(monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.write
    full = iter([True])

    def write(path: Path, content: str | bytes) -> None:
        with monkeypatch.context() as patch:
            if path.name == "weights.safetensors" and path.exists() and next(full, False):
                patch.setattr(os, "fsync", no_space)
            real(path, content)

    monkeypatch.setattr(files, "write", write)
    with pytest.raises(CannotKeep, match=r"cannot write run/weights.safetensors: the disk is full") as caught:
        train(network(), FakeBackend([1.0] * 9, FIGURES), RECIPE, dataset(), out=Path("run"))
    assert caught.value.__notes__ == [
        "the run is kept in run: 1 epoch, 6 steps",
        "to go on when that is repaired: netspec train --resume run",
    ]
    told = facts("run")
    assert told["state"] == "failed"
    assert told["reason"] == "cannot write run/weights.safetensors: the disk is full"
    assert not [path for path in Path("run").iterdir() if files.is_part(path.name)]
    assert load_file("run/weights.safetensors")


def test_a_full_disk_at_the_start_leaves_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(CannotKeep, match="the disk is full"):
        train(network(), FakeBackend([1.0] * 9, FIGURES), RECIPE, dataset(), out=Path("run"))
    assert not Path("run").exists()


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
@pytest.mark.parametrize("out", [Path("run"), None])
def test_a_folder_that_the_system_does_not_create_is_told(
    out: Path | None, error: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a removed current folder, which answers that there is none, or of one that is read-only."""

    def refuse(*_: object, **__: object) -> None:
        raise error(errno.ENOENT if error is FileNotFoundError else errno.EACCES, "no")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CannotKeep, match="cannot write run"):
        train(network(), FakeBackend([1.0] * 9, FIGURES), RECIPE, dataset(), out=out)


class Breaks:
    """A report after whose first epoch a file is gone."""

    def __init__(self) -> None:
        self.gone = False

    def steps(self, epoch: int, first: int, losses: object) -> None:
        pass

    def epoch(self, epoch: object) -> None:
        self.gone = True

    def tested(self, epoch: object) -> None:
        pass


def test_a_file_that_vanishes_leaves_a_run_that_goes_on() -> None:
    breaks = Breaks()

    def decode(index: int) -> dict[str, Any]:
        if breaks.gone and index == 4:
            raise DataError("4.png: cannot be read: it does not exist")
        return {"images": np.full((1, 2, 2), index, "uint8")}

    labels = {"labels": np.arange(6) % 3}
    fields = {
        "images": Field((1, 2, 2), "uint8", Purpose.input),
        "labels": Field((), "int64", Purpose.target),
    }
    data = Parts("own", "own", Decoded(fields, labels, decode, 6, numbered("own"), workers=1))
    backend = FakeBackend([1.0] * 99, FIGURES)
    with pytest.raises(DataError, match="does not exist") as caught:
        train(network(), backend, RECIPE, data, out=Path("run"), listeners=[breaks])
    assert caught.value.__notes__[-1] == "to go on when that is repaired: netspec train --resume run"
    assert facts("run")["reason"] == "4.png: cannot be read: it does not exist"
    breaks.gone = False
    resumed = resume(network(), backend, RECIPE, data, Path("run"))
    assert [epoch.number for epoch in resumed.epochs] == [*range(1, RECIPE.epochs + 1)]
    assert facts("run")["state"] == "finished"


class Fails(FakeBackend):
    """A backend that fails while it builds."""

    def trainer(self, task: Any) -> Any:
        raise MemoryError


def test_a_start_that_fails_leaves_no_folder() -> None:
    Path("mine").mkdir()
    for out in (Path("run"), Path("mine"), None):
        with pytest.raises(MemoryError):
            train(network(), Fails([], []), RECIPE, dataset(), out=out)
    assert not Path("run").exists()
    assert not list(Path("mine").iterdir())
    assert not Path("runs").exists()


@pytest.mark.usefixtures("validated")
def test_a_finished_run_says_so_and_force_writes_over_it() -> None:
    def again(**options: Any) -> None:
        backend = FakeBackend([1.0] * 9, FIGURES)
        train(network(), backend, RECIPE, dataset(), out=Path("run"), text="netspec: 1\n", **options)

    again()
    assert {key: facts("run")[key] for key in ("state", "epochs", "steps")} == {
        "state": "finished",
        "epochs": 3,
        "steps": 9,
    }
    Path("run/mine.txt").write_text("precious")
    with pytest.raises(FolderTaken, match="run contains a run"):
        again()
    with pytest.raises(FolderTaken, match=r"run/best.safetensors is a file that this training starts from"):
        again(force=True, inputs=[Path("run/best.safetensors")])
    again(force=True)
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 13
    assert Path("run/mine.txt").read_text() == "precious"


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("backend", TRAINERS)
def test_ctrl_c_in_a_real_training(backend: str) -> None:
    """At two moments that a seed chooses: while the model is built, and between two steps."""
    seed = 5
    chance = random.Random(seed)
    text = (
        SPEC.replace("[1, 2, 2]", "[1, 28, 28]")
        .replace("dense: 3", "dense: 10")
        .replace("./own.npz", "fashion-mnist-small")
    )
    Path("tiny.yaml").write_text(text)
    path = ":".join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)
    program = f"import sys; sys.path[:0] = {path.split(':')!r}\nfrom netspec_cli.entry import run\nrun()"
    for steps in (0, 1):
        folder = Path(f"run{steps}")
        command = [sys.executable, "-c", program, "train", "tiny.yaml", "-b", backend, "-o", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until((folder / "run.json").exists, 120)
        if steps:
            until(has_lines(str(folder), steps), 120)
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        assert (process.returncode, "Traceback" in err) == (130, False), f"seed {seed}: {err}"
        assert err.endswith("netspec: interrupted\n")
        if folder.exists():
            assert facts(folder)["state"] == "stopped"
            assert f"note: the run is kept in {folder}: 0 epochs, " in err
        else:
            assert not steps
