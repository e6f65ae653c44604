"""`netspec compare --train`: what counts as equal, what is printed, and two real backends that learn the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import netspec.backend
from netspec.backend import Trains
from netspec.training.comparison import difference
from netspec_cli import learning
from netspec_cli.main import app
from tests.having import ready
from tests.training.fakes import FakeBackend

SPEC = """\
netspec: 1
name: tiny
input: [1, 2, 2]
layers: [flatten, {dropout: 0.5}, {dense: 3}, softmax]
train: {data: ./own.npz, batch: 3, epochs: 2}
"""
FIGURES = [{"train_loss": 1.5, "train_accuracy": 0.25}] * 2


@pytest.fixture(autouse=True)
def _with_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = np.arange(24, dtype=np.uint8).reshape(6, 2, 2), np.arange(6) % 3
    keys = [f"{part}_{what}" for part in ("train", "test") for what in ("images", "labels")]
    np.savez(tmp_path / "own.npz", **dict(zip(keys, (images, labels) * 2, strict=True)))  # type: ignore[arg-type]
    (tmp_path / "tiny.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)


def fakes(monkeypatch: pytest.MonkeyPatch, *losses: list[float]) -> list[FakeBackend]:
    """Backends with these losses of their steps."""
    found = [FakeBackend(each, FIGURES) for each in losses]
    for number, each in enumerate(found):
        each.name = f"fake{number}"
    monkeypatch.setattr(netspec.backend, "usable", lambda wanted, capability: found)
    monkeypatch.setattr(learning, "chosen", lambda backends, capability: [each.name for each in found])
    return found


@pytest.mark.parametrize(
    ("values", "apart"),
    [
        ((2.0, 2.0), 0),
        ((2.0, 1.0), 0.5),
        ((1.0, 1.5, 2.0), 0.5),
        ((0.0, 0.0), 0),
        ((1.0, None), float("inf")),
    ],
)
def test_a_difference_is_relative_to_the_largest(values: tuple[float | None, ...], apart: float) -> None:
    assert difference(values) == apart


def test_prints_a_row_an_epoch_and_draws_the_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = fakes(monkeypatch, [2.0, 1.0, 0.5, 0.25], [2.0, 1.0, 0.5, 0.25 * (1 - 1e-12)])
    done = CliRunner().invoke(app, ["compare", "tiny.yaml", "--train"])
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "tiny on own.npz: fake0 and fake1, float64, dropout off, 4 steps",
            "",
            "epoch  steps apart      train loss    apart  train accuracy    apart",
            "    1            0        1.500000        0         25.00 %        0",
            "    2      1.0e-12        1.500000        0         25.00 %        0",
            "test: loss 1.500000 (apart 0), accuracy 50.00 % (apart 0)",
            "",
            "equal: fake0 and fake1 learn the same: losses differ by 1.0e-12 at most, in epoch 2 (tolerance 1e-09)",
        ],
    )
    picture = Path("tiny-curves.svg").read_text(encoding="utf-8")
    assert "loss of each step" in picture
    assert {"fake0", "fake1"} <= set(picture.replace("<", ">").split(">"))
    assert first.tasks[0].precision == "float64"
    assert first.tasks[0].graph.by_name["dropout1"].op.rate == 0, "two frameworks draw different masks"  # type: ignore[attr-defined]


def test_ends_with_1_where_losses_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes(monkeypatch, [2.0, 1.0, 0.5, 0.25], [2.0, 1.0 + 1e-7, 0.5, 0.25])
    done = CliRunner().invoke(app, ["compare", "tiny.yaml", "--train", "--epochs", "2", "--format", "json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["equal"], told["backends"]) == (1, False, ["fake0", "fake1"])
    assert told["epochs"][0]["steps"] == pytest.approx(1e-7, rel=1e-6)
    assert told["epochs"][1]["figures"]["train_loss"] == {"fake0": 1.5, "fake1": 1.5, "difference": 0.0}
    again = CliRunner().invoke(app, ["compare", "tiny.yaml", "--train", "--dtype", "float32", "--force"])
    assert again.exit_code == 0, "1e-7 is below the tolerance of float32"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--epochs 2", "--epochs is for a comparison of trainings: add --train"),
        ("--train --steps 3 --batch 4", "with --train, leave out --batch, --steps"),
        ("--train --set train.epoch=3", "--set train.epoch=3: a recipe does not have the setting `epoch`"),
    ],
)
def test_refuses(words: str, message: str) -> None:
    done = CliRunner().invoke(app, ["compare", "tiny.yaml", *words.split()])
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.slow
def test_real_backends_learn_the_same(tmp_path: Path) -> None:
    ready(Trains, count=2)
    done = CliRunner().invoke(app, ["compare", "tiny.yaml", "--train", "--format", "json", "-o", "c.svg"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["equal"], len(told["epochs"])) == (0, True, 2)
    assert told["largest"] < 1e-12
    assert Path("c.svg").exists()
