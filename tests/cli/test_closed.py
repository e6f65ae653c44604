"""Whatever a command may not read or write is a sentence and exit code 2, and nothing is left half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from netspec.loading import load
from netspec.weights import initialise, save
from tests.having import WRITER
from tests.test_files import AS_NOBODY

SPEC = """\
netspec: 1
name: tiny
input: [1, 2, 2]
layers: [flatten, {dense: 3}, softmax]
train: {data: ./own.npz, batch: 2, epochs: 1}
"""

# Each command once as it is, so that all of it is imported while it may be read; then without the rights of root.
PROGRAM = f"""
import contextlib, io, json, os, sys
sys.path[:0] = sys.argv[1].split(":")
import netspec.backend
from tests.training.fakes import FakeBackend
from netspec_cli import main
netspec.backend.usable = lambda wanted, capability: [FakeBackend([1.0] * 9, [{{"train_loss": 1.0}}])]
from rich.console import Console
from rich.progress import Progress

def run(words):
    sys.argv, out, err = ["netspec", *words], io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try: main.run()
        except SystemExit as stop: code = stop.code or 0
    return code, err.getvalue()

before, closed = json.loads(sys.argv[2])
for words in before: run(words)
{AS_NOBODY}
print(json.dumps([run(words) for words in closed]))
"""

GOOD = "tiny.yaml"
READS = {
    "check": ["check", "closed/tiny.yaml"],
    "shapes": ["shapes", "closed/tiny.yaml"],
    "compile": ["compile", "closed/tiny.yaml", "-b", WRITER],
    "draw": ["draw", "closed/tiny.yaml"],
    "new": ["new", "x", "--from", "closed/tiny.yaml"],
    "weights of convert": [
        "convert",
        GOOD,
        "--pass",
        "logits",
        "--weights",
        "closed/w.safetensors",
        "-o",
        "open/n.yaml",
    ],
    "weights of train": ["train", GOOD, "-b", "fake", "--weights", "closed/w.safetensors", "-o", "open/run"],
    "data": ["train", GOOD, "-b", "fake", "--data", "closed/own.npz", "-o", "open/run"],
    "a folder of data": ["train", GOOD, "-b", "fake", "--data", "./closed", "-o", "open/run"],
}
WRITES = {
    "compile": ["compile", GOOD, "-b", WRITER, "-o", "closed/x.py"],
    "compile into a folder that cannot be written": ["compile", GOOD, "-b", WRITER, "-o", "read/x.py"],
    "compile into a folder that cannot be made": ["compile", GOOD, "-b", WRITER, "-o", "read/deep/x.py"],
    "compile by force": ["compile", GOOD, "-b", WRITER, "-o", "closed/x.py", "--force"],
    "convert": ["convert", GOOD, "--pass", "logits", "--weights", "w.safetensors", "-o", "read/x.yaml"],
    "draw": ["draw", GOOD, "-o", "read/x.svg"],
    "schema": ["schema", "-o", "closed/x.json"],
    "train": ["train", GOOD, "-b", "fake", "-o", "closed/run"],
    "train into a folder that cannot be made": ["train", GOOD, "-b", "fake", "-o", "read/run"],
    "train into a folder that cannot be written": ["train", GOOD, "-b", "fake", "-o", "read"],
    "train into a folder without a name": ["train", GOOD, "-b", "fake"],
    "new": ["new", "mine"],
}


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str]]:
    """What every command says, without the rights of root, in a folder that only root may write to."""
    closed = {f"read: {name}": words for name, words in READS.items()}
    closed |= {f"write: {name}": words for name, words in WRITES.items()}
    with TemporaryDirectory() as name:
        here = Path(name)
        for folder in (here, here / "closed"):
            folder.mkdir(exist_ok=True)
            (folder / "tiny.yaml").write_text(SPEC)
            images, labels = np.arange(20, dtype=np.uint8).reshape(5, 2, 2), np.arange(5) % 3
            keys = ("train_images", "train_labels", "test_images", "test_labels")
            np.savez(folder / "own.npz", **dict(zip(keys, (images, labels) * 2, strict=True)))  # type: ignore[arg-type]
            save(folder / "w.safetensors", initialise(load(folder / "tiny.yaml")))
        (here / "open").mkdir(mode=0o777)
        (here / "read").mkdir()
        before = [
            [word.replace("closed", ".").replace("read", "warm").replace("open", "warm") for word in words]
            for words in closed.values()
        ]
        (here / "closed").chmod(0)
        (here / "read").chmod(0o555)
        path = ":".join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)
        (here / "warm").mkdir()
        here.chmod(0o555)
        command = [sys.executable, "-c", PROGRAM, path, json.dumps([before, list(closed.values())])]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
        left = sorted(each.name for each in (here / "read").iterdir()) + sorted(
            each.name for each in (here / "open").iterdir()
        )
        here.chmod(0o755)
        (here / "closed").chmod(0o755)
        (here / "read").chmod(0o755)
    assert done.returncode == 0, done.stderr
    found = dict(zip(closed, map(tuple, json.loads(done.stdout.splitlines()[-1])), strict=True))
    return {**found, "left": (0, " ".join(left))}


@pytest.mark.parametrize("name", [f"read: {name}" for name in READS])
def test_what_may_not_be_read(name: str, answers: dict[str, tuple[int, str]]) -> None:
    code, err = answers[name]
    assert (code, "cannot be read" in err, "permission denied" in err) == (2, True, True), err
    assert err.startswith("netspec: ")


@pytest.mark.parametrize("name", [f"write: {name}" for name in WRITES])
def test_what_may_not_be_written(name: str, answers: dict[str, tuple[int, str]]) -> None:
    code, err = answers[name]
    assert (code, "cannot write" in err, "permission denied" in err) == (2, True, True), err


def test_nothing_is_left_behind(answers: dict[str, tuple[int, str]]) -> None:
    assert answers["left"] == (0, "")
