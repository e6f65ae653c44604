"""`netspec runs`: what it says of runs in every state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec.recipe import Recipe
from netspec.recipe.optimizers import Adam, Sgd
from netspec.training.claim import Claim
from netspec.training.run import Diverged, train
from tests.training import commands
from tests.training.fakes import FakeBackend, dataset, network, validated

__all__ = ["validated"]
FIGURES = [
    {"train_loss": 1.0, "train_accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.75},
    {"train_loss": 0.5, "train_accuracy": 0.5, "validation_loss": 0.5, "validation_accuracy": 0.5},
]


@pytest.fixture
def folder(tmp_path: Path, validated: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run, one that failed, and one whose process died."""
    monkeypatch.chdir(tmp_path)
    recipe = Recipe(data="own.npz", batch=2, epochs=2, optimizer=Sgd(learning_rate=0.5))
    train(network(), FakeBackend([1.0] * 9, FIGURES), recipe, dataset())
    other = recipe.model_copy(update={"optimizer": Adam(), "batch": 5})
    with pytest.raises(Diverged):
        train(network(), FakeBackend([1.0, float("nan")], FIGURES), other, dataset())
    claim = Claim.numbered(tmp_path / "runs", "tiny-fake")
    (claim.path / "run.json").write_text('{"state": "running", "started": "9999"}')
    claim.close()
    return tmp_path / "runs"


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    answer = commands.netspec(monkeypatch, capsys)("runs", *words)
    return answer.code, answer.out + answer.err


def test_a_table_of_all_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(capsys, monkeypatch)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert code == 0
    assert lines[0].startswith("run state spec backend data epochs train loss best test seconds batch")
    assert lines[1].startswith(
        "tiny-fake-1 finished tiny fake own 2 0.500000 75.00 % in 1 50.00 % 0 2 0.5 0.0 false"
    )
    assert lines[2].startswith("tiny-fake-2 failed tiny fake own 1 ")
    assert lines[3].startswith("tiny-fake-3 interrupted")


def test_json(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = said(capsys, monkeypatch, "runs", "--format", "json")
    told = json.loads(text)
    assert code == 0
    assert [run["state"] for run in told["runs"]] == ["finished", "failed", "interrupted"]
    assert told["runs"][0]["best"]["epoch"] == 1
    assert told["runs"][1]["reason"] == "the loss is nan at step 1 of epoch 2"
    assert "batch" in told["differing"]
    assert "epochs" not in told["differing"]


def test_a_run_that_goes_on_is_running(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim.again(folder / "tiny-fake-3")
    code, text = said(capsys, monkeypatch, "runs/tiny-fake-3", "--format", "json")
    claim.close()
    assert code == 0
    assert json.loads(text)["runs"][0]["state"] == "running"


@pytest.mark.parametrize(("path", "says"), [("nowhere", "is not a folder"), (".", "does not contain a run")])
def test_no_runs(
    path: str,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = said(capsys, monkeypatch, path)
    assert code == 2
    assert says in text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (0.1, "0.1"),
        ("mnist", "mnist"),
        ([{"crop": {"size": [24, 24]}}], '[{"crop": {"size": [24, 24]}}]'),
    ],
)
def test_a_setting_is_shown_as_it_is_written_in_a_spec(value: object, cell: str) -> None:
    from netspec_cli.runs import _setting

    assert _setting(value) == cell
