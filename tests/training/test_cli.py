"""`netspec train`: what it prints where, and with which exit code it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import netspec.backend
from tests.having import ORACLE, TRAINER
from tests.training import commands
from tests.training.commands import Netspec
from tests.training.fakes import FakeBackend

SPEC = """\
netspec: 1
name: tiny
params: {classes: 3}
input: [1, 2, 2]
layers: [flatten, {dense: $classes}, softmax]
train: {data: ./own.npz, batch: 2, epochs: 2}
"""
FIGURES = [
    {"train_loss": 1.0, "train_accuracy": 0.25, "validation_loss": 1.5, "validation_accuracy": 0.5},
    {"train_loss": 0.5, "train_accuracy": 0.5, "validation_loss": 0.75},
]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netspec:
    """Runs `netspec` with these words, in a folder with a spec and its data."""
    images, labels = np.arange(20, dtype=np.uint8).reshape(5, 2, 2), np.arange(5) % 3
    keys = [f"{part}_{what}" for part in ("train", "validation", "test") for what in ("images", "labels")]
    (tmp_path / "specs").mkdir()
    np.savez(tmp_path / "specs" / "own.npz", **dict(zip(keys, (images, labels) * 3, strict=True)))  # type: ignore[arg-type]
    (tmp_path / "specs" / "tiny.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return commands.netspec(monkeypatch, capsys)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """In the place of every backend."""
    backend = FakeBackend([1.0] * 99, FIGURES)
    backend.validated = True
    monkeypatch.setattr(netspec.backend, "usable", lambda wanted, capability: [backend])
    return backend


def test_prints_a_line_an_epoch_and_what_came_of_it(command: Netspec, fake: FakeBackend) -> None:
    answer = command("train", "specs/tiny.yaml", "--backend", "fake", "-o", "run")
    lines = answer.out.splitlines()
    assert (answer.code, answer.err) == (0, "")
    assert lines[:3] == [
        "epoch      train loss  train accuracy  validation loss  validation accuracy",
        "    1        1.000000         25.00 %         1.500000              50.00 %",
        "    2        0.500000         50.00 %         0.750000          unavailable",
    ]
    assert lines[3] == (
        "fake on own.npz: best validation accuracy 50.00 % after epoch 1; test accuracy 50.00 %; "
        "2 epochs, 0 s; kept in run"
    )
    assert Path("run/spec.yaml").read_text() == SPEC


def test_json(command: Netspec, fake: FakeBackend) -> None:
    answer = command("train", "specs/tiny.yaml", "--backend", "fake", "--format", "json")
    told = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    assert list(told) == ["netspec", "spec", "name", "backend", "data", "folder", "epochs", "best", "test"]
    assert told["folder"] == "runs/tiny-fake-1"
    assert told["epochs"][1]["validation_accuracy"] is None
    assert told["best"]["epoch"] == 1


def test_settings_from_the_command_line(command: Netspec, fake: FakeBackend) -> None:
    answer = command(
        *("train", "specs/tiny.yaml", "--backend", "fake", "--epochs", "1", "--seed", "9", "--device", "cpu"),
        *("--set", "train.optimizer.sgd.learning_rate=0.5", "--set", "train.batch=5", "--set", "classes=4"),
    )
    assert answer.code == 0, answer.err
    (task,) = fake.tasks
    assert (len(fake.labels), task.seed, task.device) == (1, 9, "cpu")
    assert (task.optimizer.kind, task.optimizer.learning_rate) == ("sgd", 0.5)
    assert task.weights["dense1.weight"].shape == (4, 4)


def test_a_path_on_the_command_line_counts_from_here(command: Netspec, fake: FakeBackend) -> None:
    Path("specs/own.npz").rename("mine.npz")
    assert command("train", "specs/tiny.yaml", "--backend", "fake", "--data", "mine.npz").code == 0


def test_starts_from_given_weights(command: Netspec, fake: FakeBackend) -> None:
    assert command("train", "specs/tiny.yaml", "--backend", "fake", "-o", "a").code == 0
    answer = command(
        "train", "specs/tiny.yaml", "--backend", "fake", "-o", "b", "--weights", "a/weights.safetensors"
    )
    assert answer.code == 0, answer.err
    first, second = fake.tasks
    grown = np.asarray(first.weights["dense1.bias"], np.float32) + 2
    assert np.array_equal(second.weights["dense1.bias"], grown)


# What the words are, the exit code, and what stderr says.
REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no such setting": (
        ("--set", "train.epoch=3"),
        2,
        "netspec: --set train.epoch=3: a recipe does not have the setting `epoch`\n  help: write `epochs`\n",
    ),
    "no epochs": (
        ("--epochs", "0"),
        2,
        "netspec: --epochs 0: `epochs` must be a whole number from 1, not `0`\n"
        "  help: write `--epochs 10`, for example\n",
    ),
    "no epochs, by their key": (
        ("--set", "train.epochs=0"),
        2,
        "netspec: --set train.epochs=0: `epochs` must be a whole number from 1, not `0`\n"
        "  help: write `--set train.epochs=10`, for example\n",
    ),
    "several settings": (
        ("--set", "train.batch=0", "--seed", "-1", "--set", "train.optimizer.sgd.lr=3"),
        2,
        "netspec: --set train.batch=0: `batch` must be a whole number from 1, not `0`\n"
        "  help: write `--set train.batch=64`, for example\n"
        "netspec: --set train.optimizer.sgd.lr=3: `sgd` does not have the setting `lr`\n"
        "  help: write `learning_rate`: this is the name in netspec\n"
        "netspec: --seed -1: `seed` must be a whole number from 0 to 2³² − 1, not `-1`\n"
        "  help: write `--seed 0`, for example\n",
    ),
    "a setting twice": (
        ("--set", "train.batch=1", "--set", "train.batch=2"),
        2,
        "netspec: --set train.batch=2: train.batch is set twice",
    ),
    "a tag": (("--set", "train.batch=!!int 3"), 2, "netspec: --set train.batch=!!int 3: `!!int` is a tag"),
    "no such parameter": (("--set", "clases=3"), 2, "netspec: the spec has no parameter 'clases'"),
    "no value": (("--set", "train.epochs"), 2, "netspec: --set train.epochs: write --set train.NAME=VALUE"),
    "no YAML": (("--set", "train.epochs=[1"), 2, "netspec: --set train.epochs=[1: "),
    "no such set": (
        ("--data", "mnits"),
        2,
        "netspec: --data mnits: no data set is called `mnits`",
    ),
    "a set that is not here": (("--data", "imagenet"), 2, "netspec: --data imagenet: no data set is called"),
    "no such file": (("--data", "./no.npz"), 2, "netspec: .*/no.npz: there is no such file or folder"),
    "a missing set": (
        ("--data", "mnist", "--data-dir", "nowhere"),
        2,
        "netspec: mnist is not here: nowhere/mnist lacks train-images-idx3-ubyte.gz, .*\nfetch\n  https://",
    ),
    "data that do not fit": (
        ("--set", "train.pad=1"),
        2,
        "netspec: --set train.pad=1: the images of own.npz are 1@4×4",
    ),
    "a figure of nothing": (
        ("--set", "train.best=train_f1"),
        2,
        "netspec: --set train.best=train_f1: nothing measures `train_f1`",
    ),
    "a taken folder": (("-o", "specs"), 2, "netspec: specs is not empty"),
    "no weights": (("--weights", "no.safetensors"), 2, "netspec: no.safetensors cannot be read"),
    "weights in two ways": (
        ("--weights", "a=b", "--weights", "c"),
        2,
        "netspec: --weights takes one FILE, or NAME=FILE",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, command: Netspec, fake: FakeBackend) -> None:
    words, code, message = REFUSED[case]
    answer = command("train", "specs/tiny.yaml", "--backend", "fake", *words)
    assert (answer.code, answer.out) == (code, "")
    assert re.match(message if ".*" in message else re.escape(message), answer.err), answer.err
    assert "Traceback" not in answer.err


def test_a_loss_that_is_no_number(command: Netspec, fake: FakeBackend) -> None:
    fake.losses = [float("inf")]
    answer = command("train", "specs/tiny.yaml", "--backend", "fake")
    assert answer.code == 1
    assert answer.err == (
        "netspec: the loss is inf at step 1 of epoch 1; a smaller learning rate may help\n"
        "in step 1, the first that is not finite is the output of `dense1`\n"
        "the run is kept in runs/tiny-fake-1: 0 epochs, 1 step\n"
    )


def test_an_unknown_backend(command: Netspec) -> None:
    misspelt = f"{TRAINER[:-2]}{TRAINER[-1]}{TRAINER[-2]}"
    answer = command("train", "specs/tiny.yaml", "--backend", misspelt)
    assert answer.code == 2
    assert f"no backend is called {misspelt!r}; did you mean `{TRAINER}`?" in answer.err


def test_a_backend_that_does_not_train(command: Netspec) -> None:
    answer = command("train", "specs/tiny.yaml", "--backend", ORACLE)
    assert answer.code == 2
    assert answer.err.startswith(f"netspec: {ORACLE} cannot train; ")
    assert not Path(f"runs/tiny-{ORACLE}-1").exists()


def test_a_wrong_setting_beside_a_wrong_recipe(command: Netspec, fake: FakeBackend) -> None:
    text = Path("specs/tiny.yaml").read_text()
    Path("specs/tiny.yaml").write_text(text.replace("batch: 2", "bacth: 2"))
    answer = command("train", "specs/tiny.yaml", "--backend", "fake", "--epochs", "0")
    assert answer.code == 2
    assert "error[NS0501]: a recipe does not have the setting `bacth`\n --> specs/tiny.yaml:6:" in answer.err
    assert "netspec: --epochs 0: " in answer.err


def test_a_missing_framework(command: Netspec, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(wanted: list[str], capability: object) -> None:
        raise netspec.backend.Unavailable("the backend one is missing", "pip install one")

    monkeypatch.setattr(netspec.backend, "usable", missing)
    answer = command("train", "specs/tiny.yaml", "--backend", "one")
    assert answer.code == 2
    assert answer.err == "netspec: the backend one is missing\n  fix: pip install one\n"
